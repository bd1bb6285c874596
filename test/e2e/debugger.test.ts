import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { test } from "node:test"
import { run } from "./command.ts"
import { Devtools, devtoolsPorts } from "./devtools.ts"
import { freePort } from "./ports.ts"

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
                this.messages.push(JSON.parse(this.pending.toString("utf8", head[0].length, end)) as Message)
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
    const devtools = await Devtools.start(t)
    if (!devtools) return
    const { project } = devtools

    const identity = ["--kid", "00000000000000a1", "--secret", "a1".repeat(32)]
    const nobody = ["--router", `coap+tcp://localhost:${await freePort()}`]
    const mote = run(t, ["mote", "--devtools", "--data", project, ...identity, ...nobody])
    await mote.line("mote")

    const socket = connect(devtoolsPorts.debugger, "127.0.0.1")
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

    const file = join(project, "src/sensing/sensing.ts")
    const lines = readFileSync(file, "utf8").split("\n")
    const line = 1 + lines.findIndex(text => text.includes("new Reading()"))
    assert.ok(line > 1)
    const { body } = await adapter.request("setBreakpoints", {
        source: { path: "src/sensing/sensing.ts" },
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
    const top = async () => (await adapter.request("stackTrace", { threadId })).body!.stackFrames![0]!
    assert.equal((await top()).line, line)
    assert.match((await top()).source!.path, /sensing\.ts$/)
    await adapter.request("next", { threadId })
    await atBreakpoint("step")
    assert.equal((await top()).line, line + 1, "one step, one line")
})
