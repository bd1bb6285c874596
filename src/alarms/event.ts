import { writeNumber, writeRaw, writeText } from "../link/cbor"
import { describe, Kind } from "./kind"
import { Event, idOf, ticksOf, TimeBase, timeBaseOf, valueBits, valueOf } from "./slot"

/*
 * An alarm in SenML (RFC 8428) with the integer labels of §6, as docs/alarms.md has it: `bt` stands in the first record of
 * each event and counts for all of them.
 */

const nameLabel = hex`00`
const unitLabel = hex`01`
const valueLabel = hex`02`
const baseTimeLabel = hex`22`
const mapStart = 0xa0
const tickBits = 4

/**
 * Writes one event. @returns the number of records
 * @param baseName the label bn and its value where this is the first of the pack
 * @param shift what makes ticks of `millis()` unix time; undefined where that is not known yet
 * @param now ticks of `millis()`; without `shift` times are counted back from here (RFC 8428 §4.5.3)
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
    // Before this start, nobody knows when: at its first moment at the latest.
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

/** The pairs n, u and v of a record that has so many pairs. */
function writeRecord(pairs: number, name: string, unit: string, value: number, bits: number): void {
    writeRaw(Buffer.from([mapStart | pairs]))
    writeRaw(nameLabel)
    writeText(name)
    writeRaw(unitLabel)
    writeText(unit)
    writeRaw(valueLabel)
    writeNumber(value / (1 << bits))
}
