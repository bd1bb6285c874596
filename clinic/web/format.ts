import { isAhead, offsetIfTwice } from "./time.ts"

/** Values older than this are not live, and old where the mote is to say something that often. */
export const liveMs = 30_000

/** `4 s`, `12 min`, `3 h`, `2 d`. */
export function duration(ms: number): string {
    const s = Math.max(0, Math.floor(ms / 1000))
    if (s < 120) return `${s} s`
    if (s < 7200) return `${Math.floor(s / 60)} min`
    if (s < 172_800) return `${Math.floor(s / 3600)} h`
    return `${Math.floor(s / 86_400)} d`
}

/** `4 s ago`; of a time that cannot be, how wrong it is. */
export function ago(time: number, now: number): string {
    return isAhead(time, now) ? `${duration(time - now)} ahead of the clinic's clock` : `${duration(now - time)} ago`
}

/** 1 to 4 bars and a word for a signal quality of 0…1. */
export function signal(quality: number): { level: string; word: string } {
    const level = Math.min(3, Math.floor(quality * 4))
    return { level: String(level + 1), word: ["poor", "weak", "fair", "good"][level]! }
}

const clock = new Intl.DateTimeFormat(undefined, {
    ...{ hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
})
const clockWithSeconds = new Intl.DateTimeFormat(undefined, {
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
})

/** Local time of day, `03:07` or `03:07:42`; with its offset where there are two of it. */
export function timeOfDay(ms: number, withSeconds = true): string {
    return `${(withSeconds ? clockWithSeconds : clock).format(ms)}${offsetIfTwice(ms)}`
}

const date = new Intl.DateTimeFormat(undefined, {
    ...{ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
})

/** Local day and time, such as `Mar 1, 03:07`. */
export function dateTime(ms: number): string {
    return `${date.format(ms)}${offsetIfTwice(ms)}`
}
