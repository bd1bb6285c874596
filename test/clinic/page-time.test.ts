import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import fc from "fast-check"

type Time = typeof import("../../clinic/web/time.ts")
type Format = typeof import("../../clinic/web/format.ts")

const zone = process.env.TZ
let time: Time
let format: Format
before(async () => {
    process.env.TZ = "Europe/Berlin" // before the formats are made
    time = await import("../../clinic/web/time.ts")
    format = await import("../../clinic/web/format.ts")
})
after(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
})

const minute = 60_000
const utc = (text: string) => Date.parse(`${text}Z`)

test("the offset is shown in the hour that comes twice, and in no other", () => {
    const twice = [
        ["2026-10-25T00:25", "02:25 +02:00"],
        ["2026-10-25T01:25", "02:25 +01:00"],
        ["2026-10-25T00:00", "02:00 +02:00"],
        ["2026-10-25T01:59", "02:59 +01:00"],
    ] as const
    const once = [
        ["2026-10-24T23:59", "01:59"],
        ["2026-10-25T02:00", "03:00"],
        ["2026-10-25T12:00", "13:00"],
        ["2026-03-29T00:59", "01:59"],
        ["2026-03-29T01:00", "03:00"],
        ["2026-07-01T00:25", "02:25"],
    ] as const
    for (const [at, shown] of [...twice, ...once]) assert.equal(format.timeOfDay(utc(at), false), shown, at)
    assert.match(format.timeOfDay(utc("2026-10-25T01:25:07")), /^02:25:07 \+01:00$/)
    assert.match(format.dateTime(utc("2026-10-25T01:25")), /02:25 \+01:00$/)
})

test("no two minutes of a year look alike", () => {
    const start = utc("2026-10-24T12:00")
    const shown = Array.from({ length: 48 * 60 }, (_, i) => format.dateTime(start + i * minute))
    assert.equal(new Set(shown).size, shown.length)
})

test("clocks that are set back by half an hour, or west of Greenwich", () => {
    process.env.TZ = "Australia/Lord_Howe"
    assert.equal(time.offsetIfTwice(utc("2026-04-04T14:45")), " +11:00")
    assert.equal(time.offsetIfTwice(utc("2026-04-04T15:15")), " +10:30")
    assert.equal(time.offsetIfTwice(utc("2026-04-04T15:45")), "")
    process.env.TZ = "America/New_York"
    assert.equal(time.offsetIfTwice(utc("2026-11-01T05:30")), " −04:00")
    assert.equal(time.offsetIfTwice(utc("2026-11-01T06:30")), " −05:00")
    process.env.TZ = "UTC"
    assert.equal(time.offsetIfTwice(utc("2026-10-25T00:25")), "")
    process.env.TZ = "Europe/Berlin"
})

test("a day that the clinic's clock was ahead for a moment does not hide what arrives", () => {
    const now = utc("2026-11-30T08:00")
    const tomorrow = { id: 10, time: now + 86_400_000 }
    const arrived = [11, 12, 13].map(id => ({ id, time: now + id * 1000 - 20_000 }))
    let shown: { id: number; time: number } = tomorrow
    for (const reading of arrived) if (time.isNewer(reading, shown, now)) shown = reading
    assert.deepEqual(shown, arrived[2])
    assert.equal(time.isNewer(tomorrow, arrived[2]!, now), false) // as /api/ward may answer it again
    assert.equal(format.ago(tomorrow.time, now), "24 h ahead of the clinic's clock")
    assert.equal(format.ago(now + 3000, now), "0 s ago")
})

test("a late reading does not take the place of a newer one", () => {
    const now = utc("2026-11-30T08:00")
    const newest = { id: 5, time: now - 1000 }
    assert.equal(time.isNewer({ id: 6, time: now - 60_000 }, newest, now), false)
    assert.equal(time.isNewer({ id: 4, time: now - 500 }, newest, now), true)
})

test("an age is never negative, and what is ahead never has one", () => {
    const at = fc.integer({ min: 0, max: 4e12 })
    fc.assert(
        fc.property(at, at, (moment, now) => {
            const text = format.ago(moment, now)
            assert.doesNotMatch(text, /-|−/)
            assert.equal(/ago$/.test(text), !time.isAhead(moment, now))
        }),
    )
})
