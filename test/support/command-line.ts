import { fork, type ChildProcess } from "node:child_process"
import { projectDir } from "../../devicescript/build.ts"
import { compiledFile } from "../../host/compiled.mjs"

/** What a command did. */
export interface Finished {
    code: number
    stdout: string
    stderr: string
}

export interface Request {
    args: string[]
    env: Record<string, string>
}

const program = await compiledFile("test/support/command-line-process.ts")

/**
 * Runs one command after the other in one process, each a few milliseconds instead of a second. For what ends by itself
 * and keeps nothing running; `finished` (e2e/command.ts) is the real thing.
 */
export class CommandLine {
    private readonly child: ChildProcess = fork(program, { cwd: projectDir })
    private readonly gone: Promise<never>
    private turn: Promise<unknown> = Promise.resolve()

    constructor() {
        this.gone = new Promise((_, reject) =>
            this.child.once("exit", code => reject(new Error(`a command ended the process with ${code}`))),
        )
        this.gone.catch(() => {})
    }

    /** @param env beside the environment of this process */
    run(args: string[], env: Record<string, string> = {}): Promise<Finished> {
        const result = this.turn.then(async () => {
            this.child.send({ args, env } satisfies Request)
            const answer = new Promise<Finished>(resolve => this.child.once("message", resolve as (m: unknown) => void))
            return Promise.race([answer, this.gone])
        })
        this.turn = result.catch(() => {})
        return result
    }

    close(): void {
        this.child.disconnect()
    }
}
