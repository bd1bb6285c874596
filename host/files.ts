import {
    closeSync,
    fchmodSync,
    fsyncSync,
    existsSync,
    mkdirSync,
    openSync,
    readFileSync,
    renameSync,
    statSync,
    writeFileSync,
} from "node:fs"
import { dirname, resolve } from "node:path"
import { fileError, reasonOf, UserError } from "./errors.ts"

/** Makes the folder, and those above it, where it does not exist; only its owner may look into it. Throws UserError. */
export function makeFolder(path: string): void {
    try {
        mkdirSync(path, { recursive: true, mode: 0o700 })
    } catch (error) {
        throw new UserError(`cannot make the folder ${path}: ${reasonOf(whyNoFolder(path, error))}`)
    }
}

/**
 * What really speaks against the folder: where several may be missing, Node says ENOENT on a read-only disk, too. The
 * uppermost one that is missing, made alone, gets the true answer.
 */
function whyNoFolder(path: string, error: unknown): unknown {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error
    let missing = resolve(path)
    let above = dirname(missing)
    while (above !== missing && !existsSync(above)) [missing, above] = [above, dirname(above)]
    try {
        mkdirSync(missing, { mode: 0o700 })
        return error
    } catch (trueError) {
        return trueError
    }
}

/** The file's bytes, or undefined where there is none. Throws UserError where it cannot be read. */
export function readIfThere(file: string): Buffer | undefined {
    try {
        return readFileSync(file)
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
        throw fileError(file, error)
    }
}

/**
 * Replaces the file as a whole, durably: after a power cut it is the old one or the new one. One that would not change is left
 * alone, so that a full disk stands in nobody's way. Throws UserError.
 */
export function writeDurably(file: string, contents: string | Uint8Array, mode: number): void {
    if (isSame(file, contents, mode)) return
    const draft = `${file}.new`
    try {
        const fd = openSync(draft, "w", mode)
        try {
            fchmodSync(fd, mode) // whatever the umask, or the mode of a draft that a crash left
            writeFileSync(fd, contents)
            fsyncSync(fd)
        } finally {
            closeSync(fd)
        }
        renameSync(draft, file)
        syncFolder(dirname(file))
    } catch (error) {
        throw new UserError(`cannot write ${file}: ${reasonOf(error)}`)
    }
}

function isSame(file: string, contents: string | Uint8Array, mode: number): boolean {
    try {
        if (process.platform !== "win32" && (statSync(file).mode & 0o777) !== mode) return false
        return readFileSync(file).equals(Buffer.from(contents))
    } catch {
        return false
    }
}

function syncFolder(path: string): void {
    if (process.platform === "win32") return // a folder cannot be opened there
    const fd = openSync(path, "r")
    try {
        fsyncSync(fd)
    } finally {
        closeSync(fd)
    }
}
