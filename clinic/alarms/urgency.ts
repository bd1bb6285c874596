import {
    alarmKindOf,
    priorities,
    type AlarmLimit,
    type Priority,
    type PriorityRule,
} from "../../wire/tables/alarm-kinds.ts"

/** What a ward has decided about kinds of alarms; the others are as in the table of kinds. */
export type PriorityRules = Readonly<Record<string, PriorityRule>>

/** The limit that alarms of a kind are about; undefined where they are about none. */
export function limitOf(kind: string): AlarmLimit | undefined {
    const { cause } = alarmKindOf(kind)
    return "quantity" in cause ? cause : undefined
}

/** Values have a digit behind the point, and what is 1.5 apart may be 1.4999999. */
const rounding = 1e-6

/** Whether `value` is worse than `other`, by `step` at least. */
export function isWorse({ side }: AlarmLimit, value: number, other: number, step = 0): boolean {
    const by = side === "high" ? value - other : other - value
    return step === 0 ? by > 0 : by >= step - rounding
}

/** How urgent an alarm is whose worst value is `worst`: by its kind, and by how far that is beyond the limit. */
export function priorityOf(kind: string, limit: number | null, worst: number | null, rules: PriorityRules): Priority {
    const { priority, severe } = Object.hasOwn(rules, kind) ? rules[kind]! : alarmKindOf(kind)
    const cause = limitOf(kind)
    if (!severe || !cause || limit === null || worst === null) return priority
    return isWorse(cause, worst, limit, severe.beyond) ? severe.priority : priority
}

/** Whether `priority` is more urgent than `other`. */
export function isMoreUrgent(priority: Priority, other: string): boolean {
    return priorities.indexOf(priority) < priorities.indexOf(other as Priority)
}
