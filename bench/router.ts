import { fork, spawn, spawnSync, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import mqttPacket from "mqtt-packet"
import { compiledFile } from "../host/compiled.mjs"
import { encodeFrame, FrameReader } from "../router/coap/frame.ts"
import { Code, codeClass, message } from "../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../router/coap/options.ts"
import { sealEnvelope } from "../wire/envelope.ts"
import { deriveKeys } from "../wire/keys.ts"
import type { Row } from "./row.ts"

export const benchSecret = new Uint8Array(32).fill(1)
/** Number of motes that the server knows. */
export const benchMotes = 1024
export const benchKid = (n: number) => Uint8Array.of(2, 2, 2, 2, 2, 2, n >> 8, n & 255)

/** Connections, messages under way on each, and messages in all. */
const loads = [
    [1, 1, 1_000],
    [10, 32, 20_000],
    [1000, 1, 20_000],
] as const
/** For envelopes of about 130 bytes. */
const plaintextBytes = 80
/** The router has places for 256 strangers of one address. */
const addresses = 8
const ticksPerSecond = 100

/** How a peer talks. */
interface Protocol {
    hello: Uint8Array | undefined
    /** Message number `n` of connection `c`. */
    message(c: number, n: number): Uint8Array
    /** Makes a function that counts the confirmations in what arrives. It throws for a refusal. */
    counter(): (bytes: Uint8Array) => number
}

interface Peer extends Protocol {
    name: string
    port: number
    pid: number
    close(): Promise<void>
}

/**
 * Messages per second and CPU time per message of a router on this machine: request parsed, MAC checked, replay window,
 * committed to disk, receipt created, delivered to a clinic and removed from the outbox. The same run measures a plain TCP echo
 * of as many bytes, and brokers that confirm a PUBLISH with QoS 1 of as many: aedes in memory, and mosquitto with and without
 * persistence if it is installed. The ratios say more than the numbers, which depend on the machine.
 */
export async function bench(): Promise<Row[]> {
    const data = mkdtempSync(join(tmpdir(), "vitalmote-bench-"))
    chmodSync(data, 0o755) // mosquitto changes to another user
    const peers: Peer[] = []
    try {
        peers.push(await forked("router", join(data, "router"), coap()))
        peers.push(await forked("bare TCP echo", "echo", echo()))
        peers.push(await forked("aedes, in memory", "aedes", mqtt()))
        if (mosquittoPath() !== undefined)
            for (const isPersistent of [false, true]) peers.push(await mosquitto(data, isPersistent))
        const rows: Row[] = []
        for (const [connections, window, messages] of loads)
            for (const peer of peers) {
                const { perSecond, cpuUs } = await measure(peer, { connections, window, messages })
                const what = `${peer.name}, ${connections} × ${window} under way`
                rows.push({ what, value: Math.round(perSecond), unit: "messages/s" })
                if (cpuUs !== undefined) rows.push({ what, value: cpuUs, unit: "µs CPU/message" })
            }
        return rows
    } finally {
        for (const peer of peers) await peer.close()
        rmSync(data, { recursive: true, force: true })
    }
}

/** Sends all messages, and waits for their confirmations. */
async function measure(peer: Peer, o: { connections: number; window: number; messages: number }) {
    const each = o.messages / o.connections
    const sockets: Socket[] = []
    for (let c = 0; c < o.connections; c++) sockets.push(await open(peer, c))
    const run = async (from: number, count: number, window: number) => {
        const prepared = sockets.map((_, c) => Array.from({ length: count }, (_, n) => peer.message(c, from + n)))
        const cpuBefore = cpuUsOf(peer.pid)
        const start = performance.now()
        await Promise.all(sockets.map((socket, c) => exchange(socket, peer, prepared[c]!, window)))
        const seconds = (performance.now() - start) / 1000
        const cpuAfter = cpuUsOf(peer.pid)
        const total = count * o.connections
        const cpuUs = cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / total
        return { perSecond: total / seconds, cpuUs }
    }
    const warmUp = Math.ceil(each / 5)
    await run(0, warmUp, 1)
    const result = await run(warmUp, each, o.window)
    for (const socket of sockets) socket.destroy()
    return result
}

/** Keeps `window` messages under way until all have been confirmed. */
function exchange(socket: Socket, peer: Peer, messages: Uint8Array[], window: number): Promise<void> {
    const count = peer.counter()
    return new Promise((resolve, reject) => {
        let sent = 0
        let confirmed = 0
        const fill = () => {
            const from = sent
            while (sent < messages.length && sent - confirmed < window) sent++
            if (sent > from) socket.write(Buffer.concat(messages.slice(from, sent)))
        }
        const closed = () => reject(new Error(`${peer.name} closed a connection`))
        const received = (bytes: Buffer) => {
            try {
                confirmed += count(bytes)
            } catch (error) {
                return reject(error as Error)
            }
            if (confirmed < messages.length) return fill()
            socket.off("data", received).off("close", closed)
            resolve()
            return undefined
        }
        socket.on("data", received).on("close", closed)
        fill()
    })
}

let start = 0

/** Posts envelopes. Each measurement is another start of the motes. */
function coap(): Protocol {
    const options = [...pathOptions("/vitals"), uintOption(OptionNumber.ContentFormat, 17)]
    const plaintext = new Uint8Array(plaintextBytes)
    const motes = Array.from({ length: benchMotes }, (_, n) => ({
        keys: deriveKeys(benchSecret, benchKid(n)),
        boot: 0,
    }))
    return {
        hello: encodeFrame(message(Code.CSM)),
        message: (c, n) => {
            const mote = motes[c]!
            if (n === 0) mote.boot = ++start
            const nonce = { purpose: "vitals" as const, boot: mote.boot, salt: Uint8Array.of(1, 2, 3, 4, 5), seq: n }
            const payload = sealEnvelope({ ...mote.keys, ...nonce, plaintext })
            return encodeFrame(message(Code.POST, { options, payload, token: Uint8Array.of(n & 255) }))
        },
        counter: () => {
            const reader = new FrameReader(8192)
            return bytes => {
                let confirmed = 0
                for (const { code } of reader.push(bytes)) {
                    if (codeClass(code) === 7) continue
                    if (code !== Code.Changed) throw new Error(`the router refused with ${code}`)
                    confirmed++
                }
                return confirmed
            }
        },
    }
}

/** Publishes with QoS 1; a PUBACK has four bytes. */
function mqtt(): Protocol {
    const payload = Buffer.alloc(130)
    const hello = {
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        keepalive: 600,
        clientId: "",
    } as const
    return {
        hello: mqttPacket.generate(hello),
        message: (c, n) => {
            const publish = { cmd: "publish", qos: 1, dup: false, retain: false, topic: `vm/${c}/vitals` } as const
            return mqttPacket.generate({ ...publish, payload, messageId: 1 + (n % 60_000) })
        },
        counter: () => counting(4),
    }
}

function echo(): Protocol {
    const payload = Buffer.alloc(150)
    return { hello: undefined, message: () => payload, counter: () => counting(payload.length) }
}

function counting(size: number): (bytes: Uint8Array) => number {
    let rest = 0
    return ({ length }) => {
        const whole = Math.floor((rest + length) / size)
        rest = (rest + length) % size
        return whole
    }
}

async function open(peer: Peer, c: number): Promise<Socket> {
    const socket = connect({ port: peer.port, host: "127.0.0.1", localAddress: `127.0.0.${2 + (c % addresses)}` })
    await once(socket, "connect")
    socket.setNoDelay(true)
    socket.on("error", () => socket.destroy())
    if (peer.hello) {
        socket.write(peer.hello)
        await once(socket, "data") // its CSM or CONNACK
    }
    return socket
}

async function forked(name: string, what: string, protocol: Protocol): Promise<Peer> {
    const server = fork(await compiledFile("bench/router-server.ts"), [what])
    const { port, coapPort = port } = await new Promise<{ port: number; coapPort?: number }>((resolve, reject) => {
        server.once("message", resolve as (message: unknown) => void)
        server.once("exit", code => reject(new Error(`the server ended with ${code}`)))
    })
    const close = async () => {
        server.disconnect()
        await once(server, "exit")
    }
    return { name, port: coapPort, pid: server.pid!, close, ...protocol }
}

function mosquittoPath(): string | undefined {
    return ["mosquitto", "/usr/sbin/mosquitto"].find(path => spawnSync(path, ["-h"]).error === undefined)
}

async function mosquitto(data: string, isPersistent: boolean): Promise<Peer> {
    const port = await freePort()
    const file = join(data, `mosquitto-${port}.conf`)
    const lines = [`listener ${port} 127.0.0.1`, "allow_anonymous true", `persistence ${isPersistent}`, "log_type none"]
    if (isPersistent) lines.push(`persistence_location ${data}/`, "autosave_interval 1")
    writeFileSync(file, `${lines.join("\n")}\n`)
    const child: ChildProcess = spawn(mosquittoPath()!, ["-c", file], { stdio: "ignore" })
    const close = async () => {
        child.kill()
        if (child.exitCode === null) await once(child, "exit")
    }
    for (let tries = 0; tries < 50 && !(await accepts(port)); tries++)
        await new Promise(resolve => setTimeout(resolve, 100))
    const name = `mosquitto, ${isPersistent ? "with" : "without"} persistence`
    return { name, port, pid: child.pid!, close, ...mqtt() }
}

function accepts(port: number): Promise<boolean> {
    return new Promise(resolve => {
        const socket = connect(port, "127.0.0.1", () => resolve(true))
        socket.once("error", () => resolve(false)).once("connect", () => socket.destroy())
    })
}

async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    server.close()
    return port
}

/** CPU time of a process with its threads so far, in µs; undefined where the system does not say. */
function cpuUsOf(pid: number): number | undefined {
    try {
        const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
            .replace(/^.*\) /, "")
            .split(" ")
        return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6
    } catch {
        return undefined
    }
}
