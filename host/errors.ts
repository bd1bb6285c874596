/** An error that the user can fix. `message` is one clear line; it is printed without a stack trace. */
export class UserError extends Error {
    /** 1 for a failure, 2 for wrong usage. */
    readonly exitCode: number

    constructor(message: string, exitCode: number = 1) {
        super(message)
        this.name = "UserError"
        this.exitCode = exitCode
    }
}

const reasons: Record<string, string> = {
    ENOENT: "no such file",
    EACCES: "no permission",
    EPERM: "no permission",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
    EISDIR: "it is a folder",
    EEXIST: "a file is where a folder should be",
    ENOTDIR: "a file is where a folder should be",
    EMFILE: "too many open files",
    ENFILE: "too many open files",
    EADDRINUSE: "the port is in use",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "this machine has no such address",
}

/** Returns what went wrong as the end of a sentence, such as "no permission". It names no path. */
export function reasonOf(error: unknown): string {
    const { code, message } = error as NodeJS.ErrnoException
    // Node's own message looks like "EIO: i/o error, read '/path'".
    const [line] = message.split("\n")
    return reasons[code ?? ""] ?? /^[A-Z0-9]+: ([^,]+)/.exec(line!)?.[1] ?? line!
}

/** Returns a UserError for a file that cannot be read. */
export function fileError(file: string, error: unknown): UserError {
    return new UserError(`cannot read ${file}: ${reasonOf(error)}`)
}
