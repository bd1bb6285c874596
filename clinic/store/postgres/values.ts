import pg from "pg"
import { Column } from "../column.ts"

const { builtins, getTypeParser } = pg.types

/** What is stored as a whole number is one that JavaScript has exactly; a sum may be a `numeric`. */
const parsers = new Map<number, (text: string) => unknown>([
    [builtins.INT8, Number],
    [builtins.NUMERIC, Number],
    [builtins.BYTEA, text => new Uint8Array(Buffer.from(text.slice(2), "hex"))],
])

/** Rows as the other engines give them: numbers, texts, Uint8Array, null. */
export const types: pg.CustomTypesConfig = {
    getTypeParser: ((oid: number, format?: "text") => parsers.get(oid) ?? getTypeParser(oid, format)) as never,
}

/** The same types as in the other engines, and a column of them; PostgreSQL's texts have no U+0000. Throws TypeError. */
export function checked(parameters: readonly unknown[]): unknown[] {
    return parameters.map(value => (value instanceof Column ? arrayOf(value) : checkedValue(value)))
}

function checkedValue(value: unknown): string | number | Uint8Array | null {
    if (typeof value === "string") return value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value
    if (value === null || typeof value === "number" || value instanceof Uint8Array) return value
    throw new TypeError(`a ${typeof value} cannot be stored`)
}

/** The text of an array (PostgreSQL's manual, 8.15.2): what is no number stands in quotes. */
function arrayOf({ values }: Column): string {
    let text = ""
    for (const given of values) {
        const value = checkedValue(given)
        if (text !== "") text += ","
        if (value === null) text += "NULL"
        else if (typeof value === "number") text += String(value)
        else if (typeof value === "string") text += `"${value.replace(/["\\]/g, "\\$&")}"`
        else text += `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex")}"`
    }
    return `{${text}}`
}
