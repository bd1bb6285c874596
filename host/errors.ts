/** Something the user can mend: `message` is one clear line, printed without a stack trace. */
export class UserError extends Error {
    /** 1: it failed, 2: wrong usage. */
    readonly exitCode: 1 | 2

    constructor(message: string, exitCode: 1 | 2 = 1) {
        super(message)
        this.name = "UserError"
        this.exitCode = exitCode
    }
}

/** A file that cannot be read, as one clear line. */
export function fileError(file: string, error: unknown): UserError {
    const { code, message } = error as NodeJS.ErrnoException
    const reasons: Record<string, string> = {
        ENOENT: "no such file",
        EACCES: "no permission",
        EISDIR: "it is a folder",
        ENOTDIR: "part of the path is no folder",
    }
    return new UserError(`cannot read ${file}: ${reasons[code ?? ""] ?? message}`)
}
