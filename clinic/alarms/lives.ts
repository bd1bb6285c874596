import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { associationEnds } from "../motes/association-end.ts"
import type { StoredAlarmEntry } from "../store/alarm-entries.ts"
import type { StoredAlarm } from "../store/alarms.ts"
import type { Tables } from "../store/store.ts"
import { dueAt, next, type Change, type Entry, type Event, type Refusal, type Rules } from "./life.ts"
import { lifeRules, type AlarmRules } from "./rules.ts"
import { lifeOf, setLife } from "./stored-life.ts"

/** Tells people beside the page, within the transaction. */
export interface AlarmFollower {
    /** It is to be told there, unless that was done. */
    tell(alarm: number, channels: readonly string[], now: number, t: Tables): Promise<void>
    /** Somebody sees to it: who was not told yet need not be. */
    attended(alarm: number, t: Tables): Promise<void>
    /** It is over: whoever was told is told that as well. */
    over(alarm: number, now: number, t: Tables): Promise<void>
}

/** Changes that put an end to what somebody did about it. */
const speaksAgain: readonly Change[] = ["worsened", "again", "undone", "pause-expired", "acknowledgement-expired"]

const isOver: readonly Change[] = ["cleared", "closed", ...associationEnds]

/** Steps the lives of stored alarms: keeps them, writes the log, and has people told. */
export class Lives {
    follower: AlarmFollower | undefined
    private readonly rules: (ward: string | null, at: number) => AlarmRules

    constructor(rules: (ward: string | null, at: number) => AlarmRules) {
        this.rules = rules
    }

    /** One event; the alarm is saved, unless the event is refused. `isNoted`: whether what changes goes into the log. */
    async happen(alarm: StoredAlarm, event: Event, t: Tables, isNoted = true): Promise<Refusal | undefined> {
        const outcome = next(lifeOf(alarm), event, this.lifeRules(alarm))
        if ("refused" in outcome) return outcome.refused
        for (const entry of outcome.entries) {
            const told = entry.change === "escalated" ? this.rulesOf(alarm).steps[entry.level - 1]?.tell : undefined
            const more = { value: alarm.worstValue, told: told?.join(", ") ?? null }
            if (isNoted) await this.log(alarm, { ...entry, ...more }, t)
            await this.apply(alarm, entry, t)
        }
        setLife(alarm, outcome.life)
        await this.save(alarm, t)
        return undefined
    }

    async save(alarm: StoredAlarm, t: Tables): Promise<void> {
        const isOpen = alarm.raisedAt !== null && alarm.isLine === 1 && alarm.state !== "closed"
        alarm.isOpen = isOpen ? 1 : 0
        alarm.dueAt = isOpen ? dueAt(lifeOf(alarm), this.lifeRules(alarm)) : null
        await t.alarm.save(alarm)
    }

    async log(
        { id }: StoredAlarm,
        entry: Pick<StoredAlarmEntry, "at" | "change"> & Partial<StoredAlarmEntry>,
        t: Tables,
    ): Promise<void> {
        await t.alarmEntry.add([{ by: null, level: 0, value: null, told: null, failure: null, ...entry, alarm: id }])
    }

    /** Those who are told at once. */
    async tellFirst(alarm: StoredAlarm, at: number, t: Tables): Promise<void> {
        await this.follower?.tell(alarm.id, this.rulesOf(alarm).first, at, t)
    }

    private async apply(alarm: StoredAlarm, { at, by, change, level }: Entry, t: Tables): Promise<void> {
        if (change === "escalated") {
            const step = this.rulesOf(alarm).steps[level - 1]
            if (step) await this.follower?.tell(alarm.id, step.tell, at, t)
        }
        if (change === "acknowledged" || change === "paused") {
            Object.assign(alarm, { acknowledgedAt: at, acknowledgedBy: by, attendedValue: alarm.worstValue })
            if (alarm.firstSeenAt === null) Object.assign(alarm, { firstSeenAt: at, firstSeenBy: by })
            await this.follower?.attended(alarm.id, t)
        }
        if (speaksAgain.includes(change)) {
            const isFirst = alarm.firstSeenAt === alarm.acknowledgedAt && alarm.firstSeenBy === alarm.acknowledgedBy
            if (change === "undone" && isFirst) Object.assign(alarm, { firstSeenAt: null, firstSeenBy: null })
            Object.assign(alarm, { acknowledgedAt: null, acknowledgedBy: null, attendedValue: null })
            await this.tellFirst(alarm, at, t)
        }
        if (isOver.includes(change)) await this.follower?.over(alarm.id, at, t)
    }

    private lifeRules(alarm: StoredAlarm): Rules {
        const isLatching = alarmKindOf(alarm.kind).category === "physiological"
        return lifeRules(this.rulesOf(alarm), isLatching)
    }

    /** Those of the time since when it waits: steps stay the same while they are taken. */
    private rulesOf({ ward, waitingSince }: StoredAlarm): AlarmRules {
        return this.rules(ward, waitingSince)
    }
}
