import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody } from "../../sim/body/index.ts"
import { wearableChips, type ThermometerName } from "../../sim/devices/chips.ts"
import type { FaultKind, FaultyChip } from "../../sim/devices/faults.ts"
import { sense, type SensedReading } from "./sense.ts"

const bpm = 66
const skinC = 36.7
const faultS = 20
/** Two readings: time to detect a fault and its end. */
const noticeS = 4
/** Time for a heart rate, and one reading. */
const windowS = 12
/** Time for each thermometer to settle, and two readings. */
const settlingS: Record<ThermometerName, number> = { max30205: 44, tmp117: 44, mlx90614: 124 }

const body = syntheticBody({ seed: 9, bpm })

const hasRate = ({ bpm }: SensedReading) => bpm !== undefined
const hasTemperature = ({ tempC }: SensedReading) => tempC !== undefined

/** A wearer at rest while one chip has a fault: readings during it and after it, once it can be detected. */
async function wear(chip: FaultyChip, kind: FaultKind, thermometer: ThermometerName = "max30205") {
    const fromS = settlingS[thermometer] + 10
    const toS = fromS + faultS
    const { readings, messages, panics, run } = await sense(body, 1, clock =>
        wearableChips(clock, body, 1, { thermometer, faults: [{ chip, kind, fromS, toS }] }),
    )
    await run(toS + settlingS[thermometer] + 12)
    const between = (fromS: number, toS: number) =>
        readings.filter(({ atMs }) => atMs >= fromS * 1000 && atMs < toS * 1000)
    assert.deepEqual(panics, [])
    // Readings never stop, whatever fails, and their values are never wrong.
    for (let n = 1; n < readings.length; n++)
        assert.ok(readings[n]!.atMs - readings[n - 1]!.atMs < 3500, `gap: ${readings[n]!.atMs} ms`)
    for (const { atMs, bpm: rate, tempC } of readings) {
        if (rate !== undefined) assert.ok(Math.abs(rate - bpm) < 6, `${rate} bpm at ${atMs} ms`)
        if (tempC !== undefined) assert.ok(Math.abs(tempC - skinC) < 0.25, `${tempC} °C at ${atMs} ms`)
    }
    const before = between(fromS - 6, fromS)
    assert.ok(before.length >= 2 && before.every(hasRate) && before.every(hasTemperature))
    const last = readings.slice(-2)
    assert.ok(last.every(hasRate) && last.every(hasTemperature), "values come back")
    return {
        during: between(fromS + noticeS, toS),
        after: between(toS + noticeS, Infinity),
        withRate: between(toS + noticeS + windowS, Infinity),
        messages,
        said: (name: string) => messages.filter(line => line.startsWith(`${name}: `)),
    }
}

for (const kind of ["nack", "reset"] as const)
    test(`optical, ${kind}: temperatures go on, and the rate is back a window after the chip`, async () => {
        const { during, after, withRate, said } = await wear("optical", kind)
        assert.ok(during.every(hasTemperature) && after.every(hasTemperature))
        assert.ok(!during.some(hasRate))
        assert.ok(withRate.every(hasRate))
        assert.match(said("optical sensor")[0]!, /I2C error 1/)
        assert.equal(said("optical sensor").at(-1), "optical sensor: works again")
    })

for (const kind of ["overflow", "saturation", "led"] as const)
    test(`optical, ${kind}: no rate while it lasts`, async () => {
        const { during, withRate } = await wear("optical", kind)
        assert.ok(!during.some(hasRate))
        assert.ok(withRate.every(hasRate))
    })

for (const kind of ["nack", "reset", "saturation"] as const)
    test(`thermometer, ${kind}: the rate goes on, and temperatures are back when they have settled`, async () => {
        const { during, after, said } = await wear("thermometer", kind)
        assert.ok(during.every(hasRate) && after.every(hasRate))
        assert.ok(!during.some(hasTemperature))
        if (kind === "saturation") return
        assert.match(said("thermometer")[0]!, /I2C error 1/)
        assert.equal(said("thermometer").at(-1), "thermometer: works again")
    })

for (const kind of ["nack", "reset", "overflow", "saturation"] as const)
    test(`accelerometer, ${kind}: temperatures go on, and the rate is never wrong`, async () => {
        const { during, after, withRate } = await wear("accelerometer", kind)
        assert.ok(during.every(hasTemperature) && after.every(hasTemperature))
        assert.ok(withRate.every(hasRate))
    })

const stuck: [FaultyChip, ThermometerName][] = [
    ["optical", "max30205"],
    ["thermometer", "tmp117"],
    ["accelerometer", "mlx90614"],
]
for (const [chip, thermometer] of stuck)
    test(`${chip} keeps the data line low (${thermometer}): all chips fail, and all are back within two readings`, async () => {
        const { during, withRate, said } = await wear(chip, "stuck", thermometer)
        assert.ok(during.length >= 7)
        assert.ok(!during.some(hasRate) && !during.some(hasTemperature))
        assert.ok(withRate.every(hasRate))
        for (const name of ["optical sensor", "thermometer", "accelerometer"]) {
            assert.match(said(name)[0]!, /I2C error 2/)
            assert.equal(said(name).at(-1), `${name}: works again`)
        }
    })
