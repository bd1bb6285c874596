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
