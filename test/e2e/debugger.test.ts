import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { cpSync, readFileSync, symlinkSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { test } from "node:test"
import { projectDir } from "../../sim/firmware.ts"
import { run, temporaryFolder } from "./command.ts"
import { freePort } from "./ports.ts"

const debuggerPort = 8083

interface Message {
    type: "response" | "event"
    event?: string
    request_seq?: number
    success?: boolean
    message?: string
    body?: {
        reason?: string
        threadId?: number
        breakpoints?: { verified: boolean; line: number }[]
        stackFrames?: { name: string; line: number; source?: { path: string } }[]
    }
}

/** A client of the Debug Adapter Protocol, as VS Code is one. */
class Adapter {
    private readonly socket: Socket
    private readonly messages: Message[] = []
    private pending = Buffer.alloc(0)
    private seq = 0

    constructor(socket: Socket) {
        this.socket = socket
        socket.on("error", () => {})
        socket.on("data", bytes => {
            this.pending = Buffer.concat([this.pending, bytes])
            for (;;) {
                const head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.pending.toString("latin1"))
                if (!head) return
                const end = head[0].length + Number(head[1])
                if (this.pending.length < end) return
                this.messages.push(
                    JSON.parse(this.pending.toString("utf8", head[0].length, end)) as Message,
                )
                this.pending = this.pending.subarray(end)
            }
        })
    }

    async request(command: string, args: object = {}): Promise<Message> {
        const seq = ++this.seq
        const text = JSON.stringify({ seq, type: "request", command, arguments: args })
        this.socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
        const response = await this.message(message => message.request_seq === seq)
        assert.ok(response.success, `${command}: ${response.message}`)
        return response
    }

    event(name: string): Promise<Message> {
        return this.message(message => message.event === name)
    }

    /** The first message of its kind that nobody has taken yet. */
    private async message(wanted: (message: Message) => boolean): Promise<Message> {
        for (let n = 0; n < 600; n++) {
            const at = this.messages.findIndex(wanted)
            if (at >= 0) return this.messages.splice(at, 1)[0]!
            await sleep(50)
        }
        return assert.fail(`the debug adapter is silent: ${JSON.stringify(this.messages)}`)
    }
}

test("the firmware of a simulated mote can be stepped through with DeviceScript's debugger", async t => {
    // A copy, because the developer tools build into the project's own output folder.
    const project = temporaryFolder(t)
    for (const part of ["src", "services", "boards", "devsconfig.json", "package.json"])
        cpSync(join(projectDir, part), join(project, part), { recursive: true })
    symlinkSync(join(projectDir, "node_modules"), join(project, "node_modules"))
    const devs = join(projectDir, "node_modules/@devicescript/cli/devicescript")
    const tools = spawn(process.execPath, [devs, "--ci", "devtools", "src/main.ts"], {
        cwd: project,
    })
    let said = ""
    tools.stdout.on("data", text => (said += String(text)))
    tools.stderr.on("data", text => (said += String(text)))
    t.after(() => tools.kill("SIGKILL"))
    for (let n = 0; !said.includes("watching"); n++) {
        if (tools.exitCode !== null && /EADDRINUSE|address already/.test(said))
            return t.skip("needs the ports 8081 to 8083 of the developer tools")
        assert.ok(n < 600 && tools.exitCode === null, said)
        await sleep(100)
    }

    const identity = ["--kid", "00000000000000a1", "--secret", "a1".repeat(32)]
    const nobody = ["--router", `coap+tcp://localhost:${await freePort()}`]
    const mote = run(t, ["mote", "--devtools", "--data", project, ...identity, ...nobody])
    await mote.line("mote")

    const socket = connect(debuggerPort, "127.0.0.1")
    t.after(() => socket.destroy())
    const adapter = new Adapter(socket)
    await adapter.request("initialize", {
        adapterID: "devicescript",
        pathFormat: "path",
        linesStartAt1: true,
        columnsStartAt1: true,
    })
    await adapter.request("attach", { deviceId: "00000000000000a1" })
    await adapter.event("initialized")

    const file = join(project, "src/sensing.ts")
    const lines = readFileSync(file, "utf8").split("\n")
    const line = 1 + lines.findIndex(text => text.includes("new Reading()"))
    assert.ok(line > 1)
    const { body } = await adapter.request("setBreakpoints", {
        source: { path: "src/sensing.ts" },
        breakpoints: [{ line }],
    })
    assert.deepEqual(
        body!.breakpoints!.map(({ verified, line }) => [verified, line]),
        [[true, line]],
    )
    await adapter.request("configurationDone")
    await adapter.request("continue", { threadId: 0 })
    const atBreakpoint = async (reason: string) => {
        for (;;) {
            const stopped = await adapter.event("stopped")
            if (stopped.body!.reason === reason) return stopped.body!.threadId!
        }
    }
    const threadId = await atBreakpoint("breakpoint")
    const top = async () =>
        (await adapter.request("stackTrace", { threadId })).body!.stackFrames![0]!
    assert.equal((await top()).line, line)
    assert.match((await top()).source!.path, /sensing\.ts$/)
    await adapter.request("next", { threadId })
    await atBreakpoint("step")
    assert.equal((await top()).line, line + 1, "one step, one line")
})
