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
import { impaired, failed, isRunning, runs, Sensor, works } from "./health"
import { adjust, countsOf, infrared, limit, red, reflectance, reflectanceOf, stepsOf, take } from "./led"
import { sleep } from "../platform/sleep"

/*
 * The mote's optical sensor: detects skin, keeps the light of both LEDs in the converter's range, and goes dark while
 * nobody wears the mote. Nothing here throws: a chip that is absent or fails is not running.
 *
 * Started, read and stopped by `sensing.ts`; only this module writes its state.
 */

/** Minimum reflectance of skin in nA per mA. Skin returns 60 to 700; cover glass and a room far less. */
const minSkin = 45
/** Skin that was there counts as present down to this reflectance. */
const keepSkin = 35
/** Above this reflectance the light is not that of the LED. */
const maxSkin = 2000
/** With skin in front, a working LED returns at least this share of the light of the other. */
const minShare = 0.03
/** The bare cover glass returns more than this of a working LED's light, in nA per mA. */
const minGlass = 0.3
/** Bursts until skin counts as absent, glances until it counts as present, and bursts until an LED counts as broken. */
const absentBursts = 2
const presentGlances = 3
const darkBursts = 4
/** 1 mA, for detecting skin. */
const glanceSteps = 5
/**
 * A lamp on mains power looks the same every 400 ms, so a glance that detects something is followed by one shifted by
 * this much.
 */
const glanceShiftMs = 3

/**
 * Skin moves with pulse, breathing and warmth. Something whose light changes by less than this share within a minute is
 * an object.
 */
const stillShare = 0.0002
const stillBursts = 150
/** An object is the same if its reflectance differs by less than this share. */
const sameShare = 0.1

const dazzled = "too much ambient light"
const lost = "samples lost"

/** Whether there is skin in front of the sensor. */
export let contact = false
/** Samples of the last `readOptical`, `sampleBytes` each, oldest first. */
export let light: Buffer

/** The chip rests and glances for skin. */
let isResting = false
/** The next burst may include samples of another current. */
let isUnsettled = false
/** Consecutive bursts without skin, or glances with it. */
let changing = 0
let redDark = 0
let infraredDark = 0
/** Infrared counts of the bursts since the last movement. */
let lowest: number
let highest: number
let stillFor = 0
/** Reflectance of the object on which it lies. */
let object = 0
/** The problem that prevents a measurement, if any. */
let problem: string

/** Starts the chip, if it is there. */
export async function startOptical(): Promise<void> {
    try {
        await wake()
        runs(Sensor.optical)
    } catch (e) {
        fail(e as Error)
    }
}

/** Powers the chip down, if it is there, until `startOptical`. */
export async function stopOptical(): Promise<void> {
    try {
        if (isRunning(Sensor.optical)) await stopMax30102()
    } catch (e) {
        fail(e as Error)
    }
}

/**
 * Reads the chip's samples into `light`.
 * @returns the number of samples; −1 after a gap in the signal
 */
export async function readOptical(): Promise<number> {
    try {
        const count = isResting ? await look() : await measure()
        if (problem) impaired(Sensor.optical, problem)
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
    const most = config.led * stepsPerMilliamp
    limit(red, most)
    limit(infrared, most)
    if (!(await startMax30102(stepsOf(red), stepsOf(infrared)))) throw new SensorError("unknown chip")
    isResting = isUnsettled = false
    changing = redDark = infraredDark = stillFor = 0
}

/**
 * Nobody wears the mote: the LEDs stay dark except for a periodic glance with the infrared LED, or with red if that is
 * broken.
 */
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
        problem = lost
        return -1
    }
    if (problem === lost) problem = undefined
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
            if (isDazzled || shine > maxSkin) problem = dazzled
            else if (contact && shine < minGlass) problem = "LEDs dark"
            await rest()
        }
        return -1
    }
    changing = 0
    contact = true
    redDark = redShine < minShare * shine ? redDark + 1 : 0
    infraredDark = infraredShine < minShare * shine ? infraredDark + 1 : 0
    if (infraredDark >= darkBursts) problem = "infrared LED dark"
    else problem = redDark >= darkBursts ? "red LED dark" : undefined
    if (isStill()) {
        object = infraredShine
        await rest()
        return -1
    }
    if (await adjustBoth()) return -1
    return infraredDark ? -1 : Math.idiv(light.length, sampleBytes)
}

/** Whether nothing has moved for so long that this cannot be skin. */
function isStill(): boolean {
    const counts = countsOf(infrared)
    if (stillFor === 0) lowest = highest = counts
    lowest = Math.min(lowest, counts)
    highest = Math.max(highest, counts)
    const moves = highest - lowest > stillShare * counts
    stillFor = moves ? 0 : stillFor + 1
    return stillFor >= stillBursts
}

/** Adjusts the LED currents. @returns whether that interrupts the signal */
async function adjustBoth(): Promise<boolean> {
    const most = config.led * stepsPerMilliamp
    // Both at once, because a change interrupts the signal of both.
    const redChanges = !redDark && adjust(red, most)
    const infraredChanges = !infraredDark && adjust(infrared, most)
    if (!redChanges && !infraredChanges) return false
    await setCurrents(stepsOf(red), stepsOf(infrared))
    isUnsettled = true
    return true
}

/** Glances for skin: the light of one LED returns, which no ambient light can imitate. */
async function look(): Promise<number> {
    if (changing > 0) await sleep(glanceShiftMs * changing)
    light = await glanceMax30102()
    weigh()
    const shine = reflectance(Math.abs(countsOf(infrared) - countsOf(red)), glanceSteps)
    if (isDazzled) problem = dazzled
    else if (problem === dazzled) problem = undefined
    const isSame = Math.abs(shine - object) <= sameShare * object
    if (!isSame) object = 0
    const isSkin = !isSame && !isDazzled && shine >= minSkin && shine <= maxSkin
    changing = isSkin ? changing + 1 : 0
    if (changing < presentGlances) return 0
    await wake()
    contact = true
    return -1
}

/** Computes the level of both colours in a burst; every second sample is enough, including the newest. */
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
