import { closeSync, openSync, readSync } from "node:fs"
import { fileError, UserError } from "./errors.ts"

const chunkBytes = 1 << 20

/**
 * Reads a file or pipe whole. The limit protects against a path that the user did not mean: a device that never ends,
 * or a huge file.
 * @throws UserError if it cannot be read or is longer than `maxBytes`
 */
export function readBounded(file: string, maxBytes: number): Buffer {
    try {
        const descriptor = openSync(file, "r")
        try {
            return readAll(descriptor, file, maxBytes)
        } finally {
            closeSync(descriptor)
        }
    } catch (error) {
        throw error instanceof UserError ? error : fileError(file, error)
    }
}

function readAll(descriptor: number, file: string, maxBytes: number): Buffer {
    const chunks: Buffer[] = []
    let total = 0
    for (;;) {
        const chunk = Buffer.allocUnsafe(chunkBytes)
        const size = readSync(descriptor, chunk)
        if (size === 0) return Buffer.concat(chunks)
        chunks.push(chunk.subarray(0, size))
        total += size
        if (total > maxBytes) throw new UserError(`${file}: larger than ${maxBytes / 1e6} MB`, 2)
    }
}
