import { toHex, uintHex } from "./payload.ts"

/** How an option's value is typed in. */
type OptionFormat = "uint" | "text" | "opaque" | "empty" | "block"

/** The options that are typed in by name, RFC 7252 §5.10, RFC 7959 §2.1 and §4, RFC 9175 §2.2 and §3.2. */
export const namedOptions: { number: number; name: string; format: OptionFormat }[] = [
    { number: 1, name: "If-Match", format: "opaque" },
    { number: 3, name: "Uri-Host", format: "text" },
    { number: 4, name: "ETag", format: "opaque" },
    { number: 5, name: "If-None-Match", format: "empty" },
    { number: 7, name: "Uri-Port", format: "uint" },
    { number: 15, name: "Uri-Query", format: "text" },
    { number: 23, name: "Block2", format: "block" },
    { number: 27, name: "Block1", format: "block" },
    { number: 28, name: "Size2", format: "uint" },
    { number: 60, name: "Size1", format: "uint" },
    { number: 252, name: "Echo", format: "opaque" },
    { number: 292, name: "Request-Tag", format: "opaque" },
]

/** What is expected of a value, for people. */
export const formatHints: Record<OptionFormat, string> = {
    uint: "a number",
    text: "text",
    opaque: "hex",
    empty: "no value",
    block: "number/more/size, such as 0/0/64",
}

const maxUint = 2 ** 32 - 1
const smallestBlock = 16
const largestSzx = 6

export function formatOf(number: number): OptionFormat {
    return namedOptions.find(option => option.number === number)?.format ?? "opaque"
}

/** Converts what was typed in for an option to hex. Throws with a line for the user. */
export function optionHex(number: number, typed: string): string {
    const format = formatOf(number)
    const wrong = () => new Error(`${nameOf(number)} takes ${formatHints[format]}; this is “${typed}”.`)
    switch (format) {
        case "empty":
            if (typed.trim() !== "") throw wrong()
            return ""
        case "text":
            return toHex(typed, "text")
        case "opaque":
            try {
                return toHex(typed, "hex")
            } catch {
                throw wrong()
            }
        case "uint":
            if (!/^\d{1,10}$/.test(typed.trim()) || Number(typed) > maxUint) throw wrong()
            return uintHex(Number(typed))
        case "block": {
            const [, num, more, size] = /^(\d{1,7})\/([01])\/(\d{2,4})$/.exec(typed.trim()) ?? []
            const szx = Math.log2(Number(size) / smallestBlock)
            if (num === undefined || Number(num) >= 2 ** 20 || !Number.isInteger(szx) || szx < 0 || szx > largestSzx)
                throw wrong()
            return uintHex(Number(num) * 16 + Number(more) * 8 + szx)
        }
    }
}

/** An option's value as it is typed in; the inverse of `optionHex`. Undefined where it cannot be typed in so. */
export function optionText(number: number, hex: string): string | undefined {
    const text = textOf(formatOf(number), hex)
    try {
        return text !== undefined && optionHex(number, text) === hex ? text : undefined
    } catch {
        return undefined
    }
}

function textOf(format: OptionFormat, hex: string): string | undefined {
    switch (format) {
        case "empty":
            return ""
        case "opaque":
            return hex
        case "text":
            return new TextDecoder().decode(Uint8Array.from(hex.match(/../g) ?? [], byte => parseInt(byte, 16)))
    }
    if (hex.length > 8) return undefined
    const value = hex === "" ? 0 : parseInt(hex, 16)
    if (format === "uint") return String(value)
    return `${Math.floor(value / 16)}/${(value >> 3) & 1}/${smallestBlock * 2 ** (value & 7)}`
}

function nameOf(number: number): string {
    return namedOptions.find(option => option.number === number)?.name ?? `option ${number}`
}
