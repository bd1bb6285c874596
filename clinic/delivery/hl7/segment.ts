/*
 * Segments of HL7 version 2 in their usual encoding (HL7 2.6 §2.5): fields by `|`, components by `^`, sub-components by `&`, repetitions
 * by `~`, escapes by `\`.
 */

/** One value, a list of components, or what is to stand as it is (separators, repetitions). */
export type Field = Value | readonly Value[] | { raw: string }
type Value = string | number | null

const escapes: Record<string, string> = { "\\": "E", "|": "F", "^": "S", "&": "T", "~": "R" }

/** One segment, without its end. What no message may contain, such as a line end inside of a text, becomes a space. */
export function segment(name: string, ...fields: Field[]): string {
    return [name, ...fields.map(written)].join("|").replace(/\|+$/, "")
}

function written(field: Field): string {
    if (typeof field !== "object" || field === null) return escape(field)
    return "raw" in field ? field.raw : field.map(escape).join("^")
}

function escape(value: Value): string {
    if (value === null) return ""
    return String(value)
        .replace(/[\\|^&~]/g, character => `\\${escapes[character]}\\`)
        .replace(/\p{Cc}/gu, " ")
}

/** The fields of the first segment of that name; undefined where the message has none. Escapes are left as they are. */
export function fieldsOf(message: string, name: string): string[] | undefined {
    const found = message.split("\r").find(line => line.startsWith(`${name}|`))
    return found?.split("|").slice(1)
}

/** A time stamp with its offset (HL7 2.6 §2.A.22), in UTC to the millisecond. */
export function timestamp(ms: number): string {
    const digits = new Date(ms).toISOString().replace(/[-:TZ]/g, "")
    return `${digits}+0000`
}
