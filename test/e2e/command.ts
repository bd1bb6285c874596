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

    constructor(args: string[], env: Record<string, string> = {}) {
        this.child = spawn(process.execPath, ["cli/vitalmote.mjs", ...args], {
            cwd: projectDir,
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
        this.child.kill("SIGKILL")
        await this.exit
    }

    /** Ends it as an operator would; resolves to the exit code. */
    stop(): Promise<number | null> {
        this.child.kill("SIGTERM")
        return this.exit
    }
}

/** Starts `vitalmote ARGS…`; it is killed when the test is over. */
export function run(t: TestContext, args: string[], env?: Record<string, string>): Running {
    const running = new Running(args, env)
    t.after(() => running.kill())
    return running
}

/** Runs `vitalmote ARGS…` to its end. */
export async function finished(args: string[], env?: Record<string, string>) {
    const running = new Running(args, env)
    const code = await running.exit
    return { code, stdout: running.stdout, stderr: running.stderr }
}
