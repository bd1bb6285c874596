// The firmware on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware } from "../../../devicescript/build.ts"
import { reportOf } from "../../../emulator/report.ts"
import { madeUpBody, type Acceleration, type Body, type Led } from "../../../sim/body/index.ts"
import { wearableChips } from "../../../sim/devices/chips.ts"
import { storageAt, storageBytes } from "../../../emulator/storage.ts"
import { memoryFlash } from "../../../sim/mote/program.ts"
import { Mote } from "../../../sim/mote/mote.ts"
import { World, type Arrived } from "../../proof/world.ts"
import { live, wearer } from "./silicon.ts"

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

const seconds = 80
/** Times are in sixteenths of a second. */
const timeStepMs = 63

/** In WebAssembly, with a body that is ahead by so many seconds. @returns when its light was seen first, too */
async function inWebAssembly(world: World, aheadS: number, forS: number) {
    const body = new Watched(aheadS)
    const flash = memoryFlash()
    const mote = await Mote.start({
        clock: world.clock,
        random: world.random,
        image: await buildFirmware("src/main.ts"),
        flash,
        settings: world.settings,
        chips: wearableChips(world.clock, body),
        connect: world.connect,
    })
    await world.clock.run(forS * 1000)
    mote.stop()
    return { firstS: body.firstS!, flash }
}

/** The wearer, ahead by so many seconds. */
class Watched implements Body {
    firstS: number | undefined
    private readonly body = madeUpBody(wearer)
    private readonly aheadS: number

    constructor(aheadS: number) {
        this.aheadS = aheadS
    }

    reflectance(led: Led, atS: number): number {
        this.firstS ??= atS
        return this.body.reflectance(led, atS + this.aheadS)
    }

    skinTemperature(atS: number): number {
        return this.body.skinTemperature(atS + this.aheadS)
    }

    acceleration(atS: number): Acceleration {
        return this.body.acceleration!(atS + this.aheadS)
    }
}

// Their entries differ, as the VM has no I2C of its own; everything behind the bus is the same source. The board's runtime takes a
// second more to start, so the body in WebAssembly is ahead by that: both sensors see the same light at the same sample.
test("the same firmware, wearer and seed in WebAssembly and on the chip: the same envelopes and flash", async t => {
    const [silicon, trial, virtual] = [new World(2), new World(2), new World(2)]
    t.after(() => [silicon, trial, virtual].forEach(world => world.close()))
    const body = new Watched(0)
    const life = await live(silicon, { chips: own => wearableChips(own, body) })
    await life.run(seconds)
    const aheadS = body.firstS! - (await inWebAssembly(trial, 0, 5)).firstS
    assert.ok(aheadS > 0.5 && aheadS < 2, String(aheadS))
    const { flash } = await inWebAssembly(virtual, aheadS, seconds - aheadS)

    const [onChip, inVm] = [silicon.arrived(), virtual.arrived()]
    const common = Math.min(onChip.length, inVm.length)
    assert.ok(common >= 7 && Math.abs(onChip.length - inVm.length) <= 1, `${onChip.length} and ${inVm.length}`)
    const contents = ({ boot, seq, purpose, measurements }: Arrived) => ({
        ...{ boot, seq, purpose },
        // The thermometer is read a few milliseconds apart, which a hundredth of a degree shows.
        values: measurements.map(({ name, unit, value }) => ({ name, unit, ...(name !== "temp" && { value }) })),
    })
    assert.deepEqual(onChip.slice(0, common).map(contents), inVm.slice(0, common).map(contents))
    const temperatures = (arrived: Arrived[]) =>
        arrived.slice(0, common).flatMap(({ measurements }) => measurements.filter(({ name }) => name === "temp"))
    const others = temperatures(inVm)
    for (const [i, { value }] of temperatures(onChip).entries())
        assert.ok(Math.abs(value - others[i]!.value) < 0.025, `${value} and ${others[i]!.value} °C`)
    const names = new Set(onChip.flatMap(({ measurements }) => measurements.map(({ name }) => name)))
    for (const name of ["hr", "hr-q", "spo2", "temp"]) assert.ok(names.has(name), name)
    // Until a receipt has set the clock, times are those of the arrival.
    const gaps = ({ measurements }: Arrived) => measurements.map(({ time }) => time - measurements[0]!.time)
    for (let i = 1; i < common; i++) {
        const others = gaps(inVm[i]!)
        for (const [at, gap] of gaps(onChip[i]!).entries())
            assert.ok(Math.abs(gap - others[at]!) <= 2 * timeStepMs, `envelope ${i}: ${gap} and ${others[at]} ms`)
    }

    const onBoard = life.mote.board.flash.contents.subarray(storageAt, storageAt + storageBytes)
    const [onChipFlash, inVmFlash] = [stored(onBoard), stored(flash.contents)]
    for (const key of [":kid", ":secret", ":boot"])
        assert.ok(onChipFlash[key] && onChipFlash[key] === inVmFlash[key], key)
    // Its router has another name there, and it has a WiFi.
    const own = ["wifi_ssid", "wifi_psk"]
    assert.deepEqual(
        Object.keys(onChipFlash)
            .filter(key => !own.includes(key))
            .sort(),
        Object.keys(inVmFlash).sort(),
    )
    t.diagnostic(`${common} envelopes agree, ${aheadS.toFixed(3)} s apart`)
})
