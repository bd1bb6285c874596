import { Tag } from "cbor2"
import { decode, encode, WireError } from "./cbor.ts"
import { eui } from "./keys.ts"
import { decodeRefusal, encodeRefusal } from "./refusal.ts"
import type { Refusal } from "./tables/refusals.ts"

/*
 * SenML packs in CBOR, RFC 8428 §6: arrays of maps with integer labels. A mote sends numbers; its only data values are
 * refusals.
 */

/** One resolved record (RFC 8428 §4.6). */
export interface Measurement {
    /** The name without the base name, such as `hr` or `temp`. */
    name: string
    unit: string
    value: number
    /** Unix time in milliseconds. */
    time: number
    /** The mote had no clock: `time` was counted back from the arrival of the envelope. */
    relative: boolean
    /** The reason, for `refusedName` only. It comes in a second record of that name, which has `vd` in place of `v`. */
    refusal?: Refusal
}

/** The name of the record with the version of a configuration that the mote has refused. */
export const refusedName = "config-refused"

/** Labels of RFC 8428 §6, table 4. */
const label = { bver: -1, bn: -2, bt: -3, bu: -4, bv: -5, bs: -6, n: 0, u: 1, v: 2, s: 5, t: 6 }
const stringValue = 3
const booleanValue = 4
const dataValue = 8

/** The maximum number of records in a pack. A mote's largest, 30 readings with all quantities, has 160. */
export const maxRecords = 256

const senmlVersion = 10
/** Times below this are seconds relative to now, RFC 8428 §4.5.3. */
const absoluteFromS = 2 ** 28
/** The last millisecond of the year 9999, which a Date can still represent. */
const maxTimeMs = 253_402_300_799_999
const decimalFraction = 4

/**
 * Decodes and resolves a pack from the mote `kid` that arrived at `receivedAt` (Unix time in milliseconds). Every
 * record needs the mote's own base name, a unit and a finite number. Relative times must not lie in the future. Floats
 * may have any width, and decimal fractions are supported (RFC 8428 §6). Throws WireError.
 */
export function decodePack(plaintext: Uint8Array, kid: Uint8Array, receivedAt: number): Measurement[] {
    const pack = decode(plaintext, "any")
    if (!Array.isArray(pack) || pack.length === 0) throw new WireError("not a SenML pack")
    if (pack.length > maxRecords) throw new WireError(`more than ${maxRecords} SenML records`)
    const baseName = baseNameOf(kid)
    const base = { name: "", unit: undefined as string | undefined, time: 0, value: 0 }
    const measurements: Measurement[] = []
    for (const record of pack as unknown[]) {
        if (!(record instanceof Map)) throw new WireError("a SenML record is not a map")
        if (hasVersionOtherThanOurs(record)) throw new WireError("not SenML version 10")
        base.name = text(record, label.bn) ?? base.name
        base.unit = text(record, label.bu) ?? base.unit
        base.time = number(record, label.bt) ?? base.time
        base.value = number(record, label.bv) ?? base.value
        const value = number(record, label.v)
        const name = text(record, label.n)
        const data = record.get(dataValue)
        if (data instanceof Uint8Array && value === undefined) {
            const refused = measurements.at(-1)
            const isRefusal = refused?.name === refusedName && base.name + (name ?? "") === baseName + refusedName
            if (!isRefusal || refused.refusal) throw new WireError("a SenML record is not a number")
            refused.refusal = decodeRefusal(data)
            continue
        }
        if ([stringValue, booleanValue, dataValue, label.s, label.bs].some(l => record.has(l)))
            throw new WireError("a SenML record is not a number")
        if (value === undefined) {
            if (name !== undefined) throw new WireError("a SenML record has no value")
            continue // only sets base values
        }
        const fullName = base.name + (name ?? "")
        if (!fullName.startsWith(baseName)) throw new WireError("a SenML name is not this mote's")
        const unit = text(record, label.u) ?? base.unit
        if (unit === undefined) throw new WireError("a SenML record has no unit")
        measurements.push({
            name: checkName(fullName.slice(baseName.length)),
            unit,
            value: finite(base.value + value),
            ...resolveTime(base.time + (number(record, label.t) ?? 0), receivedAt),
        })
    }
    return measurements
}

/**
 * Encodes measurements as one pack in the given order, with `bn` in the first record and `bu` wherever the unit
 * changes. Relative times are relative to `now`, the moment of sending as Unix time in milliseconds.
 */
export function encodePack(measurements: Measurement[], kid: Uint8Array, now: number): Uint8Array {
    let unit: string | undefined
    const records = measurements.flatMap((m, i) => {
        const record = new Map<number, unknown>()
        if (i === 0) record.set(label.bn, baseNameOf(kid))
        if (m.unit !== unit) record.set(label.bu, (unit = m.unit))
        record.set(label.n, m.name)
        record.set(label.v, m.value)
        const timeS = (m.relative ? m.time - now : m.time) / 1000
        if (timeS !== 0) record.set(label.t, timeS)
        if (m.refusal === undefined) return [record]
        return [
            record,
            new Map<number, unknown>([
                [label.n, m.name],
                [dataValue, encodeRefusal(m.refusal)],
            ]),
        ]
    })
    return encode(records)
}

/** Returns the device URN (RFC 9039 §3) and the `_` that separates it from the sensor's name, as in RFC 8428. */
function baseNameOf(kid: Uint8Array): string {
    return `urn:dev:mac:${eui(kid)}_`
}

function hasVersionOtherThanOurs(record: Map<unknown, unknown>): boolean {
    return record.has(label.bver) && record.get(label.bver) !== senmlVersion
}

function resolveTime(timeS: number, receivedAt: number): Pick<Measurement, "time" | "relative"> {
    const relative = timeS < absoluteFromS
    if (relative && timeS > 0) throw new WireError("a SenML time lies in the future")
    const time = Math.round((relative ? receivedAt : 0) + timeS * 1000)
    if (!(time >= 0 && time <= maxTimeMs)) throw new WireError("a SenML time is out of range")
    return { time, relative }
}

function text(record: Map<unknown, unknown>, key: number): string | undefined {
    const value = record.get(key)
    if (value !== undefined && typeof value !== "string") throw new WireError("a SenML field is not a text")
    return value
}

function number(record: Map<unknown, unknown>, key: number): number | undefined {
    const value = record.get(key)
    if (value === undefined) return undefined
    if (value instanceof Tag && value.tag === decimalFraction && Array.isArray(value.contents)) {
        const [exponent, mantissa, ...more] = value.contents as unknown[]
        if (more.length > 0 || !Number.isSafeInteger(exponent) || !Number.isSafeInteger(mantissa))
            throw new WireError("a SenML field is not a number")
        return finite(Number(`${mantissa as number}e${exponent as number}`))
    }
    if (typeof value !== "number") throw new WireError("a SenML field is not a number")
    return finite(value)
}

function finite(value: number): number {
    if (!Number.isFinite(value)) throw new WireError("a SenML number is not finite")
    return value
}

/** Checks a name by RFC 8428 §4.5.1: letters, digits and `-:./_`, starting with a letter or digit. */
function checkName(name: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9\-:./_]*$/.test(name)) throw new WireError("a SenML name is malformed")
    return name
}
