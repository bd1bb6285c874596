// The firmware's MQTT against real brokers with the router behind them: the router's own, and mosquitto.
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { test, type TestContext } from "node:test"
import { setTimeout as wait } from "node:timers/promises"
import { promisify } from "node:util"
import { silentLog } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { MqttClient } from "../../router/mqtt/client.ts"
import { MqttBroker } from "../../router/mqtt/broker.ts"
import { hostNetwork } from "../../sim/mote/host-network.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, eui } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { Mosquitto, needsMosquitto } from "../support/mosquitto.ts"
import { upTo } from "./scripted-router.ts"

/** Sockets are real, so virtual time advances in small steps, each followed by a moment for the broker. */
const stepS = 0.05
const momentMs = 3

/** A mote, and a router on the same virtual clock; the test chooses what is between them. */
class System {
    readonly clock = new VirtualClock()
    readonly kid = randomBytes(8)
    readonly secret = randomBytes(32)
    readonly keys = deriveKeys(this.secret, this.kid)
    readonly clinic = new MemoryClinic({ ...this.keys, config: 1 })
    readonly store = SqliteStore.inMemory()
    readonly panics: number[] = []
    readonly lines: string[] = []
    /** Destination of the mote's connections. */
    connect: () => Promise<ByteStream> = () => Promise.reject(new Error("unreachable"))
    router = this.startRouter()
    private run: ((seconds: number, until?: () => boolean) => Promise<void>) | undefined

    get eui(): string {
        return eui(this.kid)
    }

    get password(): string {
        return Buffer.from(this.keys.mqtt).toString("hex")
    }

    startRouter(): Router {
        const { clock, store, clinic } = this
        this.router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog })
        return this.router
    }

    client(port: number): MqttClient {
        const { ingest, keyring } = this.router
        const client = new MqttClient({
            ...{ clock: this.clock, random: randomBytes, ingest, keyring, log: silentLog },
            access: {
                url: "mosquitto",
                connect: () => hostNetwork("127.0.0.1", port, false),
                ...{ user: "router", password: "secret" },
            },
        })
        keyring.subscribe(eui => client.changed(eui))
        return client
    }

    async startMote(count: number, everyMs: number): Promise<void> {
        const { clock } = this
        const settings = {
            ...{ kid: this.eui, secret: this.secret.toString("hex"), count, everyMs },
            router: "mqtt://router.invalid",
        }
        const { run, mote } = await runProgram("test/src/uplink.ts", {
            ...{ clock, settings },
            connect: () => this.connect(),
            log: line => this.lines.push(line),
            panic: code => this.panics.push(code),
        })
        this.run = run
        this.stopMote = () => mote.stop()
    }

    stopMote: () => void = () => {}

    async pass(seconds: number, until: () => boolean = () => false): Promise<void> {
        for (let s = 0; s < seconds && !until(); s += stepS) {
            await this.run!(stepS)
            await wait(momentMs)
        }
    }

    /** Advances time until this many readings have arrived, and checks that each came once and none is missing. */
    async arrived(count: number): Promise<void> {
        await this.pass(600, () => this.readings().length >= count)
        assert.deepEqual(this.panics, [])
        assert.deepEqual(this.readings(), upTo(count))
        const { stored, duplicate, ...refused } = this.router.ingest.counts
        assert.ok(stored + duplicate > 0)
        assert.ok(
            Object.values(refused).every(n => n === 0),
            JSON.stringify(refused),
        )
    }

    private readings(): number[] {
        const { clinic, keys, clock } = this
        return clinic.stored
            .map(hex => parseEnvelope(Buffer.from(hex, "hex")))
            .flatMap(e => decodePack(openEnvelope(e, keys.upEnc), clock.now()))
            .filter(m => m.name === "hr")
            .map(m => Math.round((m.value - 30) * 10))
            .sort((a, b) => a - b)
    }
}

/** The router's own broker; its connections are in this process. */
async function ownBroker(system: System, t: TestContext) {
    const streams: ByteStream[] = []
    let broker: MqttBroker | undefined
    const start = async () => {
        const { ingest, keyring } = system.router
        broker = new MqttBroker({ clock: system.clock, random: randomBytes, ingest, keyring, log: silentLog })
        keyring.subscribe(eui => broker?.changed(eui))
    }
    const kill = async () => {
        const closing = broker
        broker = undefined
        for (const stream of streams.splice(0)) stream.destroy()
        closing?.close()
    }
    t.after(kill)
    await start()
    system.connect = () => {
        if (!broker) return Promise.reject(new Error("refused"))
        const [near, far] = pipe(system.clock, 10)
        streams.push(far)
        broker.accept(far)
        return Promise.resolve(near)
    }
    return { start, kill, streams, online: () => broker?.online ?? [] }
}

