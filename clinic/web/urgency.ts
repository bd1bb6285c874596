import { priorities, type Priority } from "../../wire/tables/alarm-kinds.ts"
import type { Alarm } from "./api.ts"

/** How urgent it is for whoever looks: its priority, or `seen` while somebody attends to it. */
export function urgency({ state, priority }: Alarm): Priority | "seen" {
    return state === "raised" || state === "latched" ? priority : "seen"
}

/** The most urgent first, of equals what arrived last; what somebody attends to comes at the end. */
export function byUrgency(a: Alarm, b: Alarm): number {
    return alarmRank(a) - alarmRank(b) || b.id - a.id
}

/** 0 for the most urgent. */
export function alarmRank(alarm: Alarm): number {
    const found = urgency(alarm)
    return found === "seen" ? priorities.length : priorities.indexOf(found)
}
