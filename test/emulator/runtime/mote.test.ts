// The firmware on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware } from "../../../devicescript/build.ts"
import { reportOf } from "../../../emulator/report.ts"
import { madeUpBody } from "../../../sim/body/index.ts"
import { wearableChips } from "../../../sim/devices/chips.ts"
import { storageAt, storageBytes } from "../../../emulator/storage.ts"
import { memoryFlash } from "../../../sim/mote/program.ts"
import { Mote } from "../../../sim/mote/mote.ts"
import type { Measurement } from "../../../wire/senml.ts"
import { World, type Arrived } from "../../proof/world.ts"
import { live, wearer } from "./silicon.ts"

/** The middle one of what arrived of a quantity. */
function median(arrived: Arrived[], name: string): number {
    const values = arrived
        .flatMap(({ measurements }) => measurements)
        .filter((measurement: Measurement) => measurement.name === name && typeof measurement.value === "number")
        .map(({ value }) => value as number)
        .sort((a, b) => a - b)
    assert.ok(values.length > 3, `${name}: ${values.length}`)
    return values[values.length >> 1]!
}

/** The values in a store of DeviceScript's (jd_fstor.c): entries of key, offset and size behind a header; the last one counts. */
function stored(storage: Uint8Array): Record<string, string> {
    const bytes = Buffer.from(storage)
    const values: Record<string, string> = {}
    for (let at = 24; bytes.readUInt32LE(at + 16) !== 0xffffffff; at += 24) {
        const key = bytes.toString("latin1", at, bytes.indexOf(0, at))
        const [offset, size] = [bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20)]
        values[key] = bytes.toString("hex", offset, offset + size)
    }
    return values
}

test("on a battery, without anybody at its cable, a mote goes on and its readings arrive", async t => {
    const world = new World(1)
    t.after(() => world.close())
    const life = await live(world)
    await life.run(60)
    assert.equal(life.mote.board.halt, undefined)
    assert.deepEqual(life.events, [])
    const arrived = world.arrived()
    assert.ok(arrived.length >= 2, String(arrived.length))
    const report = reportOf(life.mote.board, 0)
    t.diagnostic(JSON.stringify(report))
    assert.equal(report.resets, 0)
})

// Their entries differ, as the VM has no I2C of its own; everything behind the bus is the same source.
test("the same firmware, wearer and seed in WebAssembly and on the chip: readings and flash agree", async t => {
    const [silicon, virtual] = [new World(2), new World(2)]
    t.after(() => silicon.close())
    t.after(() => virtual.close())
    const life = await live(silicon)
    await life.run(80)
    const body = madeUpBody(wearer)
    const flash = memoryFlash()
    const mote = await Mote.start({
        clock: virtual.clock,
        random: virtual.random,
        image: await buildFirmware("src/main.ts"),
        flash,
        settings: virtual.settings,
        chips: wearableChips(virtual.clock, body),
        connect: virtual.connect,
    })
    t.after(() => mote.stop())
    await virtual.clock.run(80_000)
    const { contents } = life.mote.board.flash
    const onChipFlash = stored(contents.subarray(storageAt, storageAt + storageBytes))
    const inVmFlash = stored(flash.contents)
    for (const key of [":kid", ":secret", ":boot"])
        assert.ok(onChipFlash[key] && onChipFlash[key] === inVmFlash[key], key)
    // Its router has another name there, it has a WiFi; times of alarms differ with the 0.3 s that a runtime takes to start.
    const own = ["wifi_ssid", "wifi_psk"]
    assert.deepEqual(
        Object.keys(onChipFlash)
            .filter(key => !own.includes(key))
            .sort(),
        Object.keys(inVmFlash).sort(),
    )
    const [onChip, inVm] = [silicon.arrived(), virtual.arrived()]
    t.diagnostic(JSON.stringify(inVm.at(-1)!.measurements.slice(0, 6)))
    t.diagnostic(JSON.stringify(onChip.at(-1)!.measurements.slice(0, 6)))
    for (const [name, tolerance] of Object.entries({ hr: 1, spo2: 1 }))
        assert.ok(Math.abs(median(onChip, name) - median(inVm, name)) <= tolerance, name)
})
