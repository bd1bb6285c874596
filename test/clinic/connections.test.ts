import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { setImmediate } from "node:timers/promises"
import { connect, type TLSSocket } from "node:tls"
import { connect as connectTcp } from "node:net"
import type { ConnectionLimits } from "../../clinic/http/connections.ts"
import type { ProxyOptions } from "../../clinic/http/proxies.ts"
import { silentLog, type Log } from "../../host/log.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { Service } from "./service.ts"

const roomy: ConnectionLimits = { total: 100, strangers: 50, strangersPerAddress: 20, perAccount: 20, strangerMs: 5000 }

async function start(
    t: TestContext,
    limits: Partial<ConnectionLimits> = {},
    proxies: ProxyOptions = {},
    log = silentLog,
) {
    const clock = new VirtualClock(Date.now())
    const service = await Service.start(clock, { limits: { ...roomy, ...limits }, proxies, log })
    t.after(() => service.close())
    const port = Number(new URL(service.running.url).port)
    return { clock, service, port }
}

class Client {
    readonly socket: TLSSocket
    isClosed = false
    text = ""

    constructor(port: number, localAddress = "127.0.0.1") {
        const socket = connectTcp({ port, host: "127.0.0.1", localAddress })
        socket.on("error", () => {})
        this.socket = connect({ socket, rejectUnauthorized: false })
        this.socket.on("error", () => {})
        this.socket.on("data", (data: Buffer) => (this.text += data.toString()))
        this.socket.on("close", () => (this.isClosed = true))
    }

    async secure(): Promise<this> {
        await until(() => this.isClosed || this.socket.getCipher() !== undefined)
        return this
    }

    async get(path: string, token?: string): Promise<void> {
        this.text = ""
        const authorization = token === undefined ? "" : `authorization: Bearer ${token}\r\n`
        this.socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${authorization}\r\n`)
        await until(() => this.isClosed || this.text.includes("\r\n\r\n"))
    }
}

async function until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
        assert.ok(tries < 200_000, "it never came to that")
        await setImmediate()
    }
}

const opened = async (port: number, count: number, address?: string) => {
    const clients: Client[] = []
    for (let i = 0; i < count; i++) clients.push(await new Client(port, address).secure())
    return clients
}
const open = (clients: Client[]) => clients.map(({ isClosed }) => !isClosed)

test("who says nothing is let go after five seconds, at the handshake too; who is known may stay", async t => {
    const { clock, service, port } = await start(t)
    const [idle, visitor, known] = (await opened(port, 3)) as [Client, Client, Client]
    const bare = connectTcp({ port, host: "127.0.0.1" })
    let isBareClosed = false
    bare.on("close", () => (isBareClosed = true)).on("error", () => {})
    await known.get("/api/me", service.doctor)
    assert.match(known.text, /^HTTP\/1\.1 200/)
    await clock.run(3000)
    await visitor.get("/")
    await clock.run(2500)
    await until(() => idle.isClosed && isBareClosed)
    assert.deepEqual(open([visitor, known]), [true, true])
    await clock.run(3000)
    await until(() => visitor.isClosed)
    await clock.run(60_000)
    await known.get("/api/me", service.doctor)
    assert.match(known.text, /^HTTP\/1\.1 200/)
    known.socket.destroy()
})

test("one address takes its own places only, and gets them back in time", async t => {
    const { clock, service, port } = await start(t, { strangersPerAddress: 4 })
    const known = await new Client(port).secure()
    await known.get("/api/me", service.doctor)
    const flood = await opened(port, 8)
    await until(() => flood.filter(({ isClosed }) => isClosed).length >= 4)
    assert.deepEqual(open(flood), [true, true, true, true, false, false, false, false])
    const neighbour = await new Client(port, "127.0.0.2").secure()
    await neighbour.get("/api/me", service.doctor)
    await known.get("/api/me", service.doctor)
    for (const { text } of [neighbour, known]) assert.match(text, /^HTTP\/1\.1 200/)
    await clock.run(5001)
    await until(() => flood.every(({ isClosed }) => isClosed))
    const later = await new Client(port).secure()
    await later.get("/api/me", service.doctor)
    assert.match(later.text, /^HTTP\/1\.1 200/)
    for (const { socket } of [known, neighbour, later]) socket.destroy()
})

test("where strangers have no room, the address with the most of them loses its newest", async t => {
    const { service, port } = await start(t, { strangers: 4 })
    const flood = await opened(port, 4, "127.0.0.2")
    const other = await new Client(port, "127.0.0.3").secure()
    await until(() => flood.some(({ isClosed }) => isClosed))
    assert.deepEqual(open(flood), [true, true, true, false])
    await other.get("/api/me", service.doctor)
    assert.match(other.text, /^HTTP\/1\.1 200/)
    for (const { socket } of [...flood, other]) socket.destroy()
})

test("an account takes its own places only; who is known stays", async t => {
    const { service, port } = await start(t, { total: 5, perAccount: 3 })
    await service.get("/api/me")
    const known: Client[] = []
    for (const token of [service.doctor, service.doctor, service.router, service.router]) {
        const client = await new Client(port).secure()
        await client.get(token === service.doctor ? "/api/me" : "/ingest/keys", token)
        assert.match(client.text, /^HTTP\/1\.1 200/)
        known.push(client)
    }
    const stranger = await new Client(port).secure()
    await until(() => stranger.isClosed)
    assert.deepEqual(open(known), [true, true, true, true])
    known[3]!.socket.destroy()
    await until(() => known[3]!.isClosed)
    const fourth = await new Client(port).secure()
    await fourth.get("/api/me", service.doctor)
    await until(() => fourth.isClosed)
    assert.deepEqual(open(known), [true, true, true, false])
    for (const { socket } of known) socket.destroy()
})

test("a trusted proxy is not taken for one client", async t => {
    const { port } = await start(t, { strangersPerAddress: 2 }, { trustedProxies: ["127.0.0.4"] })
    const clients = await opened(port, 6, "127.0.0.4")
    assert.deepEqual(open(clients), Array<boolean>(6).fill(true))
    for (const { socket } of clients) socket.destroy()
})

test("strangers who hang up early, or speak something else, are no errors, and at most a line a minute", async t => {
    const lines: string[] = []
    // The end of the audit record is in the log every now and then.
    const note = (level: string) => (_: object, message: string) => {
        if (message !== "audit record") lines.push(`${level}: ${message}`)
    }
    const log: Log = { debug: () => {}, info: note("info"), warn: note("warn"), error: note("error") }
    const { clock, port } = await start(t, { strangersPerAddress: 3 }, {}, log)
    for (let i = 0; i < 5; i++) {
        const garbage = connectTcp({ port, host: "127.0.0.1" })
        garbage.on("error", () => {}).end("GET / HTTP/1.1\r\n\r\n")
        await new Promise(resolve => garbage.once("close", resolve))
        const early = await new Client(port).secure()
        early.socket.write(
            "POST /api/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
        )
        await setImmediate()
        early.socket.destroy()
        await until(() => early.isClosed)
    }
    const idle = await opened(port, 9)
    await clock.run(6000)
    await until(() => idle.every(({ isClosed }) => isClosed))
    assert.deepEqual(lines, ["info: connections cut off"])
    await clock.run(60_000)
    assert.deepEqual(lines, ["info: connections cut off", "info: connections cut off"])
})
