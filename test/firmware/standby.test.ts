import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test, type TestContext } from "node:test"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { syntheticBody } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { Max30102 } from "../../sim/devices/max30102.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { decodeAlarms } from "../../wire/alarms.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, eui } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"

const standby = 2
const everyS = 120

/** A mote in standby between measurements, and a router. */
async function start(t: TestContext, settings: Record<string, unknown> = {}) {
    const clock = new VirtualClock()
    const secret = randomBytes(32)
    const keys = deriveKeys(secret, randomBytes(8))
    const clinic = new MemoryClinic({ ...keys, config: 0 })
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog })
    const network = { isUp: true, connections: 0 }
    const body = syntheticBody({ seed: 1, bpm: 72, spo2: 97 })
    const chips = wearableChips(clock, body)
    const standbys: number[] = []
    const lines: string[] = []
    let isAsleep = false
    const all: Record<string, unknown> = {
        ...{ kid: eui(keys.kid), secret: secret.toString("hex"), power: standby, every: everyS },
        ...{ router: "coap+tcp://router.invalid", batteryV: 6.6, ...settings },
    }
    const { mote, run, panics } = await runProgram("test/src/standby.ts", {
        ...{ clock, chips, settings: all },
        batteryPin: () => 3.87 / 6.6,
        connect: () => {
            if (!network.isUp || isAsleep) return Promise.reject(new Error("unreachable"))
            network.connections++
            const [near, far] = pipe(clock)
            router.accept(far)
            return Promise.resolve(near)
        },
        log: line => {
            const [, ms] = /^standby (\d+)$/.exec(line) ?? []
            if (ms === undefined) return void lines.push(line)
            standbys.push(Number(ms))
            clock.setTimeout(() => {
                isAsleep = true
                mote.stop()
                clock.setTimeout(() => {
                    isAsleep = false
                    void mote.powerUp()
                }, Number(ms))
            }, 0)
        },
    })
    t.after(async () => {
        mote.stop()
        const closed = router.close()
        await clock.run(10_000)
        await closed
        store.close()
    })
    const envelopes = () =>
        clinic.stored.map(hex => {
            const envelope = parseEnvelope(Buffer.from(hex, "hex"))
            const { purpose, boot } = envelope
            const plaintext = openEnvelope(envelope, keys.upEnc)
            const isAlarm = purpose === "alarm"
            const alarms = isAlarm ? decodeAlarms(plaintext, clock.now()) : []
            return { purpose, boot, alarms, values: isAlarm ? [] : decodePack(plaintext, clock.now()) }
        })
    const optical = chips[0] as Max30102
    /** Runs until it has been in standby this many times. */
    const cycles = async (count: number) => {
        await run(3 * everyS, () => standbys.length >= count)
        assert.equal(standbys.length, count, lines.join("\n"))
        await run(1)
    }
    return { cycles, run, panics, network, standbys, lines, envelopes, optical, settings: all }
}

test("standby: one start per measurement, and everything measured is sent before it sleeps", async t => {
    const { cycles, run, panics, standbys, envelopes, optical, lines } = await start(t)
    await run(5 * everyS)
    assert.ok(standbys.length >= 4 && standbys.length <= 5, lines.join("\n"))
    for (const ms of standbys) assert.ok(ms > (everyS - 75) * 1000 && ms < everyS * 1000, `${ms}`)
    const boots = new Set(envelopes().map(({ boot }) => boot))
    assert.deepEqual([...boots].slice(0, 4), [1, 2, 3, 4])
    for (const boot of [1, 2, 3, 4]) {
        const own = envelopes().filter(envelope => envelope.boot === boot)
        const values = own.flatMap(({ values }) => values)
        const of = (name: string) => values.filter(each => each.name === name).map(v => v.value)
        assert.equal(of("hr").length, 1)
        assert.ok(Math.abs(of("hr")[0]! - 72) < 4)
        assert.ok(Math.abs(of("temp")[0]! - 36.7) < 0.3)
        assert.ok(Math.abs(of("spo2")[0]! - 97) <= 2)
        assert.deepEqual(of("batt"), [60])
    }
    // While powering down: no alarm about contact, sensors or anything else.
    assert.deepEqual([...new Set(envelopes().map(({ purpose }) => purpose))], ["vitals"])
    await cycles(standbys.length + 1)
    const charge = optical.ledCharge()
    await run(30)
    assert.equal(optical.ledCharge(), charge)
    assert.deepEqual(panics, [])
})

test("standby: data without a receipt keeps it awake and measuring until it has arrived", async t => {
    const { run, network, standbys, envelopes, lines } = await start(t)
    network.isUp = false
    await run(4 * everyS)
    assert.deepEqual(standbys, [])
    assert.ok(lines.includes("no standby: readings wait"), lines.join("\n"))
    network.isUp = true
    await run(2 * everyS)
    assert.ok(standbys.length >= 1, lines.join("\n"))
    const rates = envelopes().flatMap(({ boot, values }) =>
        boot === 1 ? values.filter(({ name }) => name === "hr") : [],
    )
    assert.ok(rates.length >= 4 && rates.length <= 6, `${rates.length} measurements of that start`)
})

test("standby: an alarm is raised within a measurement, and cleared in a later one", async t => {
    const { cycles, settings, envelopes, lines } = await start(t, { hrHigh: 60 })
    const alarms = () =>
        envelopes()
            .flatMap(({ alarms }) => alarms.filter(({ kind }) => kind === "hr-high"))
            .map(({ raised }) => (raised ? 1 : 0))
    await cycles(1)
    assert.deepEqual(alarms(), [1], lines.join("\n"))
    await cycles(2)
    assert.deepEqual(alarms(), [1], "told once")
    settings.hrHigh = 130
    await cycles(3)
    assert.deepEqual(alarms(), [1, 0])
})

test("standby on a board without it: it logs that, the sensors rest and the link stays", async t => {
    const { run, network, standbys, envelopes, lines } = await start(t, { canStandby: false })
    await run(3 * everyS)
    assert.deepEqual(standbys, [])
    const said = lines.filter(line => /no standby on this board/.test(line))
    assert.equal(said.length, 1, lines.join("\n"))
    const rates = envelopes().flatMap(({ values }) => values.filter(({ name }) => name === "hr"))
    assert.equal(rates.length, 3)
    assert.equal(network.connections, 1)
})
