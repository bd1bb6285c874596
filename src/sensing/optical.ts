import { config } from "../config/config"
import {
    fullScaleCounts,
    glanceMax30102,
    isDazzled,
    readMax30102,
    restMax30102,
    sampleBytes,
    setCurrents,
    startMax30102,
    stepsPerMilliamp,
    stopMax30102,
} from "../drivers/max30102"
import { SensorError } from "../drivers/registers"
import { complains, failed, isRunning, runs, Sensor, works } from "./health"
import { adjust, countsOf, infrared, limit, red, reflectance, reflectanceOf, stepsOf, take } from "./led"
import { sleep } from "../platform/sleep"

/*
 * The mote's optical sensor: it says whether there is skin, holds the light of both LEDs in the converter's range, and goes
 * dark while nobody wears it. Nothing here throws: a chip that is absent or fails is just not running.
 *
 * Started, read and stopped by `sensing.ts`; only this module writes its state.
 */

/** What skin returns, in nA per mA: 60 to 700. Cover glass and a room return far less… */
const minSkin = 45
/** …skin that was there counts as long as it returns so much… */
const keepSkin = 35
/** …and what returns more is not the light of the LED. */
const maxSkin = 2000
/** With skin in front, a LED that works returns at least this share of what the other does. */
const minShare = 0.03
/** Even the bare cover glass returns more of the light of a LED that works, in nA per mA. */
const minGlass = 0.3
/** Bursts or glances until skin counts as gone or back, and a LED as broken. */
const absentBursts = 2
const presentGlances = 3
const darkBursts = 4
/** 1 mA, to look for skin. */
const glanceSteps = 5
/** Every 400 ms a lamp on the mains looks the same; a glance that sees something is followed by one so much later. */
const glanceShiftMs = 3

/** Skin moves, by pulse, breath and warmth; what changes by less than this share of its light in a minute is a thing. */
const stillShare = 0.0002
const stillBursts = 150
/** A thing that returns as much light as before, but for this share, is the same. */
const sameShare = 0.1

const dazzled = "too much light around"
const lost = "samples lost"

/** Whether there is skin in front of the sensor. */
export let contact = false
/** What the last `readOptical` has read, `sampleBytes` a sample, oldest first. */
export let light: Buffer

/** The chip rests and looks for skin. */
let isResting = false
/** The next burst may hold samples of another current. */
let isUnsettled = false
/** Bursts without skin, or glances with. */
let changing = 0
let redDark = 0
let infraredDark = 0
/** Infrared counts of the bursts since something moved. */
let lowest: number
let highest: number
let stillFor = 0
/** Reflectance of the thing that it lies on. */
let thing = 0
/** What keeps it from measuring, if anything. */
let complaint: string

/** Starts the chip, if it is there. */
export async function startOptical(): Promise<void> {
    try {
        await wake()
        runs(Sensor.optical)
    } catch (e) {
        fail(e as Error)
    }
}

/** Switches the chip off, if it is there; `startOptical` ends that. */
export async function stopOptical(): Promise<void> {
    try {
        if (isRunning(Sensor.optical)) await stopMax30102()
    } catch (e) {
        fail(e as Error)
    }
}

/**
 * Reads what the chip has, into `light`.
 * @returns the number of samples; −1 where the signal has a gap and starts anew
 */
export async function readOptical(): Promise<number> {
    try {
        const count = isResting ? await look() : await measure()
        if (complaint) complains(Sensor.optical, complaint)
        else works(Sensor.optical)
        return count
    } catch (e) {
        fail(e as Error)
        return -1
    }
}

function fail(error: Error): void {
    contact = false
    failed(Sensor.optical, error)
}

async function wake(): Promise<void> {
    const most = maxSteps()
    limit(red, most)
    limit(infrared, most)
    if (!(await startMax30102(stepsOf(red), stepsOf(infrared)))) throw new SensorError("unknown chip")
    isResting = isUnsettled = false
    changing = redDark = infraredDark = stillFor = 0
}

/** Nobody is there: the LEDs go dark but for a glance now and then, of the infrared one if it works. */
async function rest(): Promise<void> {
    if (infraredDark >= darkBursts) await restMax30102(glanceSteps, 0)
    else await restMax30102(0, glanceSteps)
    contact = false
    isResting = true
    changing = 0
}

