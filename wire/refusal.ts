import { decode, encode, isCount, WireError } from "./cbor.ts"
import { refusalKinds, type Refusal, type RefusalCode, type RefusalKind } from "./tables/refusals.ts"
import { configFields } from "./tables/settings.ts"

/*
 * Refusals on the wire: a CBOR array of a code and its parameters, all unsigned integers. docs/wire.md, "Refusals".
 */

/** The key of a refusal in problem details (RFC 9290), a mote's error response over CoAP. */
export const refusalKey = "urn:vitalmote:refusal"

const maxParameters = 8

/** Encodes a refusal as a mote does. */
export function encodeRefusal(refusal: Refusal): Uint8Array {
    return encode(refusalNumbers(refusal))
}

/** Returns a refusal's code and parameters as on the wire. */
export function refusalNumbers(refusal: Refusal): number[] {
    if (refusal.code === "unknown") return [refusal.number ?? 0]
    const { number, parameters }: RefusalKind = refusalKinds[refusal.code]
    const values = parameters.map(name => {
        const value = refusal[name]
        return typeof value === "string" ? configFields.find(field => field.name === value)?.number : value
    })
    return [number, ...values.map(value => value ?? 0)]
}

/** Decodes a refusal. Throws WireError. An unknown code is not an error, because a newer mote may have more codes. */
export function decodeRefusal(bytes: Uint8Array): Refusal {
    return toRefusal(decode(bytes))
}

/** Returns the refusal in problem details, or undefined if they have none. Throws WireError for anything else. */
export function refusalIn(problemDetails: Uint8Array): Refusal | undefined {
    const map = decode(problemDetails)
    if (!(map instanceof Map)) throw new WireError("problem details are a map")
    return map.has(refusalKey) ? toRefusal(map.get(refusalKey)) : undefined
}

/** Parses a decoded refusal. Throws WireError. */
export function toRefusal(item: unknown): Refusal {
    if (!Array.isArray(item) || item.length === 0 || item.length > 1 + maxParameters || !item.every(isCount))
        throw new WireError("not a refusal")
    const [number, ...values] = item as number[]
    const [code, kind] = Object.entries<RefusalKind>(refusalKinds).find(([, kind]) => kind.number === number) ?? []
    if (!code || !kind) return { code: "unknown", number: number! }
    if (values.length < kind.parameters.length) throw new WireError("a refusal lacks parameters")
    const parameters = kind.parameters.map((name, i) => [
        name,
        name === "setting" || name === "other" ? settingName(values[i]!) : values[i]!,
    ])
    return { code: code as RefusalCode, ...(Object.fromEntries(parameters) as Omit<Refusal, "code">) }
}

/** Returns the name of a setting by its number. An unknown setting is called `setting N`. */
function settingName(number: number): string {
    return configFields.find(field => field.number === number)?.name ?? `setting ${number}`
}
