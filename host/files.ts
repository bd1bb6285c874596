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

/** Creates a folder and its missing parents, accessible to the owner only. Throws UserError. */
export function makeFolder(path: string): void {
    try {
        mkdirSync(path, { recursive: true, mode: 0o700 })
    } catch (error) {
        throw new UserError(`cannot make the folder ${path}: ${reasonOf(folderError(path, error))}`)
    }
}

/**
 * Returns the real reason why a folder cannot be created. If several levels are missing, Node reports ENOENT even on a
 * read-only disk. Creating only the topmost missing folder fails with the true error.
 */
function folderError(path: string, error: unknown): unknown {
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

/** Returns the file's bytes, or undefined if it does not exist. Throws UserError if it cannot be read. */
export function readIfThere(file: string): Buffer | undefined {
    try {
        return readFileSync(file)
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
        throw fileError(file, error)
    }
}

/**
 * Replaces a file atomically and durably: after a power cut it has either the old or the new contents. A file whose
 * contents and mode would stay the same is not written, so this also works on a full disk. Throws UserError.
 */
export function writeDurably(file: string, contents: string | Uint8Array, mode: number): void {
    if (isUnchanged(file, contents, mode)) return
    const draft = `${file}.new`
    try {
        const fd = openSync(draft, "w", mode)
        try {
            fchmodSync(fd, mode) // overrides the umask, and the mode of a draft that a crash left behind
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

function isUnchanged(file: string, contents: string | Uint8Array, mode: number): boolean {
    try {
        if (process.platform !== "win32" && (statSync(file).mode & 0o777) !== mode) return false
        return readFileSync(file).equals(Buffer.from(contents))
    } catch {
        return false
    }
}

/** What was renamed in it survives a power cut. */
export function syncFolder(path: string): void {
    if (process.platform === "win32") return // Windows cannot open a folder
    const fd = openSync(path, "r")
    try {
        fsyncSync(fd)
    } finally {
        closeSync(fd)
    }
}
