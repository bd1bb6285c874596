import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Replay } from "../../clinic/burden/replay.ts"
import { decodeAlarms } from "../../wire/alarms.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { isLong } from "../support/long.ts"
import { openChannel } from "./channel.ts"

const readingS = 2
const fields = { hr: "bpm", spo2: "spo2", temp: "tempC" } as const
type Quantity = keyof typeof fields

/** Plausible values on both sides of the limit and within the hysteresis, and sometimes none. */
const curveOf = (low: number, high: number, perUnit: number) => {
    const value = fc.integer({ min: low * perUnit, max: high * perUnit }).map(n => n / perUnit)
    const run = fc.tuple(fc.option(value), fc.integer({ min: 1, max: 9 })).map(([v, n]) => Array<typeof v>(n).fill(v))
    return fc.array(run, { minLength: 25, maxLength: 25 }).map(runs => runs.flat())
}
const curves = fc.record({
    hr: fc.oneof(curveOf(120, 140, 1), curveOf(30, 50, 1)),
    spo2: curveOf(86, 95, 1),
    temp: fc.oneof(curveOf(38, 39, 16), curveOf(34.5, 35.5, 16)),
    delay: fc.constantFrom(0, 2, 6, 10, 11),
    hrHigh: fc.constantFrom(125, 130),
})

/** The alarms that the mote raises and clears, and the reading of each. */
async function onMote({
    delay,
    hrHigh,
    ...curve
}: Record<Quantity, (number | null)[]> & { delay: number; hrHigh: number }) {
    const { ask, run } = await openChannel("test/src/alarms.ts")
    const changes: string[] = []
    await ask(Buffer.from(JSON.stringify({ delay, hrHigh })))
    const length = Math.max(...Object.values(curve).map(values => values.length))
    for (let i = 0; i < length; i++) {
        const said = Object.entries(fields).map(([name, field]) => [field, curve[name as Quantity][i] ?? undefined])
        const reading = [(i + 1) * readingS * 1000, Object.fromEntries(said)]
        await ask(Buffer.from(JSON.stringify({ readings: [reading] })))
        // Time for the flash, because an alarm is sent only when it is stored.
        await run(readingS)
        const answer = await ask(Buffer.from(JSON.stringify({ pack: true })))
        if (answer.length === 1) continue
        for (const event of decodeAlarms(answer, 1e12))
            changes.push(`${i} ${event.kind} ${event.raised ? "raised" : "cleared"}`)
        await ask(Buffer.from(JSON.stringify({ receipted: true })))
    }
    return changes.sort()
}

test("the rule that what-ifs run is that of the motes: the same alarms from the same curves, with the same readings", async () => {
    let changes = 0
    await fc.assert(
        fc.asyncProperty(curves, async some => {
            const { delay, hrHigh, ...curve } = some
            const replay = new Replay({ ...defaultConfig, delay, hrHigh })
            for (const [name, values] of Object.entries(curve))
                for (const [i, value] of values.entries())
                    if (value !== null) replay.take(name, i * readingS * 1000, value)
            const index = (time: number) => time / readingS / 1000
            const expected = replay.episodes.flatMap(({ kind, from, to }) => [
                `${index(from)} ${kind} raised`,
                ...(to === null ? [] : [`${index(to)} ${kind} cleared`]),
            ])
            changes += expected.length
            assert.deepEqual(await onMote(some), expected.sort())
        }),
        { numRuns: isLong ? 40 : 3, endOnFailure: true },
    )
    assert.ok(changes > 10, `only ${changes} changes`)
})
