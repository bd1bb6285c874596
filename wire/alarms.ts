import { WireError } from "./cbor.ts"
import type { Measurement } from "./senml.ts"

/** The beginning or the end of an alarm; docs/wire.md, "Alarms". */
export interface AlarmEvent {
    /** One of wire/tables/alarm-kinds.ts, or a kind of a newer mote. */
    kind: string
    /**
     * Identifies the alarm: its beginning and its end have the same id. Both may arrive more than once, with different
     * nonces. Ids of one mote rise. An alarm also ends when one of the same kind with a higher id begins.
     */
    id: number
    /** True at the beginning, false at the end. */
    raised: boolean
    /** The value that caused the alarm, or null if no value did. */
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

const recordName = /^alarm\/([a-z0-9-]{1,32})(?:\/(.*))?$/

/** Extracts the alarm events from a pack and ignores other records. Throws WireError for malformed alarms. */
export function toAlarms(pack: Measurement[]): AlarmEvent[] {
    const events: AlarmEvent[] = []
    for (const { name, value, unit, time, relative } of pack) {
        const [, kind, detail] = recordName.exec(name) ?? []
        if (kind === undefined) {
            if (name.startsWith("alarm")) throw new WireError("an alarm's name is malformed")
            continue
        }
        if (detail === undefined) {
            if (events.length === maxAlarmEvents) throw new WireError(`more than ${maxAlarmEvents} alarms`)
            if (value !== 0 && value !== 1) throw new WireError("an alarm neither begins nor ends")
            const unknown = { id: NaN, value: null, unit: null, untimed: false }
            events.push({ kind, raised: value === 1, time, relative, ...unknown })
            continue
        }
        const event = events.at(-1)
        if (event?.kind !== kind) throw new WireError("a record belongs to no alarm of this pack")
        if (detail === "id") event.id = value
        else if (detail === "value") Object.assign(event, { value, unit })
        else if (detail === "untimed") event.untimed = value === 1
    }
    if (!events.every(({ id }) => Number.isSafeInteger(id) && id >= 0)) throw new WireError("an alarm has no id")
    return events
}
