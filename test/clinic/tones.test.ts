import assert from "node:assert/strict"
import { test } from "node:test"
import { bursts, burstSeconds, harmonics, riseShare, type Priority } from "../../clinic/web/tones.ts"

/** Table 3 and 4 of IEC 60601-1-8: pulses of a burst, their duration in ms, and the pause until the next burst in s. */
const limits: Record<Priority, { pulses: number[]; duration: [number, number]; interval: [number, number] }> = {
    high: { pulses: [10], duration: [75, 200], interval: [2.5, 15] },
    medium: { pulses: [3], duration: [125, 250], interval: [2.5, 30] },
    low: { pulses: [1, 2], duration: [125, 250], interval: [15, Infinity] },
}

for (const priority of ["high", "medium", "low"] as const)
    test(`tones: ${priority} priority is a burst as IEC 60601-1-8 has it`, () => {
        const { pulses, interval } = bursts[priority]
        const limit = limits[priority]
        assert.ok(limit.pulses.includes(pulses.length))
        for (const { duration, hz } of pulses) {
            assert.ok(duration * 1000 >= limit.duration[0] && duration * 1000 <= limit.duration[1])
            assert.ok(hz >= 150 && hz <= 1000)
        }
        assert.ok(interval >= limit.interval[0] && interval <= limit.interval[1])
        assert.ok(burstSeconds(priority) < 5)
    })

test("tones: a high priority burst is three pulses, two, a pause, and the same again", () => {
    const { pulses } = bursts.high
    const gaps = pulses.slice(1).map(({ at }, i) => Math.round((at - pulses[i]!.at - pulses[i]!.duration) * 1000))
    const [spacing, , breakMs, , pause] = gaps as [number, number, number, number, number]
    assert.ok(spacing >= 50 && spacing <= 125)
    assert.equal(breakMs, 2 * spacing + pulses[0]!.duration * 1000)
    assert.ok(pause >= 350 && pause <= 1300)
    assert.deepEqual(gaps, [spacing, spacing, breakMs, spacing, pause, spacing, spacing, breakMs, spacing])
})

test("tones: at least four harmonics within 15 dB, and edges of 10 to 40 %", () => {
    assert.ok(harmonics.length >= 5)
    for (const share of harmonics) assert.ok(20 * Math.log10(1 / share) <= 15)
    assert.ok(riseShare >= 0.1 && riseShare <= 0.4)
})
