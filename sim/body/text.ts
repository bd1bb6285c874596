import { readBounded } from "../../host/bounded-file.ts"
import { UserError } from "../../host/errors.ts"

const maxBytes = 400_000_000
/** Number of bytes from which the encoding is detected. */
const probeBytes = 1024

/** A file or pipe. @throws UserError if it cannot be read, or is longer than any recording */
export function readRecorded(file: string): Buffer {
    return readBounded(file, maxBytes)
}

/** The text of a file or pipe. @throws UserError if it cannot be read, is not text, or is longer than any recording */
export function readText(file: string): string {
    return decodeText(readRecorded(file), file)
}

/** UTF-8 or UTF-16 of either byte order, with or without a byte order mark. @throws UserError if it is not text */
export function decodeText(bytes: Buffer, name: string): string {
    const order = byteOrder(bytes)
    const text = order === "none" ? bytes.toString("utf8") : utf16(bytes, order)
    if (text.includes("\0")) throw new UserError(`${name} is not text: a table of numbers expected`)
    return text.replace(/^\ufeff/, "")
}

function utf16(bytes: Buffer, order: "little" | "big"): string {
    const whole = Buffer.from(bytes.subarray(0, bytes.length & ~1))
    return (order === "big" ? whole.swap16() : whole).toString("utf16le")
}

/** By the byte order mark, or by the zeros in the upper bytes of digits. */
function byteOrder(bytes: Buffer): "none" | "little" | "big" {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return "little"
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return "big"
    const probe = bytes.subarray(0, probeBytes)
    const zeros = [0, 0]
    probe.forEach((byte, i) => {
        if (byte === 0) zeros[i & 1]!++
    })
    const [even, odd] = zeros as [number, number]
    if (odd > probe.length / 4 && even === 0) return "little"
    if (even > probe.length / 4 && odd === 0) return "big"
    return "none"
}
