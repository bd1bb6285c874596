import assert from "node:assert/strict"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore, type ClinicLink } from "../../router/index.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { conditionNames, illBody, type Body, type ConditionName } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { memoryFlash } from "../../sim/mote/program.ts"
import { Mote } from "../../sim/mote/mote.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { seededBytes } from "../../sim/time/random.ts"
import { decodeAlarms } from "../../wire/alarms.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import { longTest } from "../support/long.ts"

interface Raised {
    kind: string
    /** Seconds since the mote got power. */
    at: number
    value: number | null
    /** Undefined where it goes on to the end. */
    over?: number
}

/** What the firmware sends of a wearer in so many seconds: its alarms, and its rates. */
async function watched(body: Body, seconds: number) {
    const clock = new VirtualClock()
    const poweredAt = clock.now()
    const random = seededBytes(1, "wearer")
    const kid = Buffer.from("0011223344556677", "hex")
    const secret = Buffer.from(random(32))
    const keys = deriveKeys(secret, kid)
    const alarms = new Map<string, Raised>()
    const rates: { at: number; bpm: number }[] = []
    const clinic: ClinicLink = {
        keys: () => Promise.resolve([{ ...keys, config: 0 }]),
        keysOf: () => Promise.resolve([]),
        deliver: batch => {
            for (const { envelope, receivedAt } of batch) {
                const parsed = parseEnvelope(envelope)
                const plaintext = openEnvelope(parsed, keys.upEnc)
                const isAlarm = parsed.purpose === "alarm"
                for (const { kind, id, raised, time, value } of isAlarm ? decodeAlarms(plaintext, receivedAt) : []) {
                    const at = (time - poweredAt) / 1000
                    const key = `${kind} ${id}`
                    if (raised) alarms.set(key, { kind, at, value })
                    else if (alarms.has(key)) alarms.get(key)!.over = at
                }
                for (const { name, time, value } of isAlarm ? [] : decodePack(plaintext, receivedAt))
                    if (name === "hr") rates.push({ at: (time - poweredAt) / 1000, bpm: value })
            }
            return Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" as const })))
        },
    }
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random, store, clinic, log: silentLog })
    const mote = await Mote.start({
        clock,
        random,
        image: await buildFirmware(),
        flash: memoryFlash(),
        settings: {
            kid: kid.toString("hex"),
            secret: secret.toString("hex"),
            router: "coap+tcp://router.invalid:5683",
        },
        chips: wearableChips(clock, body),
        connect: () => {
            const [moteEnd, routerEnd] = pipe(clock)
            router.accept(routerEnd)
            return Promise.resolve(moteEnd)
        },
    })
    await clock.run(seconds * 1000)
    mote.stop()
    const closed = router.close()
    await clock.run(10_000)
    await closed
    store.close()
    return { alarms: [...alarms.values()], rates }
}

/** Of a rate, and what it may rest upon from before. */
const windowS = 20

/** Whether the wearer moves in these seconds: an arm that lies still feels 1 g. */
function moves(body: Body, fromS: number, toS: number): boolean {
    for (let s = fromS; s < toS; s += 0.1) if (Math.abs(Math.hypot(...body.acceleration!(s)) - 1) > 0.02) return true
    return false
}

interface Expected {
    /** How long the course takes, and how long it is watched. */
    courseS: number
    watchS: number
    /** When the first of each kind is raised; those that end by themselves, when. */
    alarms: Record<string, { raised: [fromS: number, toS: number]; over?: [fromS: number, toS: number] }>
}

/**
 * What happens to a wearer, and what the mote says of it. A rate that jumps is believed after some 20 s: until then it
 * might be movement. A temperature that changes by more than 4 °C an hour has no value until it has settled.
 */
const expected: Record<ConditionName, Expected> = {
    // 39.6 °C from second 750 on, above the limit of 38.5 °C from second 540 on.
    fever: { courseS: 2400, watchS: 1200, alarms: { "temp-high": { raised: [540, 1100] } } },
    tachycardia: {
        ...{ courseS: 480, watchS: 600 },
        alarms: { "hr-high": { raised: [96, 240], over: [384, 590] } },
    },
    bradycardia: { courseS: 300, watchS: 200, alarms: { "hr-low": { raised: [70, 150] } } },
    hypoxia: { courseS: 480, watchS: 360, alarms: { "spo2-low": { raised: [60, 300] } } },
    sepsis: {
        ...{ courseS: 2400, watchS: 2400 },
        alarms: {
            "temp-high": { raised: [1000, 2200] },
            "hr-high": { raised: [1200, 2300] },
            "spo2-low": { raised: [800, 2300] },
        },
    },
    arrest: {
        ...{ courseS: 600, watchS: 600 },
        alarms: {
            "spo2-low": { raised: [100, 450] },
            "hr-high": { raised: [200, 450], over: [490, 560] },
            "hr-low": { raised: [490, 580] },
        },
    },
    apnoea: { courseS: 360, watchS: 360, alarms: { "spo2-low": { raised: [60, 360] } } },
    restless: { courseS: 28_800, watchS: 600, alarms: {} },
    off: { courseS: 300, watchS: 300, alarms: { contact: { raised: [60, 90], over: [240, 280] } } },
    flat: { courseS: 300, watchS: 240, alarms: {} },
}

/** They take twenty minutes of virtual time or more, or raise nothing. */
const slow: ConditionName[] = ["fever", "sepsis", "restless"]

for (const name of conditionNames) {
    const whenAsked = slow.includes(name) ? longTest : test
    whenAsked(`wearer ${name}: the mote raises what it should, when it should, and nothing else`, async () => {
        const { courseS, watchS, alarms } = expected[name]
        const body = illBody(name, 3, courseS)
        const found = await watched(body, watchS)
        const all = JSON.stringify(found.alarms)
        assert.deepEqual(new Set(found.alarms.map(({ kind }) => kind)), new Set(Object.keys(alarms)), all)
        for (const [kind, { raised, over }] of Object.entries(alarms)) {
            const first = found.alarms.find(one => one.kind === kind)!
            assert.ok(first.at >= raised[0] && first.at <= raised[1], all)
            if (over) assert.ok(first.over !== undefined && first.over >= over[0] && first.over <= over[1], all)
        }
        // Without a pulse there is no rate, but for what somebody's movements look like.
        const noPulseFromS = { arrest: 0.97 * courseS, flat: 0.25 * courseS }[name as string] ?? Infinity
        const invented = found.rates.filter(({ at }) => at > noPulseFromS && !moves(body, at - windowS, at))
        assert.deepEqual(invented, [])
        if (name === "restless") for (const { bpm } of found.rates) assert.ok(bpm > 50 && bpm < 110, `${bpm}`)
    })
}