async function measure(): Promise<number> {
    const samples = await readMax30102()
    if (!samples) {
        complaint = lost
        return -1
    }
    if (complaint === lost) complaint = undefined
    if (samples.length === 0) return 0
    light = samples
    weigh()
    if (isUnsettled) {
        isUnsettled = false
        return -1
    }
    const least = contact ? keepSkin : minSkin
    const redShine = reflectanceOf(red)
    const infraredShine = reflectanceOf(infrared)
    const shine = Math.max(redShine, infraredShine)
    if (isDazzled || shine < least || shine > maxSkin) {
        if (++changing >= absentBursts) {
            if (isDazzled || shine > maxSkin) complaint = dazzled
            else if (contact && shine < minGlass) complaint = "LEDs dark"
            await rest()
        }
        return -1
    }
    changing = 0
    contact = true
    redDark = redShine < minShare * shine ? redDark + 1 : 0
    infraredDark = infraredShine < minShare * shine ? infraredDark + 1 : 0
    if (infraredDark >= darkBursts) complaint = "infrared LED dark"
    else complaint = redDark >= darkBursts ? "red LED dark" : undefined
    if (isStill()) {
        thing = infraredShine
        await rest()
        return -1
    }
    if (await adjustBoth()) return -1
    return infraredDark ? -1 : Math.idiv(light.length, sampleBytes)
}

/** Whether nothing has moved for so long that this is no skin. */
function isStill(): boolean {
    const counts = countsOf(infrared)
    if (stillFor === 0) lowest = highest = counts
    lowest = Math.min(lowest, counts)
    highest = Math.max(highest, counts)
    const moves = highest - lowest > stillShare * counts
    stillFor = moves ? 0 : stillFor + 1
    return stillFor >= stillBursts
}

/** Brings the LED currents to where they should be. @returns whether that breaks the signal */
async function adjustBoth(): Promise<boolean> {
    const most = maxSteps()
    // Both in one go: a change breaks the signal of either.
    const redChanges = !redDark && adjust(red, most)
    const infraredChanges = !infraredDark && adjust(infrared, most)
    if (!redChanges && !infraredChanges) return false
    await setCurrents(stepsOf(red), stepsOf(infrared))
    isUnsettled = true
    return true
}

/** Whether skin is back: the light of one LED returns, which no other light can pretend. */
async function look(): Promise<number> {
    if (changing > 0) await sleep(glanceShiftMs * changing)
    light = await glanceMax30102()
    weigh()
    const shine = reflectance(Math.abs(countsOf(infrared) - countsOf(red)), glanceSteps)
    if (isDazzled) complaint = dazzled
    else if (complaint === dazzled) complaint = undefined
    const isSame = Math.abs(shine - thing) <= sameShare * thing
    if (!isSame) thing = 0
    const isSkin = !isSame && !isDazzled && shine >= minSkin && shine <= maxSkin
    changing = isSkin ? changing + 1 : 0
    if (changing < presentGlances) return 0
    await wake()
    contact = true
    return -1
}

/** The level of both colours in a burst; every second sample will do, the newest included. */
function weigh(): void {
    const samples = light
    const count = Math.idiv(samples.length, sampleBytes)
    const weighed = (count + 1) >> 1
    let redSum = 0
    let infraredSum = 0
    let redMin = fullScaleCounts
    let infraredMin = fullScaleCounts
    let redMax = 0
    let infraredMax = 0
    for (let at = (count - 1) * sampleBytes; at >= 0; at -= 2 * sampleBytes) {
        const redCounts = ((samples[at] & 3) << 16) | (samples[at + 1] << 8) | samples[at + 2]
        const infraredCounts = ((samples[at + 3] & 3) << 16) | (samples[at + 4] << 8) | samples[at + 5]
        redSum += redCounts
        infraredSum += infraredCounts
        if (redCounts < redMin) redMin = redCounts
        if (infraredCounts < infraredMin) infraredMin = infraredCounts
        if (redCounts > redMax) redMax = redCounts
        if (infraredCounts > infraredMax) infraredMax = infraredCounts
    }
    take(red, redSum / weighed, redMin, redMax)
    take(infrared, infraredSum / weighed, infraredMin, infraredMax)
}

/** The most that a LED may get. */
function maxSteps(): number {
    return config.led * stepsPerMilliamp
}
