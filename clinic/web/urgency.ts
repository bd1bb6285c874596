import { alarmKindOf, priorities } from "../../wire/tables/alarm-kinds.ts"
import type { Alarm } from "./api.ts"

/** How urgent it is for whoever looks: `vital`, `technical`, or `seen` where somebody has acknowledged it. */
export function urgency(alarm: Alarm): "vital" | "technical" | "seen" {
    if (alarm.acknowledgedBy !== null) return "seen"
    return alarmKindOf(alarm.kind).category === "technical" ? "technical" : "vital"
}

/** The most urgent first, of equals what arrived last; what somebody has acknowledged comes at the end. */
export function byUrgency(a: Alarm, b: Alarm): number {
    return alarmRank(a) - alarmRank(b) || b.id - a.id
}

/** 0 for the most urgent. */
export function alarmRank(alarm: Alarm): number {
    if (alarm.acknowledgedBy !== null) return priorities.length
    return priorities.indexOf(alarm.priority)
}
