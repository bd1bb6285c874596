import { decode, encode, isCount, WireError } from "./cbor.ts"
import { refusalNumbers, toRefusal } from "./refusal.ts"
import { namesByColumn, quantities, quantityOf, type Quantity } from "./tables/quantities.ts"
import type { Refusal } from "./tables/refusals.ts"

/*
 * Packs of readings: columns over a common series of times, each a series of differences; docs/wire.md, "Vitals". On the
 * host a pack is a list of measurements with the names and units of SenML.
 */

/** One value, as a resolved SenML record (RFC 8428 §4.6). */
export interface Measurement {
    /** The name without the base name, such as `hr` or `temp`. A column of a newer mote is called `x-CODE`. */
    name: string
    unit: string
    value: number
    /** Unix time in milliseconds, in steps of 1/16 s. */
    time: number
    /** The mote had no clock: `time` was counted back from the arrival of the envelope. */
    relative: boolean
    /** The reason, for `refusedName` only. */
    refusal?: Refusal
}

/** The name of the version of the configuration in force. */
const configName = "config"
/** The name of the version of a configuration that the mote has refused. */
export const refusedName = "config-refused"

/** The maximum number of readings in a pack. A mote packs at most 30. */
export const maxReadings = 32
/** The maximum number of values in a pack. */
export const maxValues = 256

/** The maximum of a number on the wire, so that sums of differences stay exact. */
const maxNumber = 2 ** 31 - 1
/** Times are in ticks of 1/16 s. */
export const tickMs = 62.5
export const ticksPerSecond = 16
/** The last second of the year 9999, which a Date can still represent. */
const maxTicks = 253_402_300_799 * ticksPerSecond
const motionColumn = quantities.motion.column
const unknownName = /^x-(\d{1,9})$/
/** Keys of the map of extras. */
const extra = { lost: 0, battery: 1, config: 2, refused: 3, delay: 4 }

/**
 * Decodes a pack that arrived at `receivedAt` (Unix time in milliseconds). The order is that of the columns, then that of
 * the readings. Throws WireError.
 */
export function decodePack(plaintext: Uint8Array, receivedAt: number): Measurement[] {
    const pack = decode(plaintext)
    if (!Array.isArray(pack) || pack.length < 3 || pack.length > 4) throw new WireError("not a pack")
    const [base, steps, columns, extras] = pack as unknown[]
    if (!Number.isSafeInteger(base)) throw new WireError("a pack's base is not an integer")
    const relative = (base as number) < 0
    const start = relative ? (base as number) + 1 : (base as number) * ticksPerSecond
    const ticks = decodeSteps(steps, start, relative)
    const at = (tick: number) => ({ time: resolveTime(tick, relative, receivedAt), relative })
    const times = ticks.map(at)
    const measurements: Measurement[] = []
    if (!(columns instanceof Map)) throw new WireError("a pack's columns are not a map")
    for (const [code, column] of columns as Map<unknown, unknown>) {
        if (!isCount(code)) throw new WireError("a column's code is not an unsigned integer")
        const values = decodeColumn(code, column, times.length)
        const { name, unit, perUnit } = quantityIn(code)
        for (const [i, value] of values.entries())
            if (value !== null) measurements.push({ name, unit, value: value / perUnit, ...times[i]! })
        if (measurements.length > maxValues) throw new WireError(`more than ${maxValues} values`)
    }
    if (times.length === 0 && extras === undefined) throw new WireError("an empty pack")
    if (extras !== undefined) measurements.push(...decodeExtras(extras, ticks, start, at))
    return measurements
}

/** Returns the time of each reading in ticks. */
function decodeSteps(steps: unknown, start: number, relative: boolean): number[] {
    if (!Array.isArray(steps) || !steps.every(isNumber)) throw new WireError("a pack's steps are not integers")
    if (steps.length > maxReadings) throw new WireError(`more than ${maxReadings} readings`)
    if (relative && steps.length > 1) throw new WireError("several readings without a clock")
    const ticks: number[] = []
    let step = 0
    for (const [i, change] of (steps as number[]).entries()) {
        if (i === 0) {
            if (change < 0 || change >= (relative ? 1 : ticksPerSecond))
                throw new WireError("a pack's base is too early")
            ticks.push(start + change)
            continue
        }
        step += change
        ticks.push(ticks[i - 1]! + step)
    }
    return ticks
}

