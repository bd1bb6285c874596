import assert from "node:assert/strict"
import { test } from "node:test"
import {
    exerciseKinds,
    exerciseSession,
    exerciseSites,
    syntheticBody,
    usualCadences,
    type MotionBout,
    type MotionKind,
} from "../../sim/body/index.ts"

const hz = 25
const kinds: MotionKind[] = [...exerciseKinds, "fidgeting", "jerk", "tapping"]
const wearer = (bout: Partial<MotionBout>, seed = 4) =>
    syntheticBody({
        seed,
        // No pulse and no breath worth mentioning: what is seen is the movement.
        bpm: 60,
        motion: [{ fromS: 10, toS: 40, strength: 1000, ...bout }],
    })

const times = (fromS: number, toS: number) =>
    Array.from({ length: Math.round((toS - fromS) * hz) }, (_, i) => fromS + i / hz)

/** Frequencies of the peaks in a spectrum that are at least so high as a share of the highest. */
function peaks(values: number[], share: number): number[] {
    const mean = values.reduce((a, b) => a + b) / values.length
    const power = Array.from({ length: 120 }, (_, i) => {
        const w = (2 * Math.PI * (0.5 + i / 20)) / hz
        let re = 0
        let im = 0
        values.forEach((value, n) => {
            const window = 1 - Math.cos((2 * Math.PI * n) / values.length)
            re += window * (value - mean) * Math.cos(w * n)
            im += window * (value - mean) * Math.sin(w * n)
        })
        return re * re + im * im
    })
    const highest = Math.max(...power)
    return power.flatMap((value, i) =>
        value > share * highest && value >= (power[i - 1] ?? 0) && value > (power[i + 1] ?? 0) ? [0.5 + i / 20] : [],
    )
}

const magnitude = (g: number[]) => Math.hypot(...g)

test("a body at rest feels 1 g, wherever it points, and the next wearer's points elsewhere", () => {
    const postures = [1, 2, 3].map(seed => {
        const body = wearer({}, seed)
        for (const t of [...times(0, 10), ...times(41, 60)])
            assert.ok(Math.abs(magnitude(body.acceleration!(t)) - 1) < 1e-9)
        return body.acceleration!(5)
    })
    assert.ok(magnitude(postures[0]!.map((g, axis) => g - postures[1]![axis]!)) > 0.05)
})

test("the same seed is the same movement, in whatever order one looks", () => {
    const all = times(8, 42)
    for (const kind of kinds) {
        const forward = wearer({ kind })
        const backward = wearer({ kind })
        const seen = new Map(
            all.toReversed().map(t => [t, [backward.reflectance("red", t), backward.acceleration!(t)]]),
        )
        for (const t of all) assert.deepEqual([forward.reflectance("red", t), forward.acceleration!(t)], seen.get(t))
    }
    assert.notDeepEqual(wearer({}, 4).acceleration!(20), wearer({}, 5).acceleration!(20))
})

test("walking and running: steps and arm swing, 1 to 2, in acceleration and light", () => {
    for (const [kind, cadence, g] of [
        ["walking", 110, 0.25],
        ["running", 150, 1],
        ["running", 180, 1],
    ] as const) {
        const body = wearer({ kind, cadence })
        const steps = cadence / 60
        const felt = times(12, 38).map(t => body.acceleration!(t))
        const seen = times(12, 38).map(t => body.reflectance("infrared", t))
        const y = felt.map(([, y]) => y)
        const mean = y.reduce((a, b) => a + b) / y.length
        const deviation = Math.sqrt(y.reduce((sum, v) => sum + (v - mean) ** 2, 0) / y.length)
        assert.ok(deviation > 0.6 * g && deviation < 1.6 * g, `${kind}: ${deviation} g`)
        for (const found of [peaks(y, 0.1), peaks(seen, 0.02)])
            for (const wanted of [steps, steps / 2])
                assert.ok(
                    found.some(hz => Math.abs(hz - wanted) < 0.13),
                    `${kind} ${cadence}: ${wanted} not in ${found.join()}`,
                )
    }
})

test("each exercise repeats itself at its cadence, in the acceleration and in the light", () => {
    for (const kind of exerciseKinds) {
        const [slow, fast] = usualCadences(kind)
        const cadence = (slow + fast) / 2
        const body = wearer({ kind, cadence, toS: 70 })
        const hertz = cadence / 60
        const near = (found: number[]) => found.some(hz => [1, 2, 3, 4].some(n => Math.abs(hz - n * hertz) < 0.1))
        const felt = times(12, 68).map(t => body.acceleration!(t)[1])
        const seen = times(12, 68).map(t => body.reflectance("infrared", t))
        assert.ok(near(peaks(felt, 0.3)), `${kind}: acceleration at ${peaks(felt, 0.3).join()}`)
        assert.ok(near(peaks(seen, 0.3)), `${kind}: light at ${peaks(seen, 0.3).join()}`)
    }
})

