import type { TimeFilter, TimeRange } from "../../readings/time-filter.ts"
import { fault } from "./fault.ts"

const prefixes = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"] as const

/** One date parameter: the value stands for its whole year, month, day, minute, second or millisecond. */
export interface DateCriterion {
    prefix: (typeof prefixes)[number]
    value: TimeRange
}

const pattern = new RegExp(
    `^(${prefixes.join("|")})?` +
        String.raw`(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+\- ]\d{2}:\d{2})?)?)?)?$`,
)

/** What counts as approximately: this part of how long ago it is (R4 §3.1.1.5.4). */
const approximation = 0.1

/**
 * A date parameter (http://hl7.org/fhir/R4/search.html#date). Without a time zone it is UTC, as everything here. A `+` that got
 * lost on the way through a query string is understood. Throws ProblemError, which names `parameter`.
 */
export function parseDate(text: string, parameter = "date"): DateCriterion {
    const wrong = () => fault(parameter, "malformed")
    const match = pattern.exec(text)
    if (!match) throw wrong()
    const [, prefix = "eq", year, month, day, hour, minute, second, fraction, zone = "Z"] = match
    const digits = [year, month, day, hour, minute, second].map(part => (part === undefined ? undefined : Number(part)))
    const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = digits
    const ms = fraction === undefined ? 0 : Number(fraction.padEnd(3, "0").slice(0, 3))
    // Without what Date would carry over: 30 February, 25 o'clock.
    const wall = new Date(0)
    wall.setUTCFullYear(y, mo - 1, d)
    wall.setUTCHours(h, mi, s, ms)
    if (
        wall.getUTCMonth() !== mo - 1 ||
        wall.getUTCDate() !== d ||
        wall.getUTCHours() !== h ||
        wall.getUTCMinutes() !== mi ||
        wall.getUTCSeconds() !== s
    )
        throw wrong()
    const offsetMs = offset(zone)
    if (offsetMs === undefined) throw wrong()
    const end = new Date(wall)
    if (fraction !== undefined) end.setUTCMilliseconds(ms + 1)
    else if (second !== undefined) end.setUTCSeconds(s + 1)
    else if (minute !== undefined) end.setUTCMinutes(mi + 1)
    else if (day !== undefined) end.setUTCDate(d + 1)
    else if (month !== undefined) end.setUTCMonth(mo)
    else end.setUTCFullYear(y + 1)
    return {
        prefix: prefix as DateCriterion["prefix"],
        value: { from: wall.getTime() - offsetMs, before: end.getTime() - offsetMs },
    }
}

/**
 * Whether a time matches (R4 §3.1.1.5.4): each compares the range of the value with the range of what was measured, by its
 * edges. `now` (unix ms) is for `ap`.
 */
export function matchesDate({ prefix, value }: DateCriterion, target: TimeRange, now: number): boolean {
    const contains = value.from <= target.from && target.before <= value.before
    const reachesAbove = target.before > value.before
    const reachesBelow = target.from < value.from
    switch (prefix) {
        case "eq":
            return contains
        case "ne":
            return !contains
        case "gt":
            return reachesAbove
        case "lt":
            return reachesBelow
        case "ge":
            return reachesAbove || contains
        case "le":
            return reachesBelow || contains
        case "sa":
            return target.from >= value.before
        case "eb":
            return target.before <= value.from
        case "ap": {
            const { from, before } = around(value, now)
            return target.from < before && target.before > from
        }
    }
}

/**
 * What all these dates let through; undefined where there are none. Of each list one has to hold (a comma), and all lists have to
 * (a parameter that comes several times).
 */
export function dateFilter(all: readonly (readonly DateCriterion[])[], now: number): TimeFilter | undefined {
    if (all.length === 0) return undefined
    const ranges = all.map(some => union(some.flatMap(criterion => momentsOf(criterion, now))))
    return {
        moments: ranges.reduce(intersection),
        periods: {
            from: Math.max(...ranges.map(each => each[0]!.from)),
            before: Math.min(...ranges.map(each => each.at(-1)!.before)),
        },
        matches: period => all.every(some => some.some(criterion => matchesDate(criterion, period, now))),
    }
}

/** The same times, disjoint and in order. */
function union(ranges: TimeRange[]): TimeRange[] {
    const joined: TimeRange[] = []
    for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
        const last = joined.at(-1)
        if (last && range.from <= last.before) last.before = Math.max(last.before, range.before)
        else joined.push({ ...range })
    }
    return joined
}

/** The moments, each a millisecond long, that match; in order. */
function momentsOf({ prefix, value }: DateCriterion, now: number): TimeRange[] {
    const { from, before } = value
    switch (prefix) {
        case "eq":
            return [value]
        case "ne":
            return [
                { from: -Infinity, before: from },
                { from: before, before: Infinity },
            ]
        case "gt":
        case "sa":
            return [{ from: before, before: Infinity }]
        case "lt":
        case "eb":
            return [{ from: -Infinity, before: from }]
        case "ge":
            return [{ from, before: Infinity }]
        case "le":
            return [{ from: -Infinity, before }]
        case "ap":
            return [around(value, now)]
    }
}

function around({ from, before }: TimeRange, now: number): TimeRange {
    const gap = Math.round(approximation * Math.abs(now - from))
    return { from: from - gap, before: before + gap }
}

function intersection(a: TimeRange[], b: TimeRange[]): TimeRange[] {
    const both = a.flatMap(x => b.map(y => ({ from: Math.max(x.from, y.from), before: Math.min(x.before, y.before) })))
    return both.filter(({ from, before }) => from < before).sort((x, y) => x.from - y.from)
}

/** In ms; undefined for one that is nowhere. */
function offset(zone: string): number | undefined {
    if (zone === "Z") return 0
    const hours = Number(zone.slice(1, 3))
    const minutes = Number(zone.slice(4, 6))
    if (hours > 14 || minutes > 59) return undefined
    return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
