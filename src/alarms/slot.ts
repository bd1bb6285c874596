import { partsOf } from "./kind"

/*
 * The state of one kind of alarm, in the format in flash: flags; id of the alarm (f64); then for its start and for its
 * end the time in ticks of 1/16 s (40 bits) and the value that caused it (i16), in the parts of `partsOf`.
 */

export const slotBytes = 23
const idAt = 1
const eventsAt = 9
const eventBytes = 7
const noValue = -32768
const twoTo32 = 4294967296

/** The two events of an alarm. */
export const enum Event {
    raised = 0,
    cleared = 1,
}

/** Flags: the state of the slot, and the events to report. */
const isOn = 1
export const raiseDue = 2
export const clearDue = 4
/** Time base of each event; for the second event, times 4. */
const isUnix = 8
const isUnknown = 16
const timeFlags = isUnix | isUnknown

/** Time base of an event. Unknown: the clock was not set before the restart. */
export const enum TimeBase {
    start = 0,
    unix = 8,
    unknown = 16,
}

/** Whether the slot is in use. */
export function isUsed(slots: Buffer, kind: number): boolean {
    return (slots[kind * slotBytes] & isOn) !== 0
}

/** Whether the alarm is raised according to the readings. */
export function isRaised(slots: Buffer, kind: number): boolean {
    return (slots[kind * slotBytes] & (isOn | clearDue)) === isOn
}

/** Whether any of these events is to be reported. */
export function isDue(slots: Buffer, kind: number, flags: number): boolean {
    return (slots[kind * slotBytes] & flags) !== 0
}

export function markReported(slots: Buffer, kind: number, flags: number): void {
    slots[kind * slotBytes] &= ~flags
}

/** Clears the slot after everything has been reported. */
export function free(slots: Buffer, kind: number): void {
    slots.fillAt(kind * slotBytes, slotBytes, 0)
}

export function idOf(slots: Buffer, kind: number): number {
    return slots.getAt(kind * slotBytes + idAt, "f64")
}

export function setId(slots: Buffer, kind: number, id: number): void {
    slots.setAt(kind * slotBytes + idAt, "f64", id)
    slots[kind * slotBytes] |= isOn | raiseDue
}

/** @param ticks of `millis()` */
export function setEvent(slots: Buffer, kind: number, event: Event, ticks: number, value: number | undefined): void {
    const at = kind * slotBytes + eventsAt + event * eventBytes
    setTime(slots, kind, event, ticks, TimeBase.start)
    slots.setAt(at + 5, "i16", value === undefined ? noValue : Math.round(value * partsOf(kind)))
    slots[kind * slotBytes] |= event === Event.raised ? raiseDue : clearDue
}

/** In the parts of `partsOf`; undefined if no value caused the event. */
export function valueOf(slots: Buffer, kind: number, event: Event): number | undefined {
    const value = slots.getAt(kind * slotBytes + eventsAt + event * eventBytes + 5, "i16")
    return value === noValue ? undefined : value
}

export function ticksOf(slots: Buffer, kind: number, event: Event): number {
    const at = kind * slotBytes + eventsAt + event * eventBytes
    return slots.getAt(at, "u32") + slots[at + 4] * twoTo32
}

export function timeBaseOf(slots: Buffer, kind: number, event: Event): TimeBase {
    return (slots[kind * slotBytes] >> (2 * event)) & timeFlags
}

export function setTime(slots: Buffer, kind: number, event: Event, ticks: number, base: TimeBase): void {
    const at = kind * slotBytes + eventsAt + event * eventBytes
    const high = Math.floor(ticks / twoTo32)
    slots.setAt(at, "u32", ticks - high * twoTo32)
    slots[at + 4] = high
    const flags = slots[kind * slotBytes] & ~(timeFlags << (2 * event))
    slots[kind * slotBytes] = flags | (base << (2 * event))
}
