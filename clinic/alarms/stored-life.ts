import type { StoredAlarm } from "../store/alarms.ts"
import type { Life, State } from "./life.ts"

/** The life of a stored alarm. */
export function lifeOf({ state, since, until, waitingSince, level, attendedBy, undo }: StoredAlarm): Life {
    return {
        ...{ state: state as State, since, until, waitingSince, level, by: attendedBy },
        before: undo === null ? null : (JSON.parse(undo) as Life["before"]),
    }
}

/** Writes a life into the alarm. */
export function setLife(alarm: StoredAlarm, { by, before, ...life }: Life): void {
    Object.assign(alarm, life, { attendedBy: by, undo: before && JSON.stringify(before) })
}