/** mosquitto with the rights in docs/link.md, and the router as its client. */
async function mosquitto(system: System, t: TestContext) {
    const broker = await Mosquitto.start(
        t,
        {
            ...{ name: system.eui, password: system.password },
            rights: [
                "pattern write vm/%u/vitals",
                "pattern write vm/%u/alarms",
                "pattern write vm/%u/status",
                "pattern read vm/%u/receipt",
                "pattern read vm/%u/config",
                "pattern read vm/%u/command/+",
            ],
        },
        { name: "router", password: "secret", rights: ["topic readwrite vm/#"] },
    )
    system.connect = () => hostNetwork("127.0.0.1", broker.port, false)
    let client = system.client(broker.port)
    t.after(() => client.close())
    return {
        broker,
        online: () => client.online,
        /** The router stops, and restarts with its store. */
        stopRouter: () => client.close(),
        startRouter: () => {
            system.startRouter()
            client = system.client(broker.port)
        },
    }
}

const readings = 40

test("through the router's own broker, killed again and again: every reading once", async t => {
    const system = new System()
    const broker = await ownBroker(system, t)
    await system.startMote(60, 500)
    for (let i = 0; i < 5; i++) {
        await system.pass(3 + 0.37 * i)
        await broker.kill()
        await system.pass(0.5 * i)
        await broker.start()
    }
    await system.arrived(60)
    assert.deepEqual(broker.online(), [system.eui])
    for (const stream of broker.streams) stream.destroy()
    await system.pass(0.2)
    assert.deepEqual(broker.online(), [], "the last will is heard")
})

test("through mosquitto: rights as documented, every reading once", needsMosquitto, async t => {
    const system = new System()
    const { broker, online } = await mosquitto(system, t)
    await system.startMote(readings, 300)
    await system.arrived(readings)
    assert.deepEqual(system.lines, [`mote ${system.eui}`, "linked"])
    assert.deepEqual(online(), [system.eui])
    system.stopMote()
    await system.pass(1, () => online().length === 0)
    assert.deepEqual(online(), [])
    const { stdout } = await promisify(execFile)("mosquitto_sub", [
        ...["-h", "127.0.0.1", "-p", String(broker.port), "-u", "router", "-P", "secret"],
        ...["-t", "vm/+/status", "-C", "1", "-W", "5", "-F", "%r %p"],
    ])
    assert.equal(stdout.trim(), "1 offline")
})

test("mosquitto is killed, frozen, started again: every reading once", needsMosquitto, async t => {
    const system = new System()
    const { broker } = await mosquitto(system, t)
    await system.startMote(readings, 500)
    for (let i = 0; i < 3; i++) {
        await system.pass(2.5 + 0.41 * i)
        await broker.kill()
        await system.pass(0.7 * i)
        await broker.start()
        await system.pass(2)
        // A half-open connection: data is sent, but nothing is received.
        broker.freeze()
        await system.pass(12)
        broker.thaw()
    }
    await system.arrived(readings)
})

test("mosquitto acknowledges while the router is away: nothing counts without a receipt", needsMosquitto, async t => {
    const system = new System()
    const { stopRouter, startRouter } = await mosquitto(system, t)
    await system.startMote(readings, 500)
    await system.pass(5)
    stopRouter()
    // What the router has already goes to the clinic.
    await system.pass(2)
    const { length } = system.clinic.stored
    await system.pass(25)
    assert.equal(system.clinic.stored.length, length)
    assert.ok(system.lines.includes("no receipt"), system.lines.join("\n"))
    startRouter()
    await system.arrived(readings)
})

test("a mote with a wrong password is refused by mosquitto", needsMosquitto, async t => {
    const system = new System()
    const { broker } = await mosquitto(system, t)
    const other = new System()
    await other.startMote(3, 500)
    other.connect = () => hostNetwork("127.0.0.1", broker.port, false)
    await other.pass(5, () => other.lines.length > 1)
    assert.match(other.lines.join("\n"), /the broker refuses: [45]/)
})
