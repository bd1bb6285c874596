import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { Replay } from "../../clinic/burden/replay.ts"
import { syntheticBody, wearerOptions, type ConditionName } from "../../sim/body/index.ts"
import { valueAt, type Trajectory } from "../../sim/body/trajectory.ts"
import { seededRandom } from "../../sim/time/random.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { System } from "../e2e/system.ts"
import { isLong } from "../support/long.ts"

/*
 * A ward over a month, by the rule of the motes without their radio and their VM. What a mote reports is what its wearer has plus an
 * error; the errors are those of real bytecode on wearers of the same kind, drawn in stretches of a minute, missing values included.
 */

const readingMs = 2000
const blockReadings = 30
/** The estimators look back so far, on average. */
const lookBackS = 4
const dayS = 86_400
/** A made-up wearer has a course of so long; then another one lies in the bed. */
const shiftS = 8 * 3600

const quantities = ["hr", "spo2", "temp"] as const
type Quantity = (typeof quantities)[number]
/** An error for each quantity; null where the mote had no value. */
type Errors = Record<Quantity, number | null>
type Truth = Record<Quantity, Trajectory>

function truthOf(options: ReturnType<typeof wearerOptions>): Truth & { perfusion: Trajectory } {
    const { bpm, spo2, coreC, perfusion } = options
    return { hr: bpm, spo2, temp: coreC, perfusion }
}

/** Errors of real bytecode on wearers who have nothing, in stretches of a minute. */
async function sample(t: TestContext, wearers: number, minutes: number): Promise<Errors[][]> {
    const system = await System.start(t)
    const worn: { patient: number; poweredAt: number; truth: Truth }[] = []
    for (let seed = 1; seed <= wearers; seed++) {
        const options = wearerOptions(seed)
        const { patient, poweredAt } = await system.admit(syntheticBody(options))
        worn.push({ patient, poweredAt, truth: truthOf(options) })
    }
    await system.run(minutes * 60)
    const blocks: Errors[][] = []
    for (const { patient, poweredAt, truth } of worn) {
        const rows = new Map<number, Errors>()
        const names = [...quantities]
        const found = await system.clinic.observations.search({
            ...{ patients: [patient], names, newestFirst: false, limit: 100_000 },
        })
        for (const { name, time, value } of found) {
            const seconds = (time - poweredAt) / 1000
            const error = value === null ? null : value - valueAt(truth[name], Math.max(0, seconds - lookBackS))
            const at = Math.round(time / readingMs)
            const row = rows.get(at) ?? { hr: null, spo2: null, temp: null }
            row[name] = error
            rows.set(at, row)
        }
        const errors = [...rows].sort(([a], [b]) => a - b).map(([, row]) => row)
        // The first minute is the sensors' warming up.
        for (let i = blockReadings; i + blockReadings <= errors.length; i += blockReadings)
            blocks.push(errors.slice(i, i + blockReadings))
    }
    return blocks
}

/** The alarms of one wearer for so long. Where the pulse is gone there is neither rate nor saturation. */
function alarmsOf(
    options: ReturnType<typeof wearerOptions>,
    seconds: number,
    { blocks, random }: { blocks: Errors[][]; random: () => number },
    replay = new Replay(defaultConfig),
    startS = 0,
): Replay {
    const { perfusion, ...truth } = truthOf(options)
    for (let s = 0; s < seconds; s += (blockReadings * readingMs) / 1000) {
        const block = blocks[Math.floor(random() * blocks.length)]!
        for (const [i, errors] of block.entries()) {
            const at = s + (i * readingMs) / 1000
            const hasPulse = valueAt(perfusion, at) > 0
            for (const name of quantities) {
                const error = errors[name]
                if (error === null || (name !== "temp" && !hasPulse)) continue
                replay.take(name, (startS + at) * 1000, valueAt(truth[name], at) + error)
            }
        }
    }
    return replay
}

/** Which alarms a deterioration has to raise. */
const expected: [ConditionName, hours: number, kinds: (keyof typeof margins)[]][] = [
    ["fever", 8, ["temp-high"]],
    ["tachycardia", 1, ["hr-high"]],
    ["bradycardia", 1, ["hr-low"]],
    ["hypoxia", 2, ["spo2-low"]],
    ["sepsis", 12, ["temp-high", "hr-high", "spo2-low"]],
    ["arrest", 8, ["spo2-low", "hr-high", "hr-low"]],
]
/**
 * An alarm has to come within a minute after the wearer is beyond the limit by what the sensor may be wrong: of a temperature the
 * 0.3 °C that skin is cooler, and 0.1 °C of the chip.
 */
const statedS = 60
const margins = {
    "hr-high": { name: "hr", from: defaultConfig.hrHigh + 3, sign: 1 },
    "hr-low": { name: "hr", from: defaultConfig.hrLow - 3, sign: -1 },
    "spo2-low": { name: "spo2", from: defaultConfig.spo2Low - 2, sign: -1 },
    "temp-high": { name: "temp", from: defaultConfig.tempHigh + 0.4, sign: 1 },
} as const

/** When the wearer is beyond the limit and the margin, in seconds; undefined: never. */
function beyondAt(truth: Truth, kind: keyof typeof margins, seconds: number): number | undefined {
    const { name, from, sign } = margins[kind]
    for (let s = 0; s < seconds; s++) if (sign * (valueAt(truth[name], s) - from) >= 0) return s
    return undefined
}

test("a ward over a month: each deterioration raises its alarms in time, and who has nothing raises hardly any", async t => {
    const [wearers, minutes, patients, days, times] = isLong ? [6, 20, 24, 30, 20] : [2, 5, 4, 2, 1]
    const blocks = await sample(t, wearers, minutes)
    assert.ok(blocks.length >= wearers * (minutes - 2), `${blocks.length} stretches`)
    const random = seededRandom(11)
    const drawn = { blocks, random }

    for (const [condition, hours, kinds] of expected)
        for (let time = 0; time < times; time++) {
            const options = wearerOptions(1000 + time, condition)
            const { episodes } = alarmsOf(options, hours * 3600, drawn)
            for (const kind of kinds) {
                const at = beyondAt(truthOf(options), kind, hours * 3600)
                assert.ok(at !== undefined, `${condition} ${time}: never ${kind}`)
                const first = episodes.find(episode => episode.kind === kind)
                assert.ok(first, `${condition} ${time}: no ${kind}`)
                assert.ok(
                    first.from / 1000 <= at + statedS,
                    `${condition} ${time}: ${kind} at ${first.from / 1000} s, ${at}`,
                )
            }
        }

    let alarms = 0
    for (let patient = 0; patient < patients; patient++) {
        const replay = new Replay(defaultConfig)
        for (let s = 0; s < days * dayS; s += shiftS)
            alarmsOf(wearerOptions(5000 + patient * 100 + s / shiftS), shiftS, drawn, replay, s)
        alarms += replay.episodes.length
    }
    const perDay = alarms / (patients * days)
    t.diagnostic(
        `${blocks.length} stretches of bytecode; ${perDay.toFixed(3)} alarms per patient and day from who has nothing`,
    )
    assert.ok(perDay <= 1, `${perDay} alarms per patient and day`)
})
