import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ProblemError } from "../../clinic/errors.ts"
import { narrowed } from "../../clinic/fhir/resources/observation.ts"
import { kindsByType, resourceKinds } from "../../clinic/fhir/resources/resources.ts"
import type { Criterion } from "../../clinic/fhir/search/criterion.ts"
import { dateFilter, matchesDate, parseDate, type DateCriterion } from "../../clinic/fhir/search/date.ts"
import { idsIn } from "../../clinic/fhir/search/narrow.ts"
import { parseQuery } from "../../clinic/fhir/search/query.ts"

const base = "https://ward.example/fhir"
const parse = (query: string, type = "Observation", isLenient = false) =>
    parseQuery(kindsByType.get(type)!, new URLSearchParams(query), { kinds: kindsByType, base, isLenient })
const criteriaOf = (query: string) => parse(query).criteria as Criterion[]
const datesOf = (query: string) => criteriaOf(query).map(one => (one as unknown as { values: DateCriterion[] }).values)
const utc = Date.UTC
const entered = ["respiration", "systolic", "oxygen", "consciousness"]
const everything = ["hr", "spo2", "temp", ...entered]

test("what nobody says", () => {
    const { understood, ...query } = parse("")
    assert.equal(understood.size, 0)
    assert.deepEqual(query, {
        ...{ count: 100, cursor: undefined, criteria: [], sort: [], includes: [], revincludes: [] },
        ...{ subset: undefined, total: "none", ignored: [] },
    })
})

test("patients as ids and references, alone, as a list, and all together", () => {
    const patients = (query: string) => idsIn(criteriaOf(query), "patient", "subject")
    assert.deepEqual(patients("patient=7"), ["7"])
    assert.deepEqual(patients("patient=Patient/7"), ["7"])
    assert.deepEqual(patients("subject:Patient=7"), ["7"])
    assert.deepEqual(patients("subject=Patient/7,8"), ["7", "8"])
    assert.deepEqual(patients("patient=7,8,7&subject=Patient/8"), ["8"])
    assert.deepEqual(patients(`patient=${base}/Patient/7`), ["7"])
    assert.deepEqual(patients(`patient=${base}/Patient/7/_history/3`), ["7"])
    assert.deepEqual(patients("patient=https://elsewhere.example/fhir/Patient/7"), [])
    assert.deepEqual(patients("patient=urn:uuid:7"), [])
    assert.equal(patients("code=8867-4"), undefined)
    for (const wrong of ["Group/7", "7,", ",7", "Patient/", "Patient/7/x", "a/b/c/d", "Patient/7/_history"])
        assert.throws(() => patients(`patient=${wrong}`), ProblemError, wrong)
})

test("codes with and without their system", () => {
    const names = (query: string) => {
        const { measured, entered } = narrowed(criteriaOf(query), noon)
        return [...measured, ...entered]
    }
    assert.deepEqual(names("code=8867-4"), ["hr"])
    assert.deepEqual(names("code=http://loinc.org|8867-4"), ["hr"])
    assert.deepEqual(names("code=http%3A%2F%2Floinc.org%7C8310-5"), ["temp"])
    assert.deepEqual(names("code=8310-5,8867-4"), ["hr", "temp"])
    assert.deepEqual(names("code:not=8310-5,8867-4&code:not=oxygen"), ["spo2", ...entered])
    assert.deepEqual(names("code:missing=true"), everything)
    const inLoinc = everything.filter(name => name !== "oxygen")
    assert.deepEqual(names("code=http://loinc.org|"), inLoinc)
    assert.deepEqual(names("code=http://snomed.info/sct|"), ["oxygen"])
    assert.deepEqual(names("code=9279-1,85354-9"), ["respiration", "systolic"])
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
        const { from, before } = parseDate(text).value
        return [from, before]
    }
    const day = utc(2024, 1, 29)
    assert.deepEqual(range("2024-02-29"), [day, utc(2024, 2, 1)])
    assert.deepEqual(range("eq2024-02"), [utc(2024, 1), utc(2024, 2)])
    assert.deepEqual(range("2024"), [utc(2024), utc(2025)])
    const minute = utc(2024, 1, 29, 3, 7)
    assert.deepEqual(range("2024-02-29T03:07Z"), [minute, minute + 60_000])
    assert.deepEqual(range("2024-02-29T03:07:05Z"), [minute + 5000, minute + 6000])
    assert.deepEqual(range("2024-02-29T03:07:05.250Z"), [minute + 5250, minute + 5251])
    assert.deepEqual(range("gt2024-02-29T05:07+02:00"), [minute, minute + 60_000])
    assert.deepEqual(range("ge2024-02-29T05:07 02:00"), [minute, minute + 60_000]) // a lost plus sign
    assert.deepEqual(range("ge2024-02-28T21:37-05:30"), [minute, minute + 60_000])
    for (const prefix of prefixes) assert.equal(parseDate(`${prefix}2024`).prefix, prefix)
})

const prefixes = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"] as const
const noon = utc(2024, 1, 29, 12)
/** Hours after noon. */
const at = (from: number, before: number) => ({ from: noon + from * 3_600_000, before: noon + before * 3_600_000 })

