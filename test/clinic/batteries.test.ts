import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import { nextTime } from "../../clinic/alarms/batteries.ts"
import { emptyAt, type Charge } from "../../clinic/alarms/battery-trend.ts"
import { Clinic } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { newStore } from "./stores.ts"

const hour = 3_600_000
const minute = 60_000

/** What a mote reports of a battery that falls evenly from `from` percent: each whole percent once. */
function falling(from: number, perHour: number, hours: number, start = 0): Charge[] {
    const steps = Math.floor(perHour * hours)
    return Array.from({ length: steps + 1 }, (_, i) => ({ time: start + (i / perHour) * hour, value: from - i }))
}

test("battery trend: an even fall is gone on with, noise and single wrong values change little", () => {
    const even = falling(80, 5, 5)
    // 55 % after 5 h; 5 % is empty.
    assert.ok(Math.abs(emptyAt(even, 5 * hour)! - 15 * hour) < 20 * minute, "even")
    const spoilt = even.map((charge, i) => (i % 7 === 3 ? { ...charge, value: charge.value - 20 } : charge))
    assert.ok(Math.abs(emptyAt(spoilt, 5 * hour)! - 15 * hour) < hour, "spoilt")
    fc.assert(
        fc.property(
            fc.integer({ min: 2, max: 20 }),
            fc.integer({ min: 40, max: 100 }),
            fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 200, maxLength: 200 }),
            (perHour, from, noise) => {
                const hours = 20 / perHour
                const noisy = falling(from, perHour, hours).map((c, i) => ({ ...c, value: c.value + noise[i]! }))
                const right = ((from - 5) / perHour) * hour
                assert.ok(Math.abs(emptyAt(noisy, hours * hour)! - right) < 0.25 * right, "noisy")
            },
        ),
    )
})

test("battery trend: too little says nothing; a battery that holds its charge does not end", () => {
    assert.equal(emptyAt([], 0), undefined)
    assert.equal(emptyAt([{ time: 0, value: 50 }], 10 * hour), undefined)
    assert.equal(emptyAt(falling(50, 10, 0.5), 0.5 * hour), undefined)
    // What has fallen and then stays, while the mote is heard, lasts longer the longer it stays.
    const stayed = (hours: number) => emptyAt(falling(60, 5, 3), hours * hour)!
    for (const [shorter, longer] of [
        [3, 6],
        [6, 12],
    ] as const)
        assert.ok(stayed(longer) > stayed(shorter) + hour, `${stayed(shorter) / hour} h, ${stayed(longer) / hour} h`)
})

test("battery trend: a charger ends the fall, and so does another battery; afterwards it is used as before", () => {
    const before = falling(40, 5, 4)
    const end = 4 * hour
    const charging = Array.from({ length: 20 }, (_, i) => ({ time: end + (i + 1) * minute, value: 21 + i }))
    assert.equal(emptyAt([...before, ...charging], end + 21 * minute), Infinity)
    const full = [...before, { time: end + minute, value: 100 }]
    assert.notEqual(emptyAt(full, end + minute), Infinity, "a single value may be wrong")
    assert.equal(emptyAt(full, end + 5 * minute), Infinity)
    const later = emptyAt(full, end + 2 * hour)!
    assert.ok(Math.abs(later - (end + 2 * hour + 19 * hour)) < 2 * hour, `${later / hour}`)
    // A few percent more, of a cell that rests, do not make it last.
    const rested = [...before, { time: end + minute, value: 25 }]
    assert.ok(emptyAt(rested, end + 40 * minute)! < end + 6 * hour)
})

test("the next time of a day is the ward's, over a change of the clocks as well", () => {
    const berlin = (text: string) => nextTime(Date.parse(text), "07:00", "Europe/Berlin")
    assert.equal(berlin("2026-11-30T21:30:20+01:00"), Date.parse("2026-12-01T07:00+01:00"))
    assert.equal(berlin("2026-12-01T06:59:59+01:00"), Date.parse("2026-12-01T07:00+01:00"))
    assert.equal(berlin("2026-12-01T07:00:00+01:00"), Date.parse("2026-12-02T07:00+01:00"))
    assert.equal(berlin("2026-10-24T22:00:00+02:00"), Date.parse("2026-10-25T07:00+01:00"))
    assert.equal(berlin("2026-03-28T22:00:00+01:00"), Date.parse("2026-03-29T07:00+02:00"))
})

/** A ward at 14:00 of its time. */
async function ward() {
    const clock = new ManualClock(Date.parse("2026-11-30T14:00+01:00"))
    const store = await newStore()
    const key = randomBytes(32)
    const timeZone = "Europe/Berlin"
    const open = () => Clinic.open({ store, clock, random: randomBytes, key, log: silentLog, timeZone })
    const clinic = await open()
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const report = async (percent?: number) => {
        const now = clock.now()
        const pack = [measurement("hr", 72, now)]
        if (percent !== undefined) pack.push(measurement("batt", percent, now))
        const [result] = await clinic.ingest([delivery(sealer.seal(pack, now), now)])
        assert.equal(result!.status, "stored")
    }
    const alarms = async (watched = clinic) => {
        await watched.batteries.check()
        return (await clinic.alarms.open()).filter(({ kind }) => kind === "battery-ending")
    }
    /** Falls by a percent in so many minutes, and is heard in between. */
    const fall = async (from: number, percents: number, minutes: number) => {
        for (let i = 0; i < percents; i++) {
            await report(from - i)
            for (let m = 0; m < minutes; m += 2) {
                await clock.advance(2 * minute)
                if (m % 10 === 8) await report()
            }
            await clinic.batteries.check()
        }
    }
    return { clock, clinic, mote, open, report, alarms, fall }
}

test("a battery that ends in the night is an alarm from the evening on, and says until when it lasts", async () => {
    const { clock, open, report, alarms, fall } = await ward()
    // 20 min a percent: 60 % at 14:00 are 48 % at 18:00, and 5 % at 08:20; nothing to say.
    await fall(60, 11, 20)
    assert.deepEqual(await alarms(), [])
    // From then on it uses twice as much: 49 % at 17:40, 5 % at 01:00.
    await fall(48, 3, 10)
    await fall(45, 20, 10)
    const [alarm, ...more] = await alarms()
    assert.deepEqual(more, [])
    assert.equal(alarm!.unit, "s")
    const ends = new Date(alarm!.raisedValue! * 1000).toISOString()
    assert.match(ends, /^2026-12-01T0[0-5]/, ends)

    // Silence does not end it, nor a restart, nor the morning.
    const again = await open()
    await clock.advance(20 * hour)
    assert.equal((await alarms(again)).length, 1)
    await report(24)
    assert.equal((await alarms(again)).length, 1)
    // Another battery does, once it is more than a single value.
    await clock.advance(2 * minute)
    await report(100)
    await clock.advance(2 * minute)
    await report()
    await clock.advance(4 * minute)
    await report()
    assert.deepEqual(await alarms(again), [])
})

test("in the daytime, and of a mote that was not heard for hours, nothing is said of a battery", async () => {
    const { clock, alarms, fall } = await ward()
    await fall(40, 15, 10)
    assert.deepEqual(await alarms(), [], "16:30")
    await clock.advance(4 * hour)
    assert.deepEqual(await alarms(), [], "the alarm is that it is silent")
})
