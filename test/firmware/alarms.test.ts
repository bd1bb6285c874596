import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { memoryFlash } from "../../sim/mote/program.ts"
import type { MoteOptions } from "../../sim/mote/mote.ts"
import { alarmKinds, alarmUnit, type AlarmKind } from "../../wire/tables/alarm-kinds.ts"
import { decodeAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { openChannel } from "./channel.ts"
import { runs } from "../support/long.ts"

const startMs = Date.UTC(2026, 0, 1)
/** Arrival time of a pack, later than any of its times. */
const arrivalMs = startMs + 1e9
const readingS = 2
const delayS = 10

/** A reading; an absent number or contact is undefined. */
interface Values {
    bpm?: number
    tempC?: number
    battery?: number
    spo2?: number
    /** Default: true. */
    optical?: boolean
    contact?: boolean
    thermometer?: boolean
}
const calmValues: Values = { bpm: 70, tempC: 36.6, battery: 80, spo2: 97 }

/** The alarms of a mote; the test takes the place of both its sensors and its router. */
async function start(options: Partial<MoteOptions> = {}) {
    const channel = await openChannel("test/src/alarms.ts", options)
    /** Time of the newest reading in seconds since the program started. */
    let second = 0
    const ask = (question: object) => channel.ask(Buffer.from(JSON.stringify(question)))
    const pack = async (): Promise<AlarmEvent[]> => {
        const answer = await ask({ pack: true })
        return answer.length === 1 ? [] : decodeAlarms(answer, arrivalMs)
    }
    return {
        ...channel,
        powerUp: () => {
            second = 0
            return channel.powerUp()
        },
        ask,
        pack,
        receipted: () => ask({ receipted: true }),
        /** Sets the clock so that `millis()` 0 is approximately Unix time `startMs`. */
        setClock: () => ask({ receipt: startMs }),
        /** Sends one reading every 2 s until `seconds` have passed. @returns the second of the last */
        async feed(seconds: number, values: Values): Promise<number> {
            for (const end = second + seconds; second < end;) {
                second += readingS
                await channel.run(readingS)
                await ask({ readings: [[second * 1000, { ...calmValues, ...values }]] })
            }
            return second
        },
        /** All packs, each with its receipt. */
        async deliver(): Promise<AlarmEvent[]> {
            const events: AlarmEvent[] = []
            for (let more; (more = await pack()).length > 0;) {
                events.push(...more)
                await ask({ receipted: true })
            }
            return events
        },
    }
}

const brief = (events: AlarmEvent[]) => events.map(e => `${e.kind} ${e.raised ? 1 : 0}`)

/** For a kind in the host's table: a value that raises it, one between the limits, and one that clears it. */
function valuesOf(name: string, { cause }: AlarmKind): [Values, Values | undefined, Values, number | null] {
    if (!("quantity" in cause)) return [{ [name]: false }, undefined, {}, null]
    const field = { hr: "bpm", temp: "tempC", batt: "battery", spo2: "spo2" }[cause.quantity as string]!
    const limit = typeof cause.limit === "number" ? cause.limit : defaultConfig[cause.limit]
    const outwards = cause.side === "low" ? -1 : 1
    const at = (distance: number) => ({ [field]: limit + outwards * distance })
    // A power of two, because the mote compares binary fractions.
    const within = Math.ceil(cause.hysteresis * 32) / 32
    return [at(1), at(1 / 16 - within), at(-within), limit + outwards]
}

const moteKinds = Object.entries<AlarmKind>(alarmKinds).filter(([, { raisedBy }]) => raisedBy === "mote")

test("each kind is raised after its delay and cleared when it is well within the limit for as long", async () => {
    const { feed, deliver, setClock } = await start()
    await setClock()
    for (const [kind, described] of moteKinds) {
        const [bad, between, good, value] = valuesOf(kind, described)
        await feed(20, {})
        // The delay begins with the first reading beyond the limit.
        const badS = (await feed(delayS, bad)) - delayS + readingS
        assert.deepEqual(await deliver(), [], kind)
        assert.equal(await feed(readingS, bad), badS + delayS)
        const [raised, ...more] = await deliver()
        assert.deepEqual(more, [])
        assert.equal(raised!.kind, kind)
        assert.equal(raised!.raised, true)
        assert.equal(raised!.value, value)
        assert.equal(raised!.unit, alarmUnit(described))
        assert.ok(!raised!.relative && !raised!.untimed)
        await feed(60, bad)
        if (between) await feed(60, between)
        assert.deepEqual(await deliver(), [], `${kind} stays`)
        await feed(delayS, good)
        assert.deepEqual(await deliver(), [])
        await feed(readingS, good)
        const [cleared] = await deliver()
        assert.deepEqual({ ...cleared, kind, id: raised!.id }, { ...cleared })
        assert.equal(cleared!.raised, false)
        const lastedS = (cleared!.time - raised!.time) / 1000
        assert.equal(lastedS, readingS + 60 + (between ? 60 : 0) + delayS)
    }
})

test("a value that returns within the delay raises no alarm", async () => {
    const { feed, deliver } = await start()
    for (let n = 0; n < 5; n++) {
        await feed(delayS, { bpm: 180, contact: false, thermometer: false })
        await feed(readingS, {})
    }
    assert.deepEqual(await deliver(), [])
})

test("an absent value neither raises nor clears an alarm, and does not restart the delay", async () => {
    const { feed, deliver } = await start()
    const gone: Values = { bpm: undefined, tempC: undefined, battery: undefined }
    await feed(60, gone)
    assert.deepEqual(await deliver(), [])
    await feed(4, { bpm: 180 })
    await feed(60, gone)
    assert.deepEqual(await deliver(), [], "no value, no alarm")
    await feed(readingS, { bpm: 180 })
    assert.deepEqual(brief(await deliver()), ["hr-high 1"])
    await feed(600, gone)
    assert.deepEqual(await deliver(), [], "not over because it is not measured")
    // Without the optical sensor, skin contact is unknown.
    await feed(20, { contact: false })
    assert.deepEqual(brief(await deliver()), ["hr-high 0", "contact 1"])
    await feed(20, { optical: false })
    assert.deepEqual(brief(await deliver()), ["optical 1"])
    await feed(20, {})
    assert.deepEqual(brief(await deliver()), ["optical 0", "contact 0"])
})

test("delays and limits are those of the configuration in force", async () => {
    const { ask, feed, deliver } = await start()
    await ask({ delay: 0, hrHigh: 100 })
    await feed(readingS, { bpm: 101 })
    assert.deepEqual(brief(await deliver()), ["hr-high 1"])
    await ask({ delay: 30, hrHigh: 120 })
    await feed(30, { bpm: 101 })
    assert.deepEqual(await deliver(), [])
    await feed(readingS, { bpm: 101 })
    assert.deepEqual(brief(await deliver()), ["hr-high 0"])
})

test("an alarm that began and ended without a link is reported with both events", async () => {
    const { feed, pack, receipted, deliver, setClock } = await start()
    await setClock()
    await feed(12, { bpm: 180 })
    await feed(12, {})
    const events = await pack()
    assert.deepEqual(brief(events), ["hr-high 1", "hr-high 0"])
    assert.equal(events[0]!.id, events[1]!.id)
    assert.deepEqual(await pack(), events, "until there is a receipt")
    await receipted()
    assert.deepEqual(await deliver(), [])
})

test("the unreported end of an alarm is withdrawn when it begins again", async () => {
    const { feed, deliver } = await start()
    await feed(12, { bpm: 180 })
    const [first] = await deliver()
    await feed(12, {})
    await feed(12, { bpm: 190 })
    assert.deepEqual(await deliver(), [])
    await feed(12, {})
    assert.deepEqual(
        (await deliver()).map(({ kind, id, raised }) => ({ kind, id, raised })),
        [{ kind: "hr-high", id: first!.id, raised: false }],
    )
})

test("if the end may have been received, an alarm that begins again is a new one", async () => {
    const { feed, pack, receipted, deliver, setClock } = await start()
    await setClock()
    await feed(12, { bpm: 180 })
    await feed(12, {})
    const [raised] = await pack()
    await feed(12, { bpm: 190 })
    // The receipt is for what was sent, not for later events.
    await receipted()
    const [again, ...more] = await deliver()
    assert.deepEqual(more, [])
    assert.ok(again!.raised && again!.id > raised!.id)
    // Its start may not have arrived, so it is sent again.
    assert.deepEqual([again!.value, again!.time], [raised!.value, raised!.time])

    await feed(12, {})
    const [cleared] = await pack()
    await feed(12, { bpm: 200 })
    await receipted()
    const [third] = await deliver()
    assert.equal(cleared!.raised, false)
    assert.ok(third!.id > cleared!.id)
    assert.deepEqual([third!.raised, third!.value], [true, 200])
})

test("an end during the transmission of its start is reported next", async () => {
    const { feed, pack, receipted } = await start()
    await feed(12, { bpm: 180 })
    assert.deepEqual(brief(await pack()), ["hr-high 1"])
    await feed(12, {})
    await receipted()
    assert.deepEqual(brief(await pack()), ["hr-high 0"])
})

test("simultaneous alarms are sent four at a time", async () => {
    const { feed, pack, receipted } = await start()
    const all = { bpm: 20, tempC: 30, battery: 1, spo2: 75, thermometer: false }
    await feed(12, { ...all, contact: false })
    await feed(12, { ...all, optical: false })
    await feed(12, {})
    const told: string[] = []
    for (let more; (more = await pack()).length > 0;) {
        assert.ok(more.length <= 4)
        told.push(...brief(more))
        await receipted()
    }
    const both = ["hr-low", "temp-low", "optical", "thermometer", "contact", "battery", "spo2-low"]
    assert.deepEqual(
        told,
        both.flatMap(kind => [`${kind} 1`, `${kind} 0`]),
    )
})

test("all raised alarms survive a restart, including more than fit into one setting", async () => {
    const mote = await start()
    const low = { bpm: 20, tempC: 30, battery: 1, spo2: 75, thermometer: false }
    const high = { ...low, bpm: 240, tempC: 44 }
    await mote.feed(12, { ...low, contact: false })
    await mote.feed(12, { ...high, optical: false })
    mote.mote.stop()
    await mote.powerUp()
    const raised = new Set((await mote.deliver()).filter(event => event.raised).map(({ kind }) => kind))
    assert.deepEqual([...raised].sort(), moteKinds.map(([kind]) => kind).sort())
})

test("without a clock, times are relative to the transmission", async () => {
    const { ask, run, pack } = await start()
    await ask({ delay: 0, readings: [[-1, { bpm: 180 }]] })
    await run(20)
    const [event] = await pack()
    assert.ok(event!.relative && !event!.untimed)
    assert.ok(Math.abs(arrivalMs - event!.time - 20_050) < 200, `${arrivalMs - event!.time}`)
})

test("after a restart: reported under the same id, not raised twice, and cleared at its end", async () => {
    for (const hasClock of [false, true]) {
        const mote = await start()
        if (hasClock) await mote.setClock()
        await mote.feed(12, { bpm: 180 })
        const [before] = await mote.pack()
        mote.mote.stop()
        await mote.powerUp()
        const [after, ...more] = await mote.pack()
        assert.deepEqual(more, [])
        assert.equal(after!.untimed, !hasClock)
        assert.deepEqual(
            { ...after, time: 0, relative: 0, untimed: 0 },
            { ...before, time: 0, relative: 0, untimed: 0 },
        )
        if (hasClock) assert.equal(after!.time, before!.time)
        await mote.receipted()
        mote.mote.stop()
        await mote.powerUp()
        await mote.feed(60, { bpm: 180 })
        assert.deepEqual(await mote.deliver(), [])
        await mote.feed(12, {})
        const [cleared] = await mote.deliver()
        assert.deepEqual([cleared!.id, cleared!.raised], [before!.id, false])
    }
})

test("alarms in flash belong to one kid", async () => {
    const settings = { kid: "0011223344556677" }
    const { feed, mote, powerUp, deliver } = await start({ settings })
    await feed(12, { bpm: 180 })
    mote.stop()
    settings.kid = "0011223344556688"
    await powerUp()
    assert.deepEqual(await deliver(), [])
})

/**
 * One alarm with the power cut at flash write number `cutAt`.
 * @returns the events that arrive, each once, and the number of writes
 */
async function throughCut(cutAt: number, isKept: boolean, hasLink: boolean) {
    const flash = memoryFlash()
    let writes = 0
    let lastWrite = Infinity
    let isCut = false
    const cut = () => {
        isCut = true
        mote.mote.stop()
    }
    const mote = await start({
        flash: {
            load: () => flash.load(),
            save(contents) {
                writes++
                if (writes !== lastWrite || isKept) flash.save(contents)
                if (writes === lastWrite) cut()
            },
        },
    })
    const before = writes
    lastWrite = before + cutAt
    const arrived = new Map<string, AlarmEvent>()
    /** Does `work`. If the power is cut meanwhile, it is restored and the work is not repeated. */
    const through = async (does: () => Promise<unknown>) => {
        await does().catch((error: unknown) => {
            if (!isCut) throw error
        })
        if (!isCut) return
        isCut = false
        await mote.powerUp()
    }
    const link = () =>
        through(async () => {
            for (let more; (more = await mote.pack()).length > 0;) {
                for (const event of more) arrived.set(`${event.id} ${event.raised}`, event)
                await mote.receipted()
            }
        })
    for (const bpm of [70, 180, 70, 70])
        for (let n = 0; n < 15; n++) {
            await through(() => mote.feed(readingS, { bpm }))
            if (hasLink) await link()
        }
    await link()
    await link()
    return { writes: writes - before, events: [...arrived.values()] }
}

test("power cut at any write to the flash: start and end of the alarm arrive, under one id", async () => {
    for (const hasLink of [true, false]) {
        const { writes } = await throughCut(Infinity, true, hasLink)
        assert.ok(writes >= (hasLink ? 4 : 3), `${writes} writes`)
        for (let cutAt = 1; cutAt <= writes; cutAt++)
            for (const isKept of [false, true]) {
                const { events } = await throughCut(cutAt, isKept, hasLink)
                const where = `write ${cutAt} of ${writes}, kept ${isKept}, link ${hasLink}`
                assert.deepEqual(brief(events), ["hr-high 1", "hr-high 0"], where)
                assert.equal(events[0]!.id, events[1]!.id)
            }
    }
})

type Link = "up" | "down" | "receipts lost"
interface Phase {
    isBad: boolean
    readings: number
    link: Link
    /** The power is cut at the end. */
    isCut: boolean
}

/** Runs through phases, then a calm one with a link. @returns what was too high for how long, and what arrived */
async function liveThrough(phases: Phase[]) {
    const mote = await start()
    const { clock } = mote
    const setClock = () => mote.ask({ receipt: clock.now() })
    const arrived = new Map<string, AlarmEvent>()
    const bad: { from: number; to: number }[] = []
    await setClock()
    const calm: Phase = { isBad: false, readings: 12, link: "up", isCut: false }
    for (const { isBad, readings, link, isCut } of [...phases, calm]) {
        const from = clock.now()
        for (let n = 0; n < readings; n++) {
            await mote.run(readingS)
            await mote.ask({ readings: [[-1, { ...calmValues, bpm: isBad ? 180 : 70 }]] })
            if (link === "down") continue
            for (const event of await mote.pack()) {
                const key = `${event.id} ${event.raised}`
                const before = arrived.get(key)
                // Repeated events are identical.
                if (before) assert.deepEqual([event.time, event.value], [before.time, before.value])
                arrived.set(key, event)
            }
            if (link === "up") await mote.receipted()
        }
        if (isBad && readings * readingS > delayS + readingS) bad.push({ from, to: clock.now() })
        if (!isCut) continue
        mote.mote.stop()
        await mote.powerUp()
        await setClock()
    }
    return { bad, arrived: [...arrived.values()] }
}

test("with any link and power failures: every lasting alarm is reported with its end, and nothing else", async () => {
    const phase = fc.record({
        isBad: fc.boolean(),
        readings: fc.integer({ min: 1, max: 12 }),
        link: fc.constantFrom<Link>("up", "down", "receipts lost"),
        isCut: fc.boolean(),
    })
    const property = fc.asyncProperty(fc.array(phase, { maxLength: 10 }), async phases => {
        const { bad, arrived } = await liveThrough(phases)
        const raised = arrived.filter(e => e.raised).sort((a, b) => a.id - b.id)
        // An alarm ends with its own end, or when the next one begins.
        const ends = raised.map(({ id }, n) => {
            const end = arrived.find(e => e.id === id && !e.raised)
            return end ? end.time : (raised[n + 1]?.time ?? Infinity)
        })
        assert.ok(
            ends.every(end => end < Infinity),
            "the wearer is calm in the end",
        )
        for (const { from, to } of bad)
            assert.ok(
                raised.some(({ time }, n) => time < to && ends[n]! > from),
                `nobody knows of what was from ${from} to ${to}`,
            )
        assert.ok(raised.length <= phases.filter(({ isBad }) => isBad).length)
        assert.ok(arrived.every(e => e.kind === "hr-high" && !e.relative && !e.untimed))
    })
    await fc.assert(property, { numRuns: runs(15) })
})
