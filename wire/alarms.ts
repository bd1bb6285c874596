import { decode, encode, isCount, WireError } from "./cbor.ts"
import { isNumber, resolveTime, tickMs, whole } from "./pack.ts"
import { alarmKinds, alarmUnit, type AlarmKind } from "./tables/alarm-kinds.ts"
import { quantities } from "./tables/quantities.ts"

/** The beginning or the end of an alarm; docs/wire.md, "Alarms". */
export interface AlarmEvent {
    /** One of wire/tables/alarm-kinds.ts. A kind of a newer mote is called `kind-N`. */
    kind: string
    /**
     * Identifies the alarm: its beginning and its end have the same id. Both may arrive more than once, with different
     * nonces. Ids of one mote rise. An alarm also ends when one of the same kind with a higher id begins.
     */
    id: number
    /** True at the beginning, false at the end. */
    raised: boolean
    /** The value that caused the alarm, or null if no value did. Of an unknown kind, in steps of an unknown unit. */
    value: number | null
    /** SenML unit of `value`. */
    unit: string | null
    /** Unix time in milliseconds. */
    time: number
    /** The mote had no clock: `time` was counted back from the arrival. */
    relative: boolean
    /** The mote restarted after the event and never learnt its time: `time` is the latest possible one. */
    untimed: boolean
}

/** The maximum number of alarm events in one envelope. A mote sends at most four. */
export const maxAlarmEvents = 16

const beginsFlag = 1
const untimedFlag = 2
const unknownKind = /^kind-(\d{1,9})$/
const kinds: Record<string, AlarmKind> = alarmKinds
const namesByNumber = new Map(Object.entries(kinds).map(([name, { number }]) => [number, name]))

/** Decodes the alarm events that arrived at `receivedAt` (Unix time in milliseconds). Throws WireError. */
export function decodeAlarms(plaintext: Uint8Array, receivedAt: number): AlarmEvent[] {
    const events = decode(plaintext)
    if (!Array.isArray(events) || events.length === 0) throw new WireError("not a list of alarms")
    if (events.length > maxAlarmEvents) throw new WireError(`more than ${maxAlarmEvents} alarms`)
    return events.map(event => decodeEvent(event, receivedAt))
}

/** Further items of an event are ignored, because a newer mote may say more. */
function decodeEvent(event: unknown, receivedAt: number): AlarmEvent {
    const [number, id, flags, when, value] = Array.isArray(event) ? (event as unknown[]) : []
    if (!isCount(number) || !isCount(id) || !isCount(flags)) throw new WireError("an alarm is malformed")
    if (!Number.isSafeInteger(when)) throw new WireError("an alarm's time is not an integer")
    if (value !== null && !isNumber(value)) throw new WireError("an alarm's value is out of range")
    const kind = namesByNumber.get(number) ?? `kind-${number}`
    const relative = (when as number) < 0
    const ticks = relative ? (when as number) + 1 : (when as number)
    return {
        ...{ kind, id, raised: (flags & beginsFlag) !== 0, untimed: (flags & untimedFlag) !== 0 },
        value: value === null ? null : value / perUnit(kind),
        unit: value === null ? null : unitOf(kind),
        ...{ time: resolveTime(ticks, relative, receivedAt), relative },
    }
}

/**
 * Encodes alarm events. Values and times are rounded to the resolution of the wire; relative times are relative to `now`,
 * the moment of sending as Unix time in milliseconds. Throws RangeError for a kind that no mote raises.
 */
export function encodeAlarms(events: AlarmEvent[], now: number): Uint8Array {
    return encode(
        events.map(({ kind, id, raised, untimed, value, time, relative }) => {
            const [, unknown] = unknownKind.exec(kind) ?? []
            const number = unknown === undefined ? kinds[kind]?.number : Number(unknown)
            if (number === undefined) throw new RangeError(`no mote raises ${kind}`)
            const flags = (raised ? beginsFlag : 0) | (untimed ? untimedFlag : 0)
            const ticks = Math.round((relative ? time - now : time) / tickMs)
            const scaled = value === null ? null : whole(value * perUnit(kind))
            return [number, id, flags, relative ? ticks - 1 : ticks, scaled]
        }),
    )
}

/** In which fraction of its unit the value of an alarm is on the wire. */
function perUnit(kind: string): number {
    const cause = kinds[kind]?.cause
    return cause && "quantity" in cause ? quantities[cause.quantity].perUnit : 1
}

function unitOf(kind: string): string | null {
    const known = kinds[kind]
    return known ? alarmUnit(known) : null
}
