import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody, type Body } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import type { Fault } from "../../sim/devices/faults.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { decodeAlarms } from "../../wire/alarms.ts"

const delayS = 10
/** A fault, or its end, is detected with the second reading. */
const noticeS = 4.5
/** How far an alarm may precede its value. */
const earlyS = 0.1

const calm = syntheticBody({ seed: 9, bpm: 66 })

/** The alarms of a mote worn for some seconds: kind, and second of the wearer. */
async function watch(seconds: number, body: Body, faults: Fault[] = []) {
    const clock = new VirtualClock()
    const startMs = clock.now()
    const alarms: { what: string; second: number; lateMs: number; value: number | null }[] = []
    let hex = ""
    const { run, panics } = await runProgram("test/src/watch.ts", {
        clock,
        chips: wearableChips(clock, body, 1, { faults }),
        log: line => {
            if (line.startsWith("part ")) hex += line.slice(5)
            if (line !== "pack") return
            const now = clock.now()
            const events = decodeAlarms(Buffer.from(hex, "hex"), now)
            hex = ""
            for (const { kind, raised, time, value } of events) {
                alarms.push({
                    what: `${kind} ${raised ? 1 : 0}`,
                    second: (time - startMs) / 1000,
                    lateMs: now - time,
                    value,
                })
            }
        },
        panic: code => panics.push(code),
    })
    await run(seconds)
    assert.deepEqual(panics, [])
    // A reading may be of a moment one or two bursts ago.
    for (const { lateMs } of alarms) assert.ok(lateMs < 2000, `told after ${lateMs} ms`)
    return alarms
}

function assertAlarms(alarms: { what: string; second: number }[], expected: [what: string, second: number][]): void {
    assert.deepEqual(
        alarms.map(({ what }) => what),
        expected.map(([what]) => what),
    )
    for (const [n, [what, second]] of expected.entries()) {
        const late = alarms[n]!.second - second - delayS
        assert.ok(late >= -earlyS && late <= noticeS, `${what} ${late} s late`)
    }
}

test("a calm wearer of a working mote: no alarm", async () => {
    assert.deepEqual(await watch(120, calm), [])
})

for (const [chip, kind] of [
    ["optical", "nack"],
    ["optical", "reset"],
    ["thermometer", "nack"],
    ["thermometer", "reset"],
] as const)
    test(`${chip}, ${kind}: an alarm after the delay, and its end when the chip is back`, async () => {
        const alarms = await watch(150, calm, [{ chip, kind, fromS: 60, toS: 100 }])
        assertAlarms(alarms, [
            [`${chip} 1`, 60],
            [`${chip} 0`, 100],
        ])
    })

test("a fault shorter than the delay raises no alarm", async () => {
    const fault = { kind: "nack", fromS: 60, toS: 65 } as const
    const faults = (["optical", "thermometer"] as const).map(chip => ({ ...fault, chip }))
    assert.deepEqual(await watch(100, calm, faults), [])
})

test("a data line that is held low fails both sensors at once", async () => {
    const alarms = await watch(150, calm, [{ chip: "accelerometer", kind: "stuck", fromS: 60, toS: 100 }])
    assertAlarms(alarms, [
        ["optical 1", 60],
        ["thermometer 1", 60],
        ["thermometer 0", 100],
        ["optical 0", 100],
    ])
})

test("taken off: contact lost, and back when it is worn again", async () => {
    const isOff = (second: number) => second >= 60 && second < 100
    const body: Body = {
        ...calm,
        reflectance: (led, second) => (isOff(second) ? 5 : calm.reflectance(led, second)),
        skinTemperature: second => (isOff(second) ? 24 : calm.skinTemperature(second)),
    }
    assertAlarms(await watch(150, body), [
        ["contact 1", 60],
        ["contact 0", 100],
    ])
})

test("a rate and a temperature beyond their limits", async () => {
    const alarms = await watch(120, syntheticBody({ seed: 4, bpm: 150, coreC: 39.5 }))
    assert.deepEqual(alarms.map(({ what }) => what).sort(), ["hr-high 1", "temp-high 1"])
    for (const { what, value } of alarms)
        assert.ok(Math.abs(value! - (what === "hr-high 1" ? 150 : 39.5)) < 4, `${what}: ${value}`)
})
