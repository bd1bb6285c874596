import type { Priority } from "../../wire/tables/alarm-kinds.ts"

/** Where an alarm is in its life, as a receiver needs to know it (IHE PCD ACM: event phase). */
export type Phase = "start" | "update" | "end"

/** What somebody is told: one alarm at one moment. Times are unix milliseconds of the clinic's clock. */
export interface Notice {
    /** Stays the same over all attempts, so that a receiver can recognise a repetition. */
    id: string
    phase: Phase
    /** Steps of the escalation that were taken. */
    level: number
    /** When this was to be told. */
    at: number
    /** Of the ward (IANA), for times that people read. */
    timeZone: string
    alarm: {
        id: number
        kind: string
        /** What people call it. */
        label: string
        priority: Priority
        /** About a device, not about the patient. */
        isTechnical: boolean
        raisedAt: number
        /** UCUM or SenML unit of the values; null where there are none. */
        unit: string | null
        /** What raised it, the worst, and the present one; null where there is none. */
        value: number | null
        worst: number | null
        latest: number | null
        /** Who acknowledged or paused it last. */
        by: string | null
        isOver: boolean
    }
    /** What the alarm is about, and its name where that is a router or a channel. */
    subject: { about: "mote" | "patient" | "router" | "channel" | "clinic"; name: string | null }
    /** Null where the alarm is about no patient, such as a router that does not deliver. */
    patient: { id: number; name: string; identifier: string | null; bed: string | null; ward: string | null } | null
    /** `eui` of the mote, 16 hex digits; null where it is about none. */
    mote: string | null
    /** The page where one acknowledges it. */
    url: string
}
