import { fork, type ChildProcess } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { realClock } from "../host/clock.ts"
import { compiledFile } from "../host/compiled.mjs"
import { silentLog } from "../host/log.ts"
import { socketStream } from "../host/stream.ts"
import { CoapConnection } from "../router/coap/connection.ts"
import { Code, message } from "../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../router/coap/options.ts"
import { sealEnvelope } from "../wire/envelope.ts"
import { deriveKeys } from "../wire/keys.ts"
import type { Row } from "./row.ts"

export const benchSecret = new Uint8Array(32).fill(1)
/** Number of motes that the server knows. */
export const benchMotes = 4
export const benchKid = (n: number) => Uint8Array.of(2, 2, 2, 2, 2, 2, 2, n)

const measureMs = 2_000
const warmUpMs = 500
const windows = [1, 32]
/** For envelopes of about 200 bytes, as a mote sends them. */
const plaintextBytes = 80

/**
 * Messages per second and CPU time per message of a router on this machine: request parsed, MAC checked, replay window,
 * committed to disk, receipt created, delivered to a clinic and removed from the outbox. The same run measures a plain
 * TCP echo of as many bytes: the ratio says more than the numbers, which depend on the machine.
 */
export async function bench(): Promise<Row[]> {
    const data = mkdtempSync(join(tmpdir(), "vitalmote-bench-"))
    const server = fork(await compiledFile("bench/router-server.ts"), [data])
    try {
        const ports = await answer<{ coapPort: number; echoPort: number }>(server)
        const rows: Row[] = []
        for (const window of windows) {
            const echo = await measure(server, window, await echoClient(ports.echoPort))
            const router = await measure(server, window, await moteClient(ports.coapPort, window))
            const label = `${window} at a time`
            rows.push(
                {
                    what: `router, ${label}`,
                    value: Math.round(router.perSecond),
                    unit: "messages/s",
                },
                { what: `router, ${label}`, value: router.cpuUs, unit: "µs CPU/message" },
                { what: `bare TCP echo, ${label}`, value: Math.round(echo.perSecond), unit: "messages/s" },
                { what: `bare TCP echo, ${label}`, value: echo.cpuUs, unit: "µs CPU/message" },
                {
                    what: `router ÷ echo, ${label}`,
                    value: router.cpuUs / echo.cpuUs,
                    unit: "× CPU",
                },
            )
        }
        return rows
    } finally {
        server.disconnect()
        await new Promise(resolve => server.once("exit", resolve))
        rmSync(data, { recursive: true, force: true })
    }
}

/** Sends one message and resolves when the response arrives. */
interface Client {
    send(): Promise<void>
    close(): void
}

async function measure(server: ChildProcess, window: number, client: Client) {
    await run(client, window, warmUpMs)
    const cpuBefore = await cpuUs(server)
    const start = performance.now()
    const messages = await run(client, window, measureMs)
    const seconds = (performance.now() - start) / 1000
    const used = (await cpuUs(server)) - cpuBefore
    client.close()
    return { perSecond: messages / seconds, cpuUs: used / messages }
}

/** Keeps `window` messages in flight for `ms`. Resolves to the number of responses. */
async function run(client: Client, window: number, ms: number): Promise<number> {
    const until = performance.now() + ms
    let messages = 0
    const worker = async () => {
        for (; performance.now() < until; messages++) await client.send()
    }
    await Promise.all(Array.from({ length: window }, worker))
    return messages
}

let boot = 0

async function moteClient(port: number, window: number): Promise<Client> {
    const keys = deriveKeys(benchSecret, benchKid(0))
    const socket = await open(port)
    const connection = new CoapConnection({
        stream: socketStream(socket),
        clock: realClock,
        random: randomBytes,
        serve: () => message(Code.NotFound),
        log: silentLog,
    })
    connection.start()
    const options = [...pathOptions("/vitals"), uintOption(OptionNumber.ContentFormat, 17)]
    const start = { ...keys, purpose: "vitals" as const, boot: ++boot, salt: randomBytes(5) }
    const plaintext = new Uint8Array(plaintextBytes)
    let seq = 0
    return {
        send: async () => {
            const payload = sealEnvelope({ ...start, seq: seq++, plaintext })
            const response = await connection.request(Code.POST, { options, payload })
            if (response.code !== Code.Changed) throw new Error(`refused with ${response.code}, ${window} at a time`)
        },
        close: () => socket.destroy(),
    }
}

async function echoClient(port: number): Promise<Client> {
    const socket = await open(port)
    const payload = randomBytes(200)
    const waiting: (() => void)[] = []
    let received = 0
    socket.on("data", bytes => {
        for (received += bytes.length; received >= payload.length; received -= payload.length) waiting.shift()!()
    })
    return {
        send: () =>
            new Promise(resolve => {
                waiting.push(resolve)
                socket.write(payload)
            }),
        close: () => socket.destroy(),
    }
}

function open(port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket.setNoDelay(true)))
        socket.once("error", reject)
    })
}

async function cpuUs(server: ChildProcess): Promise<number> {
    server.send("usage")
    return (await answer<{ cpuUs: number }>(server)).cpuUs
}

function answer<T>(server: ChildProcess): Promise<T> {
    return new Promise((resolve, reject) => {
        server.once("message", resolve as (message: unknown) => void)
        server.once("exit", code => reject(new Error(`the server ended with ${code}`)))
    })
}
