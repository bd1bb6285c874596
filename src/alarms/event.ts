import { writeArrayHead, writeNull, writeNumber } from "../link/cbor"
import { Kind } from "./kind"
import { Event, idOf, ticksOf, TimeBase, timeBaseOf, valueOf } from "./slot"

const beginsFlag = 1
const untimedFlag = 2

/**
 * Writes an event as in docs/wire.md, "Alarms".
 * @param shift added to ticks of `millis()` to get Unix time; undefined if the time is unknown
 * @param now ticks of `millis()`; without `shift` times are relative to it
 */
export function writeEvent(slots: Buffer, kind: Kind, event: Event, shift: number | undefined, now: number): void {
    const base = timeBaseOf(slots, kind, event)
    // An event before this start at an unknown time: this start is the latest possible time.
    let ticks = base === TimeBase.unknown ? 0 : ticksOf(slots, kind, event)
    if (base !== TimeBase.unix) ticks = shift === undefined ? Math.min(ticks - now, 0) - 1 : ticks + shift
    writeArrayHead(5)
    writeNumber(kind)
    writeNumber(idOf(slots, kind))
    writeNumber((event === Event.raised ? beginsFlag : 0) | (base === TimeBase.unknown ? untimedFlag : 0))
    writeNumber(ticks)
    const value = valueOf(slots, kind, event)
    if (value === undefined) writeNull()
    else writeNumber(value)
}
