/** How a payload is typed in. */
export type Notation = "text" | "hex"

/** Converts what was typed in to hex. Throws with a line for the user. */
export function toHex(typed: string, notation: Notation): string {
    if (notation === "text") return hexOf(new TextEncoder().encode(typed))
    const digits = typed.replace(/\s|0x/gi, "").toLowerCase()
    if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error("hex needs pairs of the digits 0 to 9 and a to f")
    return digits
}

function hexOf(bytes: Uint8Array): string {
    return [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("")
}

/** An unsigned integer as an option's value, RFC 7252 §3.2: as few bytes as possible. */
export function uintHex(value: number): string {
    if (value === 0) return ""
    const digits = value.toString(16)
    return digits.length % 2 === 0 ? digits : `0${digits}`
}

/** Bytes as lines of 16: offset, hex, and what is printable. */
export function hexDump(hex: string): string {
    const bytes = hex.match(/../g) ?? []
    const lines: string[] = []
    for (let at = 0; at < bytes.length; at += 16) {
        const line = bytes.slice(at, at + 16)
        const text = line.map(byte => printable(parseInt(byte, 16))).join("")
        lines.push(`${at.toString(16).padStart(4, "0")}  ${line.join(" ").padEnd(47)}  ${text}`)
    }
    return lines.join("\n")
}

function printable(byte: number): string {
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."
}
