import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { encode, WireError } from "../../wire/cbor.ts"
import { decodeRefusal, encodeRefusal, refusalIn, refusalKey } from "../../wire/refusal.ts"
import { problemDetails, problemKinds, problemText, toProblem, type Problem } from "../../wire/tables/problems.ts"
import { isRolledBack, refusalKinds, refusalText, type Refusal, type RefusalKind } from "../../wire/tables/refusals.ts"
import { configFields } from "../../wire/tables/settings.ts"

const kinds = Object.entries<RefusalKind>(refusalKinds)
const setting = fc.constantFrom(...configFields.map(({ name }) => name))
const refusals: fc.Arbitrary<Refusal> = fc
    .constantFrom(...kinds)
    .chain(([code, { parameters }]) =>
        fc
            .record(
                Object.fromEntries(
                    parameters.map(name => [name, name === "setting" || name === "other" ? setting : fc.nat()]),
                ),
            )
            .map(values => ({ code, ...values }) as Refusal),
    )

test("what is encoded is what is decoded, with a line of words for it", () => {
    fc.assert(
        fc.property(refusals, refusal => {
            const bytes = encodeRefusal(refusal)
            assert.deepEqual(decodeRefusal(bytes), refusal)
            const details = encode(new Map([[refusalKey, encodedAs(bytes)]]))
            assert.deepEqual(refusalIn(details), refusal)
            assert.match(refusalText(refusal), /^[^\n{}]+$/)
        }),
    )
})

/** The array as `encode` wants it. */
function encodedAs(bytes: Uint8Array): number[] {
    const { code, ...values } = decodeRefusal(bytes)
    const number = (value: unknown) =>
        typeof value === "number" ? value : configFields.find(({ name }) => name === value)!.number
    return [(refusalKinds as Record<string, RefusalKind>)[code]!.number, ...Object.values(values).map(number)]
}

test("numbers and names are unique", () => {
    const numbers = [...kinds.map(([, { number }]) => number), ...configFields.map(({ number }) => 100 + number)]
    assert.equal(new Set(numbers).size, numbers.length)
})

test("what a newer mote says is kept; what is none is refused", () => {
    assert.deepEqual(decodeRefusal(encode([23, 5])), { code: "unknown", number: 23 })
    assert.deepEqual(decodeRefusal(encode([8, 99, 1, 2])), {
        code: "out-of-range",
        setting: "setting 99",
        min: 1,
        max: 2,
    })
    assert.deepEqual(decodeRefusal(encode([13, 60, 7])), { code: "no-receipt", seconds: 60 }, "more parameters")
    for (const wrong of [[], [13], [8, 1, 2], ["busy"], [-1], [1.5], 5, new Map(), Array(10).fill(1)])
        assert.throws(() => decodeRefusal(encode(wrong)), WireError)
    assert.throws(() => decodeRefusal(new Uint8Array()), WireError)
    assert.throws(() => refusalIn(encode([3])), WireError)
    assert.equal(refusalIn(encode(new Map([[-1, "title"]]))), undefined)
})

test("only what was in force on trial is rolled back", () => {
    const rolledBack = kinds.map(([code]) => code).filter(code => isRolledBack({ code: code as Refusal["code"] }))
    assert.deepEqual(rolledBack, ["no-receipt", "restarted-on-trial"])
    assert.equal(isRolledBack({ code: "unknown", number: 5 }), false)
})

test("every problem has words, and comes out of its JSON as it went in", () => {
    const parameters = {
        what: "mote",
        parameter: "date",
        fault: "malformed",
        max: 5,
        role: "doctor",
        by: "ruth",
        time: "03:00",
        patient: 7,
    } as const
    for (const code of Object.keys(problemKinds)) {
        const problem = { code, ...parameters, place: "body", rule: "type", refusal: { code: "busy" } } as Problem
        assert.match(problemText(problem), /^[^\n{}?]+$/)
        const details = problemDetails(problem)
        assert.deepEqual(toProblem(JSON.parse(JSON.stringify(details))), problem)
        assert.equal(details.status, problemKinds[problem.code].status)
    }
    for (const other of [null, "x", {}, { type: "about:blank" }, { type: "urn:vitalmote:problem:constructor" }])
        assert.equal(toProblem(other), undefined)
})
