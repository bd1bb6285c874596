import type { Priority } from "../../wire/tables/alarm-kinds.ts"
import type { ShownAlarm } from "../store/alarms.ts"
import type { AlarmRules } from "./rules.ts"
import { undoMs, type State } from "./life.ts"

/** What an alarm is about where that is neither a mote nor a patient, such as a router. */
export type SourceKind = "mote" | "patient" | "router" | "channel" | "clinic"

/** An alarm as the page shows it. Times are unix ms. */
export interface Alarm {
    id: number
    /** What it is about, and its name where that is neither mote nor patient. */
    about: SourceKind
    name: string | null
    /** Null where it is about no patient. */
    patient: number | null
    /** Of the patient when it began. */
    ward: string | null
    /** Of the mote; null where it is about none. */
    kid: Uint8Array | null
    /** One of wire/tables/alarm-kinds.ts, or what a newer mote calls it. */
    kind: string
    priority: Priority
    /** SenML unit of the values; null where there are none. */
    unit: string | null
    /** How often it began before anybody acknowledged it. */
    count: number
    raisedAt: number
    /** The time is an estimate: the mote had no clock, or was restarted since. */
    raisedAbout: boolean
    raisedValue: number | null
    limitValue: number | null
    worstValue: number | null
    worstAt: number | null
    /** The newest reading of that quantity; null where there is none, or where it is over. */
    presentValue: number | null
    presentAt: number | null
    /** Null while nobody has said that it is over, however long nothing is heard. */
    clearedAt: number | null
    clearedAbout: boolean
    clearedValue: number | null
    storedAt: number
    state: State
    /** Since when it is in this state, by the clinic's clock; until when, where that ends by itself. */
    since: number
    until: number | null
    /** Escalation steps that were taken since it was last raised. */
    level: number
    /** Whom these have told: channels and roles. */
    escalatedTo: string[]
    /** Whom the next step tells, and when (unix ms); null where no step follows. */
    nextStep: { at: number; tell: readonly string[] } | null
    /** The acknowledgement or pause in force, or that it was closed with. */
    acknowledgedAt: number | null
    /** User name. */
    acknowledgedBy: string | null
    /** Until when an acknowledgement or pause can be taken back; null where there is none to take back. */
    undoUntil: number | null
    firstSeenAt: number | null
    firstSeenBy: string | null
    /** Belongs on the screen: it is not over, or it is about the patient and nobody has acknowledged it. */
    isOpen: boolean
}

const hasName: readonly SourceKind[] = ["router", "channel"]

export type Present = { value: number; time: number } | undefined

/** A stored alarm as it is shown. */
export function shown(row: ShownAlarm, present: Present, rules: AlarmRules): Alarm {
    const slash = row.source.indexOf("/")
    const about = (slash < 0 ? row.source : row.source.slice(0, slash)) as SourceKind
    return {
        ...{ id: row.id, about, name: hasName.includes(about) ? row.source.slice(slash + 1) : null },
        ...{ patient: row.patient, ward: row.ward, kid: row.kid, kind: row.kind, unit: row.unit, count: row.count },
        ...{ priority: row.priority as Priority, raisedAt: row.raisedAt, raisedAbout: row.raisedAbout === 1 },
        ...{
            raisedValue: row.raisedValue,
            limitValue: row.limitValue,
            worstValue: row.worstValue,
            worstAt: row.worstAt,
        },
        ...{ presentValue: present?.value ?? null, presentAt: present?.time ?? null },
        ...{ clearedAt: row.clearedAt, clearedAbout: row.clearedAbout === 1, clearedValue: row.clearedValue },
        ...{ storedAt: row.storedAt, state: row.state as State, since: row.since, until: row.until, level: row.level },
        escalatedTo: rules.steps.slice(0, row.level).flatMap(({ tell }) => tell),
        nextStep: nextStep(row, rules),
        ...{ acknowledgedAt: row.acknowledgedAt, acknowledgedBy: row.acknowledgedBy },
        ...{ undoUntil: row.undo === null ? null : row.since + undoMs },
        ...{ firstSeenAt: row.firstSeenAt, firstSeenBy: row.firstSeenBy, isOpen: row.isOpen === 1 },
    }
}

/** Only what nobody attends to escalates. */
function nextStep({ state, level, waitingSince }: ShownAlarm, { steps }: AlarmRules): Alarm["nextStep"] {
    const step = state === "raised" ? steps[level] : undefined
    return step ? { at: waitingSince + step.afterMs, tell: step.tell } : null
}
