import { spawn, type ChildProcess } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { projectDir } from "../../devicescript/build.ts"

/** A folder that goes when the test is over. */
export function temporaryFolder(t: TestContext): string {
    const folder = mkdtempSync(join(tmpdir(), "vitalmote-test-"))
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
    return folder
}

/** A command of `vitalmote` that runs in a process of its own. */
export class Running {
    readonly child: ChildProcess
    stdout = ""
    stderr = ""
    /** Settles when the process is gone: its exit code, or null when a signal killed it. */
    readonly exit: Promise<number | null>

    private readonly isGroup: boolean

    /** @param wrapper a program and its arguments, which runs the command */
    constructor(args: string[], env: Record<string, string> = {}, wrapper: string[] = []) {
        const [program = "", ...rest] = [...wrapper, process.execPath, "cli/vitalmote.mjs", ...args]
        this.isGroup = wrapper.length > 0
        this.child = spawn(program, rest, {
            cwd: projectDir,
            detached: this.isGroup,
            env: { ...process.env, ...env },
        })
        this.child.stdout!.on("data", text => (this.stdout += String(text)))
        this.child.stderr!.on("data", text => (this.stderr += String(text)))
        this.exit = new Promise(resolve => this.child.once("close", code => resolve(code)))
    }

    /** Resolves to the first line on stdout that starts with `start`. Rejects when the process ends before. */
    async line(start: string): Promise<string> {
        const gone = this.exit.then(code => {
            throw new Error(`exit ${code} without "${start}": ${this.stdout}${this.stderr}`)
        })
        gone.catch(() => {})
        for (;;) {
            const line = this.stdout.split("\n").find(line => line.startsWith(start))
            if (line !== undefined) return line
            await Promise.race([gone, new Promise(resolve => setTimeout(resolve, 50))])
        }
    }

    /** Kills it as a power cut would. */
    async kill(): Promise<void> {
        this.signal("SIGKILL")
        await this.exit
    }

    /** Ends it as an operator would; resolves to the exit code. */
    stop(): Promise<number | null> {
        this.signal("SIGTERM")
        return this.exit
    }

    /** With a wrapper both are a group of processes. */
    private signal(signal: NodeJS.Signals): void {
        const { pid, exitCode, signalCode } = this.child
        if (pid === undefined || exitCode !== null || signalCode !== null) return
        process.kill(this.isGroup ? -pid : pid, signal)
    }
}

/** Starts `vitalmote ARGS…`; it is killed when the test is over. */
export function run(t: TestContext, args: string[], env?: Record<string, string>, wrapper?: string[]): Running {
    const running = new Running(args, env, wrapper)
    t.after(() => running.kill())
    return running
}

/** Runs `vitalmote ARGS…` to its end. */
export async function finished(args: string[], env?: Record<string, string>) {
    const running = new Running(args, env)
    const code = await running.exit
    return { code, stdout: running.stdout, stderr: running.stderr }
}
