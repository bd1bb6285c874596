import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import * as format from "../../clinic/web/format.ts"
import { setLanguage } from "../../clinic/web/texts/language.ts"
import * as time from "../../clinic/web/time.ts"
import { setTimeZone } from "../../clinic/web/zone.ts"

setTimeZone("Europe/Berlin")

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
    const shown = (at: string, zone: string) => time.offsetIfTwice(utc(at), zone)
    assert.equal(shown("2026-04-04T14:45", "Australia/Lord_Howe"), " +11:00")
    assert.equal(shown("2026-04-04T15:15", "Australia/Lord_Howe"), " +10:30")
    assert.equal(shown("2026-04-04T15:45", "Australia/Lord_Howe"), "")
    assert.equal(shown("2026-11-01T05:30", "America/New_York"), " −04:00")
    assert.equal(shown("2026-11-01T06:30", "America/New_York"), " −05:00")
    assert.equal(shown("2026-10-25T00:25", "UTC"), "")
})

test("numbers and dates are as the language has them, times as the ward's clocks show them", () => {
    const at = utc("2026-03-01T02:07:09")
    assert.equal(format.number(36.84, 1), "36.8")
    assert.equal(format.dateTime(at), "1 Mar, 03:07")
    setLanguage("de", ["de-AT"])
    assert.equal(format.number(36.84, 1), "36,8")
    assert.equal(format.dateTime(at), "1. März, 03:07")
    setLanguage("en", ["en-US"])
    assert.equal(format.dateTime(at), "Mar 1, 03:07")
    setTimeZone("America/New_York")
    assert.equal(format.timeOfDay(at), "21:07:09")
    setTimeZone("Europe/Berlin")
    setLanguage("en")
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

test("a time in a file: by the ward's clocks, with their offset", () => {
    const ms = Date.parse("2026-10-25T00:30:00Z")
    assert.equal(time.zoned(ms, "Europe/Berlin"), "2026-10-25T02:30:00+02:00")
    assert.equal(time.zoned(ms + 3_600_000, "Europe/Berlin"), "2026-10-25T02:30:00+01:00")
    assert.equal(time.zoned(ms, "America/St_Johns"), "2026-10-24T22:00:00-02:30")
    assert.equal(time.zoned(ms, "UTC"), "2026-10-25T00:30:00+00:00")
})
