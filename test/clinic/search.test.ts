import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { parseDate } from "../../clinic/fhir/date.ts"
import { SearchError } from "../../clinic/fhir/search-error.ts"
import { parseListQuery, parseObservationQuery } from "../../clinic/fhir/search.ts"

const parse = (query: string) => parseObservationQuery(new URLSearchParams(query))
const utc = Date.UTC

test("what nobody says", () => {
    assert.deepEqual(parse(""), {
        ...{ count: 100, cursor: undefined, patients: undefined, names: ["hr", "spo2", "temp"] },
        ...{ from: undefined, before: undefined, newestFirst: true, after: undefined },
    })
})

test("patients as ids and references, alone, as a list, and all together", () => {
    const patients = (query: string) => parse(query).patients
    assert.deepEqual(patients("patient=7"), [7])
    assert.deepEqual(patients("patient=Patient/7"), [7])
    assert.deepEqual(patients("subject=Patient/7,8"), [7, 8])
    assert.deepEqual(patients("patient=7,8,7&subject=Patient/8"), [8])
    assert.deepEqual(patients("patient=somebody-else"), [])
    assert.deepEqual(patients("patient=007"), [])
    assert.throws(() => patients("patient=Group/7"), SearchError)
    assert.throws(() => patients("patient=7,"), SearchError)
})

test("codes with and without their system", () => {
    const names = (query: string) => parse(query).names
    assert.deepEqual(names("code=8867-4"), ["hr"])
    assert.deepEqual(names("code=http://loinc.org|8867-4"), ["hr"])
    assert.deepEqual(names("code=http%3A%2F%2Floinc.org%7C8310-5"), ["temp"])
    assert.deepEqual(names("code=8310-5,8867-4"), ["temp", "hr"])
    assert.deepEqual(names("code=http://loinc.org|"), ["hr", "spo2", "temp"])
    assert.deepEqual(names("code=59408-5"), ["spo2"])
    assert.deepEqual(names("code=2708-6"), ["spo2"])
    assert.deepEqual(names("code=|8867-4"), [])
    assert.deepEqual(names("code=http://snomed.info/sct|8867-4"), [])
    assert.deepEqual(names("code=8867-4&code=8310-5"), [])
    assert.deepEqual(names("category=vital-signs&code=8867-4"), ["hr"])
    assert.deepEqual(names("category=laboratory"), [])
})

test("dates stand for their whole precision", () => {
    const range = (text: string) => {
        const { from, before } = parseDate(text)
        return [from, before]
    }
    const day = utc(2024, 1, 29)
    const dayAfter = utc(2024, 2, 1)
    assert.deepEqual(range("2024-02-29"), [day, dayAfter])
    assert.deepEqual(range("eq2024-02"), [utc(2024, 1), utc(2024, 2)])
    assert.deepEqual(range("2024"), [utc(2024), utc(2025)])
    assert.deepEqual(range("ge2024-02-29"), [day, Infinity])
    assert.deepEqual(range("gt2024-02-29"), [dayAfter, Infinity])
    assert.deepEqual(range("le2024-02-29"), [-Infinity, dayAfter])
    assert.deepEqual(range("lt2024-02-29"), [-Infinity, day])
    const minute = utc(2024, 1, 29, 3, 7)
    assert.deepEqual(range("2024-02-29T03:07Z"), [minute, minute + 60_000])
    assert.deepEqual(range("2024-02-29T03:07:05Z"), [minute + 5000, minute + 6000])
    assert.deepEqual(range("2024-02-29T03:07:05.250Z"), [minute + 5250, minute + 5251])
    assert.deepEqual(range("gt2024-02-29T05:07+02:00"), [minute + 60_000, Infinity])
    assert.deepEqual(range("ge2024-02-29T05:07 02:00"), [minute, Infinity]) // a lost plus sign
    assert.deepEqual(range("ge2024-02-28T21:37-05:30"), [minute, Infinity])
})

