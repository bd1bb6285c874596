import { isAhead, offsetIfTwice } from "./time.ts"
import { locale, t } from "./texts/language.ts"
import { timeZone } from "./zone.ts"

/** Values older than this are not live, and old where the mote is to say something that often. */
export const liveMs = 30_000

/** `4 s`, `12 min`, `3 h`, `2 d`. */
export function duration(ms: number): string {
    const s = Math.max(0, Math.floor(ms / 1000))
    if (s < 120) return t.age.seconds(s)
    if (s < 7200) return t.age.minutes(Math.floor(s / 60))
    if (s < 172_800) return t.age.hours(Math.floor(s / 3600))
    return t.age.days(Math.floor(s / 86_400))
}

/** `4 s ago`; of a time that cannot be, how wrong it is. */
export function ago(time: number, now: number): string {
    return isAhead(time, now) ? t.age.ahead(duration(time - now)) : t.age.ago(duration(now - time))
}

export function about(isAbout: boolean, text: string): string {
    return isAbout ? t.age.about(text) : text
}

const signalWords = ["poor", "weak", "fair", "good"] as const

/** 1 to 4 bars and a word for a signal quality of 0…1. */
export function signal(quality: number): { level: string; word: (typeof signalWords)[number] } {
    const level = Math.min(3, Math.floor(quality * 4))
    return { level: String(level + 1), word: signalWords[level]! }
}

/** With so many digits behind the decimal sign of the language. */
export function number(value: number, digits: number): string {
    return numberFormat(digits).format(value)
}

/** As precise as it is, for what somebody has set. */
export function setting(value: number): string {
    return cached("setting", () => new Intl.NumberFormat(locale(), { maximumFractionDigits: 6 })).format(value)
}

function numberFormat(digits: number): Intl.NumberFormat {
    const o = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false }
    return cached(`number ${digits}`, () => new Intl.NumberFormat(locale(), o))
}

const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const

/** The ward's time of day, `03:07` or `03:07:42`; with its offset where there are two of it. */
export function timeOfDay(ms: number, withSeconds = true): string {
    const o = { ...clock, ...(withSeconds && { second: "2-digit" as const }) }
    return `${dateFormat(withSeconds ? "clock" : "minutes", o).format(ms)}${offsetIfTwice(ms, timeZone)}`
}

/** The ward's day and time, such as `1 Mar, 03:07`. */
export function dateTime(ms: number): string {
    const format = dateFormat("day and time", { month: "short", day: "numeric", ...clock })
    return `${format.format(ms)}${offsetIfTwice(ms, timeZone)}`
}

/** The same with the year, for what lies about on paper. */
export function fullTime(ms: number): string {
    const format = dateFormat("full time", { year: "numeric", month: "short", day: "numeric", ...clock })
    return `${format.format(ms)}${offsetIfTwice(ms, timeZone)}`
}

/** The ward's day, such as `1 Mar`. */
export function day(ms: number): string {
    return dateFormat("day", { month: "short", day: "numeric" }).format(ms)
}

/** A date without a time, such as `1 Mar 1950`, of `1950-03-01`. */
export function calendarDay(date: string): string {
    const o = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" } as const
    return cached("calendar day", () => new Intl.DateTimeFormat(locale(), o)).format(Date.parse(date))
}

function dateFormat(name: string, o: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return cached(`${name} ${timeZone}`, () => new Intl.DateTimeFormat(locale(), { ...o, timeZone }))
}

/** Making a format costs a hundred times what using it does. */
const formats = new Map<string, unknown>()

function cached<T>(name: string, make: () => T): T {
    const key = `${locale()} ${name}`
    let format = formats.get(key) as T | undefined
    if (format === undefined) formats.set(key, (format = make()))
    return format
}