test("a period is compared by its edges, with every prefix (R4 §3.1.1.5.4)", () => {
    // The value is from 0 to 1; what matches of all prefixes.
    const cases: [string, { from: number; before: number }, string][] = [
        ["within", at(0.2, 0.8), "eq ge le ap"],
        ["the same", at(0, 1), "eq ge le ap"],
        ["around", at(-1, 2), "ne gt lt ge le ap"],
        ["over the end", at(0.5, 2), "ne gt ge ap"],
        ["over the beginning", at(-1, 0.5), "ne lt le ap"],
        ["up to the beginning", at(-1, 0), "ne lt le eb ap"],
        ["from the end on", at(1, 2), "ne gt ge sa ap"],
        ["from the beginning over the end", at(0, 2), "ne gt ge ap"],
        ["over the beginning up to the end", at(-1, 1), "ne lt le ap"],
        ["long before", at(-9, -8), "ne lt le eb"],
        ["long after", at(8, 9), "ne gt ge sa"],
    ]
    const now = noon + 10 * 3_600_000 // so that ap means an hour more at each end
    for (const [what, target, expected] of cases) {
        const found = prefixes.filter(prefix => matchesDate({ prefix, value: at(0, 1) }, target, now))
        assert.equal(found.join(" "), expected, what)
    }
})

test("several dates must all hold; a period may lie around what no moment can match", () => {
    const filter = dateFilter(datesOf("date=ge2024-03-01&date=lt2024-03-05&date=ge2024-03-02"), noon)
    assert.deepEqual(filter?.moments, [{ from: utc(2024, 2, 2), before: utc(2024, 2, 5) }])
    const around = dateFilter(datesOf("date=lt2024-02-29&date=gt2024-02-29"), noon)
    assert.deepEqual(around?.moments, [])
    assert.equal(around?.matches(at(-24, 24)), true)
    const without = dateFilter(datesOf("date=ne2024-02-29&date=ge2024-02"), noon)
    assert.deepEqual(without?.moments, [
        { from: utc(2024, 1), before: utc(2024, 1, 29) },
        { from: utc(2024, 2), before: Infinity },
    ])
    const either = dateFilter(datesOf("date=2024-02-29,2024-02-28,2024-03-02&date=le2024-03-01"), noon)
    assert.deepEqual(either?.moments, [{ from: utc(2024, 1, 28), before: utc(2024, 2, 1) }])
    assert.equal(dateFilter([], noon), undefined)
})

test("what is not understood is refused", () => {
    const queries = [
        ...["foo=1", "patient.foo=x", "code.text=x", "code:text=x", "date:not=2024", "date:missing=1", "code:exact=x"],
        ...["patient=", "code=", "_count=", "_count=-1", "_count=ten", "_count=1&_count=2", "code=,"],
        ...["_sort=foo", "_sort=date,code,status,patient", "_sort=value-quantity", "_summary=yes", "_total=all"],
        ...["date=yesterday", "date=2024-02-30", "date=2024-13", "date=ca2024", "date=GE2024", "date=2024,"],
        ...["date=2024-01-01T25:00Z", "date=2024-01-01T10:60Z", "date=2024-01-01T10Z"],
        ...["date=2024-01-01T10:00+15:00", "date=2024-1-1", "date=2024-01-01Z", "_lastUpdated=soon"],
        ...["value-quantity=high", "value-quantity=1|2", "value-quantity=1|2|3|4", "value-quantity=1e999"],
        ...["_include=Observation", "_include=Device:patient", "_include=Observation:code", "_include=Foo:bar"],
        ...["_include=Observation:device:Patient", "_revinclude=Device:patient", "_revinclude=Observation:*"],
        ...["_elements=a;b", "_elements=code&_summary=true", "_has:Patient:name=x", "_has:Foo:patient:_id=1"],
        ...["patient.device.patient.name=x", "patient:Device.name=x", "patient:Device=7"],
        Array<string>(51).fill("date=2024").join("&"),
        `patient=${Array.from({ length: 101 }, (_, i) => i + 1).join(",")}`,
        `code=${"x".repeat(1001)}`,
    ]
    for (const query of queries) assert.throws(() => parse(query), ProblemError, query)
    for (const query of ["patient=1", "name:not=x", "birthdate=1949-02-30"])
        assert.throws(() => parse(query, "Patient"), ProblemError, query)
})

test("what nobody knows is left out where the client wants it so; what is malformed is refused all the same", () => {
    const { criteria, ignored, understood } = parse("code=8867-4&foo=1&patient.bar=2", "Observation", true)
    assert.deepEqual([criteria.length, ignored, String(understood)], [1, ["foo", "patient.bar"], "code=8867-4"])
    for (const query of ["date=soon", "code:text=x"])
        assert.throws(() => parse(query, "Observation", true), ProblemError, query)
})

