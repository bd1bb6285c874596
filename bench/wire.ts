import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { silentLog } from "../host/log.ts"
import type { ByteStream } from "../host/stream.ts"
import { Router, SqliteStore } from "../router/index.ts"
import { MqttBroker } from "../router/mqtt/broker.ts"
import { pipe, runProgram, VirtualClock } from "../sim/index.ts"
import { deriveKeys, eui } from "../wire/keys.ts"
import { jsonOverHttps, jsonOverMqtt, type Peer } from "./peers.ts"
import type { Row } from "./row.ts"

const batches = [1, 5, 30]
const messages = 8
const firstMs = Date.UTC(2026, 0, 1)

/**
 * TCP payload per reading in both directions on an established connection: from the firmware in the VM to the router
 * and back with its receipt, compared with the same readings as JSON over MQTT and HTTPS.
 */
export async function wireRows(): Promise<Row[]> {
    const folder = mkdtempSync(join(tmpdir(), "vitalmote-bench-"))
    const kid = randomBytes(8)
    const token = randomBytes(32).toString("base64url")
    try {
        const rows: Row[] = []
        for (const readings of batches) {
            const ours = {
                CoAP: await moteBytes("coap+tcp", readings),
                MQTT: await moteBytes("mqtt", readings),
            }
            const peers: [string, Peer][] = [
                ["MQTT", await jsonOverMqtt(eui(kid), randomBytes(32).toString("hex"))],
                ["HTTPS", await jsonOverHttps(folder, token, true)],
                ["HTTPS, a connection each", await jsonOverHttps(folder, token, false)],
            ]
            const row = (what: string, bytes: number, note: string) =>
                rows.push({ what: `${readings} a message: ${what}`, value: bytes, unit: "bytes/reading", note })
            row("sealed, CoAP", ours.CoAP, "request, response with receipt")
            row("sealed, MQTT", ours.MQTT, "PUBLISH, PUBACK, receipt")
            for (const [name, peer] of peers) {
                const bytes = await jsonBytes(peer, kid, readings)
                const [coap, mqtt] = [bytes / ours.CoAP, bytes / ours.MQTT]
                const note = `${coap.toFixed(1)} × sealed by CoAP, ${mqtt.toFixed(1)} × by MQTT`
                row(`JSON, ${name}`, bytes, note)
            }
        }
        return rows
    } finally {
        rmSync(folder, { recursive: true, force: true })
    }
}

/** Mean bytes per reading of the firmware, once it is connected. */
async function moteBytes(scheme: "coap+tcp" | "mqtt", readings: number): Promise<number> {
    const clock = new VirtualClock()
    const [kid, secret] = [randomBytes(8), randomBytes(32)]
    const store = SqliteStore.inMemory()
    const router = new Router({
        ...{ clock, random: randomBytes, store, log: silentLog },
        clinic: {
            keysOf: () => Promise.resolve([]),
            deliver: batch => Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" }))),
            keys: () => Promise.resolve([{ ...deriveKeys(secret, kid), config: 0 }]),
        },
    })
    const { ingest, keyring } = router
    const broker = new MqttBroker({ clock, random: randomBytes, ingest, keyring, log: silentLog })
    const server = scheme === "mqtt" ? broker : router
    let bytes = 0
    let before = 0
    const lines: string[] = []
    const { run, mote } = await runProgram("bench/src/wire.ts", {
        clock,
        settings: {
            ...{ kid: eui(kid), secret: secret.toString("hex"), readings, messages },
            router: `${scheme}://router.invalid`,
        },
        connect: () => {
            const [near, far] = pipe(clock)
            server.accept(counted(far, size => (bytes += size)))
            return Promise.resolve(near)
        },
        log: line => {
            lines.push(line)
            if (line === "begin") before = bytes
        },
    })
    // The broker has its own callbacks, so each step of virtual time is followed by a moment of real time.
    for (let i = 0; i < 1000 && lines.at(-1) !== "end"; i++) {
        await run(0.02)
        await wait(1)
    }
    mote.stop()
    const sent = lines.filter(line => line.startsWith("sent")).length
    broker.close()
    await router.close()
    store.close()
    if (sent !== messages) throw new Error(`${scheme}: ${lines.join("; ")}`)
    return (bytes - before) / (messages * readings)
}

/** The same stream; `count` is called with the size of each piece. */
function counted(stream: ByteStream, count: (size: number) => void): ByteStream {
    return {
        get peer() {
            return stream.peer
        },
        get backlog() {
            return stream.backlog
        },
        write: bytes => {
            count(bytes.length)
            stream.write(bytes)
        },
        end: () => stream.end(),
        destroy: () => stream.destroy(),
        listen: receiver =>
            stream.listen({
                data: bytes => {
                    count(bytes.length)
                    receiver.data(bytes)
                },
                closed: () => receiver.closed(),
            }),
    }
}

async function jsonBytes(peer: Peer, kid: Uint8Array, readings: number): Promise<number> {
    try {
        await peer.send(json(kid, 0, readings)) // the first message includes the handshake and session tickets
        const before = peer.bytes()
        for (let i = 1; i <= messages; i++) await peer.send(json(kid, i, readings))
        return (peer.bytes() - before) / (messages * readings)
    } finally {
        await peer.close()
    }
}

/** The readings of `bench/src/wire.ts` in a typical application format. */
function json(kid: Uint8Array, message: number, readings: number): string {
    const list = Array.from({ length: readings }, (_, i) => ({
        time: new Date(firstMs + 2000 * (message * readings + i)).toISOString(),
        heartRate: Number((71.2 + i / 10).toFixed(1)),
        quality: 0.9,
        temperature: Number((36.6 + i / 100).toFixed(2)),
    }))
    return JSON.stringify({ device: eui(kid), readings: list })
}