test("several dates must all hold", () => {
    const { from, before } = parse("date=ge2024-03-01&date=lt2024-03-05&date=ge2024-03-02")
    assert.deepEqual([from, before], [utc(2024, 2, 2), utc(2024, 2, 5)])
})

test("what is not understood is refused", () => {
    const queries = [
        ...["foo=1", "patient.name=x", "code:text=x", "date:missing=true", "_lastUpdated=ge2024"],
        ...["patient=", "code=", "_count=", "_count=-1", "_count=ten", "_count=1&_count=2"],
        ...["_sort=code", "_sort=date,code", "_cursor=x", "_cursor=1", "_cursor=1.2.3"],
        ...["date=yesterday", "date=2024-02-30", "date=2024-13", "date=ne2024", "date=ap2024"],
        ...["date=2024-01-01T25:00Z", "date=2024-01-01T10:60Z", "date=2024-01-01T10Z"],
        ...["date=2024-01-01T10:00+15:00", "date=2024-1-1", "date=2024-01-01Z"],
        `patient=${Array.from({ length: 101 }, (_, i) => i + 1).join(",")}`,
    ]
    for (const query of queries) assert.throws(() => parse(query), SearchError, query)
    const list = (query: string) => parseListQuery(new URLSearchParams(query), ["_id"])
    for (const query of ["patient=1", "_count=0", "_cursor=-1", "name=x"])
        assert.throws(() => list(query), SearchError, query)
})

const instant = fc.integer({ min: utc(1900), max: utc(2200) })

test("every instant, in any zone, means itself", () => {
    fc.assert(
        fc.property(instant, fc.integer({ min: -14 * 60, max: 14 * 60 }), (ms, offsetMin) => {
            const wall = new Date(ms + offsetMin * 60_000).toISOString().slice(0, -1)
            const two = (n: number) => String(Math.floor(n)).padStart(2, "0")
            const at = Math.abs(offsetMin)
            const zone = `${offsetMin < 0 ? "-" : "+"}${two(at / 60)}:${two(at % 60)}`
            assert.deepEqual(parseDate(wall + zone), { from: ms, before: ms + 1 })
        }),
    )
})

test("prefixes cut the time line in two at each end of the value", () => {
    const precisions = [4, 7, 10, 16, 19, 23]
    fc.assert(
        fc.property(instant, fc.constantFrom(...precisions), instant, (ms, length, other) => {
            const zone = length > 10 ? "Z" : ""
            const value = new Date(ms).toISOString().slice(0, length) + zone
            const holds = (prefix: string) => {
                const { from, before } = parseDate(prefix + value)
                return from <= other && other < before
            }
            assert.equal(holds("ge"), !holds("lt"))
            assert.equal(holds("le"), !holds("gt"))
            assert.equal(holds("eq"), holds("ge") && holds("le"))
            assert.ok(!(holds("gt") && holds("lt")))
            const { from, before } = parseDate(value)
            assert.ok(from <= ms && ms < before)
        }),
    )
})

test("no query whatever does anything but parse or be refused", () => {
    const names = ["patient", "subject", "code", "category", "date", "_sort", "_count", "_cursor"]
    const pair = fc.tuple(
        fc.oneof(fc.constantFrom(...names), fc.string()),
        fc.oneof(
            fc.string(),
            fc.stringMatching(/^(ge|lt|eq)?[0-9T:.+-]{0,30}$/),
            fc.constantFrom("1", "Patient/1", "8867-4", "date", "-date", "vital-signs"),
        ),
    )
    fc.assert(
        fc.property(fc.array(pair, { maxLength: 5 }), pairs => {
            try {
                const query = parse(new URLSearchParams(pairs).toString())
                assert.ok(query.count >= 0 && query.count <= 1000)
                assert.ok(query.patients?.every(id => Number.isSafeInteger(id) && id > 0) ?? true)
                for (const time of [query.from, query.before])
                    assert.ok(time === undefined || Number.isSafeInteger(time))
            } catch (error) {
                assert.ok(error instanceof SearchError, String(error))
                assert.doesNotMatch(error.message, /\n/)
            }
        }),
        { numRuns: 2000 },
    )
})
