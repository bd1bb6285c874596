import { writeNumber, writeRaw, writeText } from "../link/cbor"
import { describe, Kind } from "./kind"
import { Event, idOf, ticksOf, TimeBase, timeBaseOf, valueBits, valueOf } from "./slot"

/*
 * An alarm event in SenML (RFC 8428) with the integer labels of §6; see docs/alarms.md. The base time `bt` is in the
 * first record of each event and applies to all its records.
 */

const nameLabel = hex`00`
const unitLabel = hex`01`
const valueLabel = hex`02`
const baseTimeLabel = hex`22`
const mapStart = 0xa0
const tickBits = 4

/**
 * Writes one event. @returns the number of records
 * @param baseName label bn and its value for the first event of the pack
 * @param shift added to ticks of `millis()` to get Unix time; undefined if the time is unknown
 * @param now ticks of `millis()`; without `shift` times are relative to it (RFC 8428 §4.5.3)
 */
export function writeEvent(
    slots: Buffer,
    kind: Kind,
    event: Event,
    shift: number | undefined,
    now: number,
    baseName: Buffer | undefined,
): number {
    const described = describe(kind)
    const name = "alarm/" + described[0]
    const base = timeBaseOf(slots, kind, event)
    // An event before this start at an unknown time: this start is the latest possible time.
    let ticks = base === TimeBase.unknown ? 0 : ticksOf(slots, kind, event)
    if (base !== TimeBase.unix) ticks += shift === undefined ? -now : shift
    writeRecord(baseName ? 5 : 4, name, "/", event === Event.raised ? 1 : 0, 0)
    if (baseName) writeRaw(baseName)
    writeRaw(baseTimeLabel)
    writeNumber(ticks / (1 << tickBits))
    writeRecord(3, name + "/id", "count", idOf(slots, kind), 0)
    let records = 2
    const value = valueOf(slots, kind, event)
    if (value !== undefined) {
        writeRecord(3, name + "/value", described[1], value, valueBits)
        records++
    }
    if (base === TimeBase.unknown) {
        writeRecord(3, name + "/untimed", "/", 1, 0)
        records++
    }
    return records
}

/** Writes the pairs n, u and v of a record with this number of pairs. */
function writeRecord(pairs: number, name: string, unit: string, value: number, bits: number): void {
    writeRaw(Buffer.from([mapStart | pairs]))
    writeRaw(nameLabel)
    writeText(name)
    writeRaw(unitLabel)
    writeText(unit)
    writeRaw(valueLabel)
    writeNumber(value / (1 << bits))
}
