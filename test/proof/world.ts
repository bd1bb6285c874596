import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Clock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { MqttBroker } from "../../router/mqtt/broker.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { seededBytes } from "../../sim/time/random.ts"
import { decodeAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, eui, type MoteKeys, type RouterKeys } from "../../wire/keys.ts"
import { decodePack, type Measurement } from "../../wire/pack.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { holdCommits } from "../support/held-commits.ts"

const mqttPort = 1883

/** What the clinic has of one envelope. */
export interface Arrived {
    boot: number
    seq: number
    purpose: "vitals" | "alarm"
    measurements: Measurement[]
    alarms: AlarmEvent[]
}

/** A router with its store on disk and a clinic, in virtual time, for one mote that they know. */
export class World {
    readonly clock = new VirtualClock()
    readonly clinic = new MemoryClinic()
    readonly kid: Uint8Array
    readonly secret: Uint8Array
    readonly keys: MoteKeys
    readonly known: RouterKeys
    readonly random: (size: number) => Uint8Array
    router: Router | undefined
    private broker: MqttBroker | undefined
    private readonly purposes = new Map<string, "vitals" | "alarm">()
    private readonly data = mkdtempSync(join(tmpdir(), "vitalmote-"))
    private store: SqliteStore | undefined
    private streams: ByteStream[] = []

    constructor(seed: number) {
        this.random = seededBytes(seed, "world")
        this.kid = this.random(8)
        this.secret = this.random(32)
        this.keys = deriveKeys(this.secret, this.kid)
        this.known = { ...this.keys, config: 0 }
        this.clinic.routerKeys.push(this.known)
        this.clinic.answer = batch => {
            for (const { envelope, purpose } of batch) this.purposes.set(Buffer.from(envelope).toString("hex"), purpose)
            return this.clinic.store(batch)
        }
        this.startRouter()
    }

    /** The settings that a mote of this world is provisioned with. */
    get settings(): Record<string, unknown> {
        const { kid, secret } = this
        const router = "coap+tcp://router.invalid"
        return { kid: eui(kid), secret: Buffer.from(secret).toString("hex"), router }
    }

    startRouter(): void {
        const { clinic, clock, random } = this
        const store = SqliteStore.open(this.data)
        holdCommits(store, clock)
        const isAlive = () => this.store === store
        // What is killed does nothing any more.
        const mortal: Clock = {
            now: () => clock.now(),
            setTimeout: (fn, ms) => clock.setTimeout(() => isAlive() && fn(), ms),
            clearTimeout: timer => clock.clearTimeout(timer),
        }
        this.store = store
        this.router = new Router({
            clock: mortal,
            random,
            store,
            clinic,
            log: silentLog,
            attach: [parts => (this.broker = new MqttBroker(parts))],
        })
    }

    /** The network fails for a moment. */
    breakConnections(): void {
        for (const stream of this.streams.splice(0)) stream.destroy()
    }

    /** As by `kill -9`. */
    killRouter(): void {
        const { store } = this
        this.router = this.store = undefined
        this.breakConnections()
        store?.close()
    }

    close(): void {
        this.killRouter()
        rmSync(this.data, { recursive: true, force: true })
    }

    /** A connection to the router; rejects where it is down. */
    readonly connect = (_host?: string, port?: number): Promise<ByteStream> => {
        if (!this.router || !this.broker) return Promise.reject(new Error("refused"))
        const [near, far] = pipe(this.clock, 10)
        this.streams.push(far)
        if (port === mqttPort) this.broker.accept(far)
        else this.router.accept(far)
        return Promise.resolve(near)
    }

    /** All that the clinic has, in the order in which it came. */
    arrived(): Arrived[] {
        return this.clinic.stored.map(hex => {
            const envelope = parseEnvelope(Buffer.from(hex, "hex"))
            const { boot, seq } = envelope
            const plaintext = openEnvelope(envelope, this.keys.upEnc)
            const now = this.clock.now()
            const purpose = this.purposes.get(hex)!
            const isAlarm = purpose === "alarm"
            const alarms = isAlarm ? decodeAlarms(plaintext, now) : []
            return { boot, seq, purpose, alarms, measurements: isAlarm ? [] : decodePack(plaintext, now) }
        })
    }

    /** What the clinic knows of alarms. */
    alarms(): AlarmEvent[] {
        return this.arrived().flatMap(({ alarms }) => alarms)
    }
}

/** Sees to it that no nonce is ever used for two envelopes, whatever becomes of them. */
export class NonceWatch {
    private readonly byNonce = new Map<string, string>()

    /** @param envelope as it was sent, whole */
    sent(envelope: Uint8Array): void {
        const nonce = Buffer.from(parseEnvelope(envelope).nonce).toString("hex")
        const hex = Buffer.from(envelope).toString("hex")
        assert.equal(this.byNonce.get(nonce) ?? hex, hex, "a nonce was used twice")
        this.byNonce.set(nonce, hex)
    }

    get count(): number {
        return this.byNonce.size
    }
}
