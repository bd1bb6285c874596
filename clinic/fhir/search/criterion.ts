import type { Parameter } from "../kind.ts"
import type { DateCriterion } from "./date.ts"
import { parseDate } from "./date.ts"
import { fault } from "./fault.ts"

/** More than anyone needs; every one costs a look into the index. */
const maxAlternatives = 100
const maxValueChars = 1000

export const modifiers = ["missing", "not", "exact", "contains"] as const
export type Modifier = (typeof modifiers)[number]

/** `code` alone: of any system; `system` alone: any code; `system` null: of none. */
export interface Token {
    system?: string | null
    code?: string
}

/** A reference to a resource of ours, or (`id` undefined) to one elsewhere. */
export interface Reference {
    type?: string
    id?: string
}

export interface QuantityCriterion {
    prefix: DateCriterion["prefix"]
    value: number
    /** Half of the last digit that was given. */
    half: number
    unit?: Token
}

/** One parameter of a search: one of the values has to match. */
export type Criterion = { name: string; parameter: Parameter } & (
    | { modifier: "missing"; isMissing: boolean }
    | { type: "token"; modifier?: "not"; values: readonly Token[] }
    | { type: "date"; modifier?: undefined; values: readonly DateCriterion[] }
    | { type: "string"; modifier?: "exact" | "contains"; values: readonly string[] }
    | { type: "reference"; modifier?: undefined; values: readonly Reference[] }
    | { type: "quantity"; modifier?: undefined; values: readonly QuantityCriterion[] }
)

const allowed: Record<Parameter["type"], readonly Modifier[]> = {
    token: ["missing", "not"],
    date: ["missing"],
    string: ["missing", "exact", "contains"],
    reference: ["missing"],
    quantity: ["missing"],
}

/**
 * A parameter with its values (http://hl7.org/fhir/R4/search.html#ptypes). Throws ProblemError.
 * @param asked the name as it was asked for
 * @param modifier of a reference also the type that it points at
 * @param base this server's FHIR address, for absolute references
 */
export function parseCriterion(
    o: { name: string; asked: string; modifier: string | undefined; parameter: Parameter; base: string },
    text: string,
): Criterion {
    const { name, asked, parameter, base } = o
    const { type, targets = [] } = parameter
    if (text.length > maxValueChars) throw fault(asked, "too-many")
    const target = type === "reference" && targets.find(target => target === o.modifier)
    const modifier = target ? undefined : (o.modifier as Modifier | undefined)
    if (modifier !== undefined && !allowed[type].includes(modifier)) throw fault(asked, "bad-modifier")
    if (modifier === "missing") {
        if (text !== "true" && text !== "false") throw fault(asked, "malformed")
        return { name, parameter, modifier, isMissing: text === "true" }
    }
    const parts = split(text, ",")
    if (parts.length > maxAlternatives) throw fault(asked, "too-many")
    if (parts.includes("")) throw fault(asked, "malformed")
    switch (type) {
        case "token":
            return { name, parameter, type, ...(modifier === "not" && { modifier }), values: parts.map(token) }
        case "string": {
            const isExact = modifier === "exact" || modifier === "contains"
            return { name, parameter, type, ...(isExact && { modifier }), values: parts.map(unescaped) }
        }
        case "date":
            return { name, parameter, type, values: parts.map(part => parseDate(part, asked)) }
        case "reference": {
            const values = parts.map(part => reference(unescaped(part), { asked, base, targets, type: target }))
            return { name, parameter, type, values }
        }
        case "quantity":
            return { name, parameter, type, values: parts.map(part => quantity(part, asked)) }
    }
}

/** At what is not escaped by a backslash (R4 §3.1.1.4.0.1). */
function split(text: string, separator: "," | "|"): string[] {
    const parts = [""]
    for (let i = 0; i < text.length; i++) {
        const last = parts.length - 1
        if (text[i] === "\\" && i + 1 < text.length) parts[last] += text[i]! + text[++i]!
        else if (text[i] === separator) parts.push("")
        else parts[last] += text[i]!
    }
    return parts
}

function unescaped(text: string): string {
    return text.replace(/\\([\\,|$])/g, "$1")
}

/** `code`, `system|code`, `system|` (any code) or `|code` (no system). */
function token(text: string): Token {
    const [first = "", ...rest] = split(text, "|").map(unescaped)
    if (rest.length === 0) return { code: first }
    const code = rest.join("|")
    return { system: first === "" ? null : first, ...(code !== "" && { code }) }
}

const id = /^[A-Za-z0-9\-.]{1,64}$/

/** `id`, `Type/id`, or an address; one of another server is never found. */
function reference(
    text: string,
    o: { asked: string; base: string; targets: readonly string[]; type: string | false | undefined },
): Reference {
    const isAddress = /^[a-z][a-z0-9+.-]*:/i.test(text)
    const own = text.startsWith(`${o.base}/`) ? text.slice(o.base.length + 1) : isAddress ? undefined : text
    if (own === undefined) return {}
    const [type, ...rest] = own.split("/")
    // A version says of which moment it was; it points at the same resource.
    const [found, history, version, ...more] = rest.length === 0 ? [type!] : rest
    if (found === undefined || !id.test(found) || more.length > 0) throw fault(o.asked, "malformed")
    if (history !== undefined && (history !== "_history" || version === undefined)) throw fault(o.asked, "malformed")
    if (rest.length === 0) return { id: found, ...(o.type !== false && o.type !== undefined && { type: o.type }) }
    if (!o.targets.includes(type!) || (o.type && o.type !== type)) throw fault(o.asked, "malformed")
    return { id: found, type: type! }
}

/** `[prefix]number|system|code`, `[prefix]number||code` or `[prefix]number`. */
function quantity(text: string, asked: string): QuantityCriterion {
    const [number = "", system, code, ...more] = split(text, "|").map(unescaped)
    const [, prefix = "eq", value, fraction = "", exponent = "0"] =
        /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(-?\d{1,12}(?:\.(\d{1,9}))?)(?:e([+-]?\d{1,2}))?$/i.exec(number) ?? []
    if (value === undefined || more.length > 0 || (system !== undefined && code === undefined))
        throw fault(asked, "malformed")
    const scale = 10 ** Number(exponent)
    return {
        prefix: prefix as DateCriterion["prefix"],
        value: Number(value) * scale,
        half: (10 ** -fraction.length / 2) * scale,
        ...(code !== undefined && code !== "" && { unit: { code, ...(system !== "" && { system: system! }) } }),
    }
}