test("the separators of a value can be meant literally", () => {
    const texts = (query: string) => (parse(query, "Patient").criteria[0] as { values: unknown }).values
    assert.deepEqual(texts("name=a\\,b,c"), ["a,b", "c"])
    assert.deepEqual(texts("identifier=a\\|b|c\\\\d"), [{ system: "a|b", code: "c\\d" }])
})

const instant = fc.integer({ min: utc(1900), max: utc(2200) })

test("every instant, in any zone, means itself", () => {
    fc.assert(
        fc.property(instant, fc.integer({ min: -14 * 60, max: 14 * 60 }), (ms, offsetMin) => {
            const wall = new Date(ms + offsetMin * 60_000).toISOString().slice(0, -1)
            const two = (n: number) => String(Math.floor(n)).padStart(2, "0")
            const at = Math.abs(offsetMin)
            const zone = `${offsetMin < 0 ? "-" : "+"}${two(at / 60)}:${two(at % 60)}`
            assert.deepEqual(parseDate(wall + zone).value, { from: ms, before: ms + 1 })
        }),
    )
})

const period = fc.tuple(instant, fc.integer({ min: 1, max: 3 * 86_400_000 })).map(([from, lasts]) => ({
    ...{ from, before: from + lasts },
}))
const criterion = fc.record({ prefix: fc.constantFrom(...prefixes), value: period })

test("prefixes cut the time line in two at each end of the value", () => {
    fc.assert(
        fc.property(period, period, instant, (value, target, now) => {
            const holds = (prefix: (typeof prefixes)[number]) => matchesDate({ prefix, value }, target, now)
            assert.equal(holds("eq"), !holds("ne"))
            assert.equal(holds("ge"), holds("gt") || holds("eq"))
            assert.equal(holds("le"), holds("lt") || holds("eq"))
            assert.ok(!holds("sa") || (holds("gt") && !holds("lt")))
            assert.ok(!holds("eb") || (holds("lt") && !holds("gt")))
            assert.ok(!holds("eq") || holds("ap"))
        }),
    )
})

test("for moments the ranges say the same as the edges, and no period matches outside its bounds", () => {
    const close = fc.integer({ min: -86_400_000, max: 86_400_000 })
    fc.assert(
        fc.property(
            fc.array(fc.array(criterion, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
            close,
            fc.nat(86_400_000),
            instant,
            (all, off, lasts, now) => {
                const filter = dateFilter(all, now)!
                for (const edge of all.flat().flatMap(({ value }) => [value.from, value.before, value.from + off])) {
                    const moment = { from: edge, before: edge + 1 }
                    const isWithin = filter.moments.some(({ from, before }) => from <= edge && edge < before)
                    assert.equal(isWithin, filter.matches(moment))
                    const target = { from: edge, before: edge + lasts + 1 }
                    if (!filter.matches(target)) continue
                    assert.ok(filter.periods.from - lasts - 1 < target.before)
                    assert.ok(target.from < filter.periods.before + lasts + 1)
                }
            },
        ),
    )
})

test("no query whatever does anything but parse or be refused, for any kind of resource", () => {
    const special = ["_sort", "_count", "_cursor", "_include", "_revinclude", "_elements", "_summary", "_total"]
    const known = [...new Set(resourceKinds.flatMap(({ parameters }) => Object.keys(parameters)))]
    const name = fc.oneof(
        fc.constantFrom(...known, ...special, "_id", "_lastUpdated"),
        fc
            .tuple(fc.constantFrom(...known), fc.constantFrom("not", "missing", "exact", "contains", "Patient"))
            .map(parts => parts.join(":")),
        fc
            .tuple(fc.constantFrom("patient", "device", "subject:Patient"), fc.constantFrom(...known, "device.patient"))
            .map(parts => parts.join(".")),
        fc
            .tuple(
                fc.constantFrom("Device", "Observation"),
                fc.constantFrom("patient", "device"),
                fc.constantFrom(...known),
            )
            .map(parts => `_has:${parts.join(":")}`),
        fc.string(),
    )
    const value = fc.oneof(
        fc.string(),
        fc.stringMatching(/^(ge|lt|eq|ap)?[0-9T:.+|,-]{0,30}$/),
        fc.constantFrom("1", "Patient/1", "8867-4", "date", "-date", "vital-signs", "true", "Observation:device"),
    )
    fc.assert(
        fc.property(
            fc.constantFrom(...resourceKinds),
            fc.array(fc.tuple(name, value), { maxLength: 5 }),
            (kind, pairs) => {
                try {
                    const query = parse(new URLSearchParams(pairs).toString(), kind.type)
                    assert.ok(query.count >= 0 && query.count <= 1000)
                    for (const criterion of query.criteria) {
                        if ("chain" in criterion || criterion.modifier === "missing") continue
                        assert.ok(criterion.values.length > 0 && criterion.values.length <= 100)
                        if (criterion.type !== "date") continue
                        for (const { value } of criterion.values)
                            assert.ok(Number.isSafeInteger(value.from) && value.from < value.before)
                    }
                } catch (error) {
                    assert.ok(error instanceof ProblemError, String(error))
                    assert.doesNotMatch(error.message, /\n/)
                }
            },
        ),
        { numRuns: 2000 },
    )
})
