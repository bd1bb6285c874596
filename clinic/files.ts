import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { UserError } from "../host/errors.ts"

/** The file's bytes, or undefined where there is none. Throws UserError where it cannot be read. */
export function readIfThere(path: string): Buffer | undefined {
    try {
        return readFileSync(path)
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
        throw new UserError(`cannot read ${path}: ${reason(error)}`)
    }
}

/** Replaces the file as a whole, durably: after a power cut it is the old one or the new one. Throws UserError. */
export function writeDurably(path: string, bytes: string | Uint8Array, mode: number): void {
    const temporary = `${path}.new`
    try {
        const file = openSync(temporary, "w", mode)
        try {
            writeSync(file, Buffer.from(bytes))
            fsyncSync(file)
        } finally {
            closeSync(file)
        }
        renameSync(temporary, path)
        syncFolder(dirname(path))
    } catch (error) {
        throw new UserError(`cannot write ${path}: ${reason(error)}`)
    }
}

function syncFolder(path: string): void {
    if (process.platform === "win32") return // a folder cannot be opened there
    const folder = openSync(path, "r")
    try {
        fsyncSync(folder)
    } finally {
        closeSync(folder)
    }
}

/** What the system says, without its code and the path: "permission denied". */
export function reason(error: unknown): string {
    const { message } = error as Error
    return /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message
}