/** Returns the numbers of one column, one for each reading; null: none. */
function decodeColumn(code: number, column: unknown, readings: number): (number | null)[] {
    const known = namesByColumn.has(code)
    if (known && isCount(column) !== (code === motionColumn)) throw new WireError("a column has the wrong type")
    if (isCount(column)) {
        if (column === 0 || column >= 2 ** readings) throw new WireError("flags of no reading")
        return Array.from({ length: readings }, (_, i) => (Math.floor(column / 2 ** i) % 2 === 1 ? 1 : null))
    }
    if (!Array.isArray(column) || column.length === 0 || column.length > readings || column.at(-1) === null)
        throw new WireError("a column has the wrong length")
    let last = 0
    return (column as unknown[]).map(difference => {
        if (difference === null) return null
        if (!isNumber(difference) || !isNumber((last += difference)))
            throw new WireError("a column has a number out of range")
        return last
    })
}

function quantityIn(code: number): { name: string } & Pick<Quantity, "unit" | "perUnit"> {
    const name = namesByColumn.get(code)
    return name === undefined ? { name: `x-${code}`, unit: "/", perUnit: 1 } : { name, ...quantityOf(name)! }
}

/** Decodes the map of extras. Unknown keys are ignored. */
function decodeExtras(
    extras: unknown,
    ticks: number[],
    start: number,
    at: (tick: number) => Pick<Measurement, "time" | "relative">,
): Measurement[] {
    if (!(extras instanceof Map) || extras.size === 0) throw new WireError("a pack's extras are not a map with pairs")
    const get = (key: number) => {
        const value = (extras as Map<unknown, unknown>).get(key)
        if (value !== undefined && !isCount(value)) throw new WireError("an extra is not an unsigned integer")
        return value
    }
    const sealed = at((ticks.at(-1) ?? start) + (get(extra.delay) ?? 0))
    const measurements: Measurement[] = []
    const add = (name: string, unit: string, value: number | undefined, when = sealed, refusal?: Refusal) => {
        if (value !== undefined) measurements.push({ name, unit, value, ...when, ...(refusal && { refusal }) })
    }
    add("lost", quantities.lost.unit, get(extra.lost), at(ticks[0] ?? start))
    add("batt", quantities.batt.unit, get(extra.battery))
    add(configName, "count", get(extra.config))
    const refused: unknown = extras.get(extra.refused)
    if (refused === undefined) return measurements
    const [version, refusal, ...more] = Array.isArray(refused) ? (refused as unknown[]) : []
    if (!isCount(version) || more.length > 0) throw new WireError("a refused version is malformed")
    add(refusedName, "count", version, sealed, toRefusal(refusal))
    return measurements
}

/**
 * Encodes measurements as one pack. Values and times are rounded to the resolution of the wire. What has the same time
 * is one reading, whatever the order of the list. `now` is the moment of sending as Unix time in milliseconds, and the time of
 * battery and configuration. Throws RangeError for what a pack cannot say, such as an unknown name.
 */
