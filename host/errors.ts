/** Something the user can mend: `message` is one clear line, printed without a stack trace. */
export class UserError extends Error {
    /** 1: it failed, 2: wrong usage. */
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

/** What went wrong in a few words, as the end of a sentence: "no permission". Names no path. */
export function reasonOf(error: unknown): string {
    const { code, message } = error as NodeJS.ErrnoException
    // Node's own text is "EIO: i/o error, read '/path'".
    const [line] = message.split("\n")
    return reasons[code ?? ""] ?? /^[A-Z0-9]+: ([^,]+)/.exec(line!)?.[1] ?? line!
}

/** A file that cannot be read, as one clear line. */
export function fileError(file: string, error: unknown): UserError {
    return new UserError(`cannot read ${file}: ${reasonOf(error)}`)
}
