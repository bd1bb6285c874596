import assert from "node:assert/strict"
import { spawn, type ChildProcess } from "node:child_process"
import { cpSync, existsSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { WebSocket } from "undici"
import { projectDir } from "../../devicescript/build.ts"
import { until } from "../support/until.ts"
import { temporaryFolder } from "./command.ts"

/** Where the developer tools listen, always: Jacdac and their own requests over WebSocket, Jacdac over TCP, the debugger. */
export const devtoolsPorts = { websocket: 8081, tcp: 8082, debugger: 8083 }
/** Others may be at it, in another test file or another checkout. */
const portsBusyMs = 120_000
const portsBusyExit = 100
/** What takes seconds alone takes minutes beside a whole test suite. */
const slowMs = 180_000

/** A command of DeviceScript's `devs`. */
export class Devs {
    readonly child: ChildProcess
    said = ""

    constructor(t: TestContext, cwd: string, args: string[]) {
        const devs = join(projectDir, "node_modules/@devicescript/cli/devicescript")
        this.child = spawn(process.execPath, [devs, "--ci", "--no-colors", ...args], { cwd })
        this.child.stdout!.on("data", text => (this.said += String(text)))
        this.child.stderr!.on("data", text => (this.said += String(text)))
        t.after(() => this.kill())
    }

    /** Until it says so; fails when it ends before. */
    async says(text: string): Promise<void> {
        const { child } = this
        await until(
            () => {
                if (this.said.includes(text)) return true
                assert.equal(child.exitCode, null, this.said)
                return false
            },
            `"${text}": ${this.said}`,
            slowMs,
        )
    }

    async kill(): Promise<void> {
        const { child } = this
        if (child.exitCode !== null || child.signalCode !== null) return
        const gone = new Promise(resolve => child.once("exit", resolve))
        child.kill("SIGKILL")
        await gone
    }
}

/** `devs devtools src/main.ts`, in a copy of the firmware: the tools build into the project's own output folder. */
export class Devtools {
    readonly project: string
    private readonly t: TestContext
    private socket: WebSocket | undefined
    private answers = new Map<number, (answer: { resp: string; data: unknown }) => void>()
    private seq = 0

    private constructor(t: TestContext, project: string) {
        this.t = t
        this.project = project
    }

    /** Undefined, and the test is skipped, when somebody else's developer tools run all the time. */
    static async start(t: TestContext): Promise<Devtools | undefined> {
        const project = temporaryFolder(t)
        for (const part of ["src", "services", "boards", "devsconfig.json", "package.json"])
            cpSync(join(projectDir, part), join(project, part), { recursive: true })
        symlinkSync(join(projectDir, "node_modules"), join(project, "node_modules"))
        const devtools = new Devtools(t, project)
        for (const giveUp = performance.now() + portsBusyMs; ;) {
            const tools = devtools.devs("devtools", "src/main.ts")
            await until(
                () => tools.child.exitCode !== null || tools.said.includes("watching"),
                "developer tools that run",
                slowMs,
            )
            if (tools.child.exitCode === null) return devtools
            assert.equal(tools.child.exitCode, portsBusyExit, tools.said)
            if (performance.now() > giveUp) {
                t.skip("needs the ports 8081 to 8083 of the developer tools")
                return undefined
            }
        }
    }

    /** Another command, in the same project. */
    devs(...args: string[]): Devs {
        return new Devs(this.t, this.project, args)
    }

    /** Starts DeviceScript's simulator, as its extension of VS Code does; it runs what is in its flash. */
    async startSimulator(): Promise<void> {
        await this.request("startVM", {})
    }

    async stopSimulator(): Promise<void> {
        await this.request("stopVM", {})
    }

    /** What the simulator, or `devs run`, keeps. */
    flash(): Uint8Array {
        const file = join(this.project, ".devicescript/flash/sim.bin")
        return existsSync(file) ? readFileSync(file) : new Uint8Array(0)
    }

    private async request(req: string, data: object): Promise<unknown> {
        const socket = (this.socket ??= await this.connect())
        const seq = ++this.seq
        const answered = new Promise<{ resp: string; data: unknown }>(resolve => this.answers.set(seq, resolve))
        socket.send(JSON.stringify({ req, seq, data }))
        const answer = await answered
        assert.equal(answer.resp, req, JSON.stringify(answer))
        return answer.data
    }

    private async connect(): Promise<WebSocket> {
        const socket = new WebSocket(`ws://127.0.0.1:${devtoolsPorts.websocket}`)
        socket.binaryType = "arraybuffer"
        this.t.after(() => socket.close())
        socket.addEventListener("message", ({ data }) => {
            if (typeof data !== "string") return // Jacdac
            const answer = JSON.parse(data) as { seq?: number; resp: string; data: unknown }
            if (answer.seq !== undefined) this.answers.get(answer.seq)?.(answer)
        })
        await new Promise((resolve, reject) => {
            socket.addEventListener("open", resolve)
            socket.addEventListener("error", reject)
        })
        return socket
    }
}
