import { SearchError } from "./search-error.ts"

/** Times from `from` on and before `before`, unix ms. */
export interface TimeRange {
    from: number
    before: number
}

const pattern =
    /^(eq|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+\- ]\d{2}:\d{2})?)?)?)?$/

/**
 * A date parameter (http://hl7.org/fhir/R4/search.html#date) as the range of instants that match it. The value stands
 * for its whole year, month, day, minute, second or millisecond; `gt` means after all of it. Without a time zone it is
 * UTC, as everything here. A `+` that got lost on the way through a query string is understood. Throws SearchError.
 */
export function parseDate(text: string): TimeRange {
    const { prefix, start, end } = parseValue(text)
    switch (prefix) {
        case "ge":
            return { from: start, before: Infinity }
        case "gt":
        case "sa":
            return { from: end, before: Infinity }
        case "le":
            return { from: -Infinity, before: end }
        case "lt":
        case "eb":
            return { from: -Infinity, before: start }
        default:
            return { from: start, before: end }
    }
}

function parseValue(text: string): { prefix: string; start: number; end: number } {
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
    const end = new Date(wall)
    if (fraction !== undefined) end.setUTCMilliseconds(ms + 1)
    else if (second !== undefined) end.setUTCSeconds(s + 1)
    else if (minute !== undefined) end.setUTCMinutes(mi + 1)
    else if (day !== undefined) end.setUTCDate(d + 1)
    else if (month !== undefined) end.setUTCMonth(mo)
    else end.setUTCFullYear(y + 1)
    return { prefix, start: wall.getTime() - offsetMs, end: end.getTime() - offsetMs }
}

function offset(zone: string): number {
    if (zone === "Z") return 0
    const hours = Number(zone.slice(1, 3))
    const minutes = Number(zone.slice(4, 6))
    if (hours > 14 || minutes > 59) throw wrong()
    return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

function wrong(): SearchError {
    return new SearchError("date must look like ge2024-03-01 or lt2024-03-01T03:00:00Z")
}
