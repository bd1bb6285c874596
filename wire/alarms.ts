import { WireError } from "./cbor.ts"
import type { Measurement } from "./senml.ts"

/** An alarm begins or ends. */
export interface AlarmEvent {
    /** One of wire/tables/alarm-kinds.ts, or what a newer mote calls it. */
    kind: string
    /**
     * Of the alarm, the same at its beginning and its end: both may arrive more than once, under other nonces. Rises with
     * each alarm of a mote; an alarm ends, too, when one of its kind with a higher id begins.
     */
    id: number
    raised: boolean
    /** What caused it, null where there is no value to blame. */
    value: number | null
    /** SenML unit of `value`. */
    unit: string | null
    /** Unix time in milliseconds. */
    time: number
    /** `time` was counted back from the arrival. */
    relative: boolean
    /** The mote was restarted since, and never knew when that was: `time` is the latest that it can have been. */
    untimed: boolean
}

/** Beginnings and ends that one envelope may have. A mote sends four at most. */
export const maxAlarmEvents = 16

const recordName = /^alarm\/([a-z0-9-]{1,32})(?:\/(.*))?$/

/** The alarms in a pack; other records are passed over. Throws WireError for alarms that are none. */
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
        if (event?.kind !== kind) throw new WireError("a record belongs to no alarm")
        if (detail === "id") event.id = value
        else if (detail === "value") Object.assign(event, { value, unit })
        else if (detail === "untimed") event.untimed = value === 1
    }
    if (!events.every(({ id }) => Number.isSafeInteger(id) && id >= 0)) throw new WireError("an alarm has no id")
    return events
}
