import { closeSync, openSync, readSync } from "node:fs"
import { fileError, UserError } from "../../host/errors.ts"

const minRateHz = 10
const maxRateHz = 10_000
const minSeconds = 2
const maxSamples = 20_000_000
const maxBytes = 400_000_000
const chunkBytes = 1 << 20

const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i

/** The text of a file or pipe. @throws UserError when it cannot be read or is longer than any recording */
export function readText(file: string): string {
    try {
        const descriptor = openSync(file, "r")
        try {
            return readAll(descriptor, file)
        } finally {
            closeSync(descriptor)
        }
    } catch (error) {
        throw error instanceof UserError ? error : fileError(file, error)
    }
}

function readAll(descriptor: number, file: string): string {
    const chunks: Buffer[] = []
    let total = 0
    for (;;) {
        const chunk = Buffer.allocUnsafe(chunkBytes)
        const size = readSync(descriptor, chunk)
        if (size === 0) return Buffer.concat(chunks).toString("utf8")
        chunks.push(chunk.subarray(0, size))
        total += size
        if (total > maxBytes) throw new UserError(`${file}: more than ${maxBytes / 1e6} MB`)
    }
}

/**
 * The columns of a recording: lines of numbers, divided by comma, semicolon, tab or spaces; a header is optional.
 * @param rate samples a second
 * @param what the columns are, for the message
 * @throws UserError naming the first line that is something else
 */
export function parseColumns(csv: string, rate: number, columns: number, name: string, what: string): Float64Array[] {
    if (!(rate >= minRateHz && rate <= maxRateHz))
        throw new UserError(`${name}: sampling rate ${rate}: ${minRateHz} to ${maxRateHz} Hz expected`, 2)
    const text = csv.replace(/^\ufeff/, "").trimEnd()
    if (!text) throw new UserError(`${name} is empty`)
    const lines = text.split(/\r?\n/, maxSamples + 1)
    if (lines.length > maxSamples) throw new UserError(`${name}: more than ${maxSamples} samples`)
    const skip = /^\s*"?[A-Za-z]/.test(lines[0]!) && lines.length > 1 ? 1 : 0
    const size = lines.length - skip
    const values = Array.from({ length: columns }, () => new Float64Array(size))
    for (let i = 0; i < size; i++) {
        const fields = lines[i + skip]!.trim().split(/\s*[,;\t]\s*| +/, columns + 1)
        const isRow = fields.length === columns && fields.every(isNumber)
        if (!isRow) throw new UserError(`${name}: line ${i + skip + 1} is no number: ${what} expected`)
        for (const [column, field] of fields.entries()) values[column]![i] = Number(field)
    }
    if (size < minSeconds * rate)
        throw new UserError(`${name}: ${size} samples: at least ${minSeconds} s of signal expected`)
    return values
}

/** Not 1e999, which JavaScript takes for infinity. */
function isNumber(field: string): boolean {
    return number.test(field) && Number.isFinite(Number(field))
}