test("an exercise session: the heart is fast at the end of the exercise and slow again after it", () => {
    for (const kind of exerciseKinds)
        for (const site of exerciseSites)
            for (const seed of [1, 2, 3]) {
                const session = exerciseSession(kind, seed, site)
                const at = (seconds: number) => session.bpm.findLast(([s]) => s <= seconds)![1]
                assert.ok(at(session.toS) > at(session.fromS) + 4, `${kind} ${seed}`)
                assert.ok(at(session.endS) < at(session.toS), `${kind} ${seed}`)
                const [slow, fast] = usualCadences(kind)
                assert.ok(session.cadence >= slow && session.cadence <= fast)
                assert.deepEqual(exerciseSession(kind, seed, site), session)
            }
    const [one, other] = [1, 2].map(seed => exerciseSession("curls", seed, "wrist, green"))
    assert.notEqual(one!.cadence, other!.cadence)
    assert.notEqual(one!.perfusion, other!.perfusion)
})

test("light and acceleration are not the same: no mixture of the axes explains the artefact", () => {
    const body = wearer({ kind: "running", cadence: 165, toS: 70 })
    const all = times(12, 68)
    const axes = all.map(t => body.acceleration!(t))
    const light = all.map(t => body.reflectance("infrared", t))
    const correlations = [0, 1, 2].map(axis => {
        const a = axes.map(g => g[axis]!)
        return Math.abs(correlation(a, light))
    })
    assert.ok(Math.max(...correlations) < 0.9, correlations.join())
    assert.ok(Math.max(...correlations) > 0.05, correlations.join())
})

function correlation(a: number[], b: number[]): number {
    const mean = (values: number[]) => values.reduce((x, y) => x + y) / values.length
    const [ma, mb] = [mean(a), mean(b)]
    const sum = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0)
    const both = sum(i => (a[i]! - ma) * (b[i]! - mb))
    return both / Math.sqrt(sum(i => (a[i]! - ma) ** 2) * sum(i => (b[i]! - mb) ** 2))
}

test("the artefact is as strong as was asked for, in the bout and nowhere else", () => {
    for (const kind of kinds) {
        const calm = syntheticBody({ seed: 8, perfusion: 0.01 })
        const moving = syntheticBody({
            seed: 8,
            perfusion: 0.01,
            motion: [{ kind, cadence: 100, strength: 6, fromS: 10, toS: 30 }],
        })
        const artefact = times(0, 40).map(t => {
            const light = calm.reflectance("infrared", t)
            return (light - moving.reflectance("infrared", t)) / 268 / 0.01
        })
        const during = artefact.slice(10 * hz, 30 * hz)
        const range = Math.max(...during) - Math.min(...during)
        assert.ok(range > 5 && range < 18, `${kind}: ${range}`)
        assert.ok(artefact.every((value, i) => value === 0 || (i >= 10 * hz && i < 30 * hz)))
    }
})

test("a jerk is one, and the sensor settles within seconds", () => {
    const body = wearer({ kind: "jerk", toS: 20 })
    const jolt = (fromS: number, toS: number) =>
        Math.max(...times(fromS, toS).map(t => Math.abs(magnitude(body.acceleration!(t)) - 1)))
    assert.ok(jolt(10, 11) > 0.5)
    assert.ok(jolt(13, 20) < 0.05)
})

test("who takes the sensor off puts it down", () => {
    const body = syntheticBody({
        seed: 3,
        motion: [{ kind: "running", cadence: 160, strength: 3, fromS: 0, toS: 60 }],
        off: [{ fromS: 20, toS: 30 }],
    })
    for (const t of times(20, 30)) assert.deepEqual(body.acceleration!(t), [0, 0, 1])
})

test("light of the surroundings: daylight along its trajectory, a lamp with its flicker", () => {
    assert.equal(syntheticBody({ seed: 1 }).ambientLight!(3), 0)
    const light = {
        daylightNa: [
            [0, 1000],
            [10, 3000],
        ] as [number, number][],
        lamp: { meanNa: 200, hz: 120 as const, depth: 0.5 },
    }
    const body = syntheticBody({ seed: 1, light })
    assert.ok(Math.abs(body.ambientLight!(0) - 1200) < 1)
    assert.ok(Math.abs(body.ambientLight!(5 + 1 / 480) - 2300) < 5)
    assert.ok(Math.abs(body.ambientLight!(5 + 3 / 480) - 2100) < 5)
})