export function encodePack(measurements: Measurement[], now: number): Uint8Array {
    const extras = new Map<number, unknown>()
    const columns = new Map<number, (number | null)[]>()
    const relative = measurements.some(m => m.relative)
    const zero = relative ? now : 0
    const ticksOf = (time: number) => Math.round((time - zero) / tickMs)
    if (measurements.some(m => m.relative !== relative)) throw new RangeError("a pack with and without a clock")
    const values = measurements.filter(m => !addExtra(extras, m))
    const readings = readingsOf(values, ticksOf)
    for (const [i, { values }] of readings.entries())
        for (const [name, value] of values) {
            const { code, perUnit } = columnOf(name)
            if (code === motionColumn && value === 0) continue
            const column = columns.get(code) ?? []
            column[i] = whole(value * perUnit)
            columns.set(code, column)
        }
    const ticks = readings.map(({ tick }) => tick)
    if (ticks.length > maxReadings) throw new RangeError(`more than ${maxReadings} readings`)
    if (relative && ticks.length > 1) throw new RangeError("several readings without a clock")
    const start = ticks[0] ?? ticksOf(now)
    const base = relative ? start - 1 : Math.floor(start / ticksPerSecond)
    const delay = Math.max(0, ticksOf(now) - (ticks.at(-1) ?? (relative ? start : base * ticksPerSecond)))
    const isTimed = [extra.battery, extra.config, extra.refused].some(key => extras.has(key))
    if (isTimed && delay > 0) extras.set(extra.delay, delay)
    const steps = ticks.map((tick, i) => {
        if (i === 0) return relative ? 0 : tick - base * ticksPerSecond
        const before = i === 1 ? 0 : ticks[i - 1]! - ticks[i - 2]!
        return tick - ticks[i - 1]! - before
    })
    const pack = [base, steps, new Map([...columns].map(([code, values]) => [code, encodeColumn(code, values)]))]
    return encode(extras.size > 0 ? [...pack, extras] : pack)
}

/** Groups measurements by their time, and those of the same name and time apart, in the order of time. */
function readingsOf(
    measurements: Measurement[],
    ticksOf: (time: number) => number,
): { tick: number; values: Map<string, number> }[] {
    const readings: { tick: number; values: Map<string, number> }[] = []
    for (const { name, time, value } of measurements) {
        const tick = ticksOf(time)
        const reading = readings.find(other => other.tick === tick && !other.values.has(name))
        if (reading) reading.values.set(name, value)
        else readings.push({ tick, values: new Map([[name, value]]) })
    }
    return readings.sort((a, b) => a.tick - b.tick)
}

/** Puts a measurement that is not of one reading into the map of extras. Returns false if it is not such a one. */
function addExtra(extras: Map<number, unknown>, { name, value, refusal }: Measurement): boolean {
    if (name === refusedName) {
        if (!refusal) throw new RangeError("a refused version without its refusal")
        extras.set(extra.refused, [value, refusalNumbers(refusal)])
    } else if (name === configName) extras.set(extra.config, value)
    else if (name === "batt") extras.set(extra.battery, whole(value))
    else if (name === "lost") extras.set(extra.lost, value)
    else return false
    return true
}

function columnOf(name: string): { code: number; perUnit: number } {
    const quantity = quantityOf(name)
    if (quantity?.column !== undefined) return { code: quantity.column, perUnit: quantity.perUnit }
    const [, code] = unknownName.exec(name) ?? []
    if (code === undefined) throw new RangeError(`a pack cannot say ${name}`)
    return { code: Number(code), perUnit: 1 }
}

function encodeColumn(code: number, values: (number | null)[]): unknown {
    if (code === motionColumn) return values.reduce<number>((flags, value, i) => flags + (value ? 2 ** i : 0), 0)
    let last = 0
    return Array.from(values, value => {
        if (value === undefined || value === null) return null
        const difference = value - last
        last = value
        return difference
    })
}

/** Returns Unix time in milliseconds of a time in ticks, Unix or relative to the arrival. Throws WireError. */
export function resolveTime(ticks: number, relative: boolean, receivedAt: number): number {
    if (relative && ticks > 0) throw new WireError("a time lies in the future")
    const time = Math.round((relative ? receivedAt : 0) + ticks * tickMs)
    if (!(time >= 0 && ticks <= maxTicks)) throw new WireError("a time is out of range")
    return time
}

/** Rounds to an integer that CBOR encodes as one, which it does not do with a negative zero. */
export function whole(value: number): number {
    return Math.round(value) + 0
}

/** Tells whether a value is an integer as columns have them. */
export function isNumber(value: unknown): value is number {
    return Number.isInteger(value) && Math.abs(value as number) <= maxNumber
}
