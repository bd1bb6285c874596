/*
 * The burden of alarms: how many there are, for whom, and what becomes of them. Pure: alarms and watched time in, figures out. Times
 * are unix ms by the clinic's clock.
 */

/** What is needed of an alarm. */
export interface CountedAlarm {
    /** Null where it is about a router or the clinic itself. */
    patient: number | null
    kind: string
    priority: string
    raisedAt: number
    clearedAt: number | null
    /** When somebody attended to it first. */
    seenAt: number | null
    /** When the clinic heard of it first. */
    storedAt: number
    /** How often it began before anybody attended to it: all of that is one alarm. */
    begun: number
}

export interface Waiting {
    /** Alarms that somebody attended to, and those that nobody did. */
    seen: number
    unseen: number
    /** From when the clinic heard of it until somebody attended to it; null where nobody ever did. */
    medianMs: number | null
    p90Ms: number | null
}

export interface Count {
    count: number
    /** How often they began: more often than there are, where they began again before anybody attended to them. */
    begun: number
    /** Null where nobody was watched. */
    perPatientDay: number | null
    /** That ended within a minute of their beginning, before anybody attended to them. */
    endedSoon: number
    waiting: Waiting
}

export interface Day {
    /** Its beginning, unix ms. */
    time: number
    high: number
    medium: number
    low: number
}

export interface Loud {
    patient: number
    count: number
    /** Days for which the patient was watched. */
    days: number
    perDay: number | null
}

export interface Statistics {
    from: number
    before: number
    /** Days of all patients together in which something was measured, by the hour. */
    patientDays: number
    all: Count
    kinds: (Count & { kind: string })[]
    priorities: (Count & { priority: string })[]
    /** 24 hours each, from `from` on. */
    days: Day[]
    /** The ten with the most. */
    loudest: Loud[]
}

const soonMs = 60_000
export const dayMs = 86_400_000
const loudBeds = 10

/** @param watchedMs by patient, for how long something was measured */
export function statistics(
    alarms: readonly CountedAlarm[],
    watchedMs: ReadonlyMap<number, number>,
    { from, before }: { from: number; before: number },
): Statistics {
    const patientDays = [...watchedMs.values()].reduce((all, ms) => all + ms, 0) / dayMs
    const counted = (some: readonly CountedAlarm[]) => countOf(some, patientDays)
    return {
        ...{ from, before, patientDays, all: counted(alarms) },
        kinds: byMost(grouped(alarms, ({ kind }) => kind)).map(([kind, some]) => ({ kind, ...counted(some) })),
        priorities: grouped(alarms, ({ priority }) => priority).map(([priority, some]) => ({
            priority,
            ...counted(some),
        })),
        days: daysOf(alarms, from, before),
        loudest: loudest(alarms, watchedMs),
    }
}

function countOf(alarms: readonly CountedAlarm[], patientDays: number): Count {
    const isSoon = ({ raisedAt, clearedAt, seenAt }: CountedAlarm) =>
        clearedAt !== null && clearedAt - raisedAt < soonMs && (seenAt === null || seenAt >= clearedAt)
    return {
        count: alarms.length,
        begun: alarms.reduce((all, { begun }) => all + begun, 0),
        perPatientDay: patientDays > 0 ? alarms.length / patientDays : null,
        endedSoon: alarms.filter(isSoon).length,
        waiting: waitingOf(alarms),
    }
}

function waitingOf(alarms: readonly CountedAlarm[]): Waiting {
    const times = alarms
        .filter(({ seenAt }) => seenAt !== null)
        .map(({ seenAt, storedAt }) => Math.max(0, seenAt! - storedAt))
        .sort((a, b) => a - b)
    const seen = times.length
    return { seen, unseen: alarms.length - seen, medianMs: quantile(times, 0.5), p90Ms: quantile(times, 0.9) }
}

/** The smallest that at least this share of them does not exceed; null of none. */
export function quantile(sorted: readonly number[], share: number): number | null {
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}

function daysOf(alarms: readonly CountedAlarm[], from: number, before: number): Day[] {
    const days: Day[] = []
    for (let time = from; time < before; time += dayMs) days.push({ time, high: 0, medium: 0, low: 0 })
    for (const { storedAt, priority } of alarms) {
        const day = days[Math.floor((storedAt - from) / dayMs)]
        if (day && (priority === "high" || priority === "medium" || priority === "low")) day[priority]++
    }
    return days
}

function loudest(alarms: readonly CountedAlarm[], watchedMs: ReadonlyMap<number, number>): Loud[] {
    const some = alarms.filter(({ patient }) => patient !== null)
    return byMost(grouped(some, ({ patient }) => patient!))
        .slice(0, loudBeds)
        .map(([patient, { length: count }]) => {
            const days = (watchedMs.get(patient) ?? 0) / dayMs
            return { patient, count, days, perDay: days > 0 ? count / days : null }
        })
}

function grouped<Key>(alarms: readonly CountedAlarm[], keyOf: (alarm: CountedAlarm) => Key): [Key, CountedAlarm[]][] {
    const groups = new Map<Key, CountedAlarm[]>()
    for (const alarm of alarms) {
        const key = keyOf(alarm)
        const group = groups.get(key)
        if (group) group.push(alarm)
        else groups.set(key, [alarm])
    }
    return [...groups]
}

function byMost<Key>(groups: [Key, CountedAlarm[]][]): [Key, CountedAlarm[]][] {
    return groups.toSorted(([, a], [, b]) => b.length - a.length)
}
