import { fork, type ChildProcess } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { realClock } from "../host/clock.ts"
import { compiledFile } from "../host/compiled.mjs"
import { silentLog } from "../host/log.ts"
import { socketStream } from "../host/stream.ts"
import { CoapConnection } from "../router/coap/connection.ts"
import { Code, message } from "../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../router/coap/options.ts"
import { sealEnvelope } from "../wire/envelope.ts"
import { deriveKeys } from "../wire/keys.ts"
import { benchKid, benchSecret } from "./router/motes.ts"
import type { Row } from "./row.ts"

/** Descriptions of the attacks by their names in bench/hostile-flood.ts. */
const floods: Record<string, string> = {
    connections: "1,030 silent connections to CoAP's port",
    "mqtt-connections": "1,030 silent connections to MQTT's port",
    garbage: "malformed envelopes, on 8 connections",
    options: "8 KB frames of 8,000 empty options, on 8 connections",
    replays: "one replayed envelope, on 8 connections",
    places: "one mote with an envelope on each of 1,024 connections",
    envelopes: "one mote's 4 KB envelopes, as fast as they are taken",
    subscriptions: "one mote's MQTT subscriptions, 100 in a packet",
    datagrams: "CoAP requests over UDP from one address",
}
const settleMs = 1_000
const measureMs = 3_000
const everyMs = 50
/** A mote without a receipt after this time counts as not served. */
const patienceMs = 10_000

/**
 * Time in ms that a known mote waits for its receipt during an attack, compared with the same time without one, and
 * whether a reconnecting mote is admitted. The router and the attacker run in processes of their own; all share this
 * machine's cores.
 */
export async function bench(): Promise<Row[]> {
    const rows: Row[] = []
    for (const kind of [undefined, ...Object.keys(floods)]) {
        const data = mkdtempSync(join(tmpdir(), "vitalmote-hostile-"))
        const server = await start("router/server.ts", data, "bounded")
        try {
            const ports = await answer<{ coapPort: number; mqttPort: number }>(server)
            rows.push(await measure(kind, server, ports))
        } finally {
            server.kill("SIGKILL")
            rmSync(data, { recursive: true, force: true })
        }
    }
    return rows
}

async function measure(
    kind: string | undefined,
    server: ChildProcess,
    { coapPort, mqttPort }: { coapPort: number; mqttPort: number },
): Promise<Row> {
    const known = await Mote.connect(0, coapPort)
    await known.send()
    const attacker =
        kind === undefined ? undefined : await start("hostile-flood.ts", kind, `${coapPort}`, `${mqttPort}`)
    let attempts = 0
    attacker?.on("message", count => (attempts = count as number))
    try {
        while (attacker && attempts === 0) await sleep(everyMs)
        await sleep(settleMs)
        const waits: number[] = []
        const until = performance.now() + measureMs
        while (performance.now() < until) {
            waits.push(await known.send())
            await sleep(everyMs)
        }
        const comesAnew = performance.now()
        const newcomer = await Mote.connect(1, coapPort)
        const first = await newcomer.send()
        const newMs = Number.isFinite(first) ? `${Math.round(performance.now() - comesAnew)} ms` : "not admitted"
        newcomer.close()
        server.send("usage")
        const { rss } = await answer<{ rss: number }>(server)
        waits.sort((a, b) => a - b)
        const at = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]!
        const did = kind === undefined ? "" : `, ${attempts} by the attacker`
        return {
            what: kind === undefined ? "no attack" : floods[kind]!,
            value: at(0.5),
            unit: "ms",
            note: `95 %: ${at(0.95).toFixed(1)} ms, a new mote: ${newMs}, router: ${Math.round(rss / 2 ** 20)} MiB${did}`,
        }
    } finally {
        attacker?.kill("SIGKILL")
        known.close()
    }
}

let boot = 0

/** A mote on its own connection. */
class Mote {
    private readonly connection: CoapConnection
    private readonly socket: Socket
    private readonly start: { boot: number; salt: Uint8Array } & ReturnType<typeof deriveKeys>
    private seq = 0

    private constructor(n: number, socket: Socket) {
        this.socket = socket
        this.start = { ...deriveKeys(benchSecret, benchKid(n)), boot: ++boot, salt: randomBytes(5) }
        this.connection = new CoapConnection({
            ...{ stream: socketStream(socket), clock: realClock, random: randomBytes, log: silentLog },
            serve: () => message(Code.NotFound),
        })
        this.connection.start()
    }

    static connect(n: number, port: number): Promise<Mote> {
        return new Promise((resolve, reject) => {
            const socket = connect(port, "127.0.0.1", () => resolve(new Mote(n, socket)))
            socket.once("error", reject)
        })
    }

    /** Milliseconds until the receipt arrives; infinite if it does not. */
    async send(): Promise<number> {
        const { start } = this
        const plaintext = new Uint8Array(80)
        const payload = sealEnvelope({ ...start, purpose: "vitals", seq: this.seq++, plaintext })
        const options = [...pathOptions("/vitals"), uintOption(OptionNumber.ContentFormat, 17)]
        const began = performance.now()
        const late = sleep(patienceMs).then(() => undefined)
        const asked = this.connection.request(Code.POST, { options, payload }).catch(() => undefined)
        const response = await Promise.race([asked, late])
        return response?.code === Code.Changed ? performance.now() - began : Infinity
    }

    close(): void {
        this.socket.destroy()
    }
}

async function start(script: string, ...args: string[]): Promise<ChildProcess> {
    return fork(await compiledFile(`bench/${script}`), args, { execArgv: ["--max-old-space-size=160"] })
}

function answer<T>(child: ChildProcess): Promise<T> {
    return new Promise((resolve, reject) => {
        child.once("message", resolve as (message: unknown) => void)
        child.once("exit", code => reject(new Error(`the router ended with ${code}`)))
    })
}
