/** The time zone of this machine (IANA). */
export function ownTimeZone(): string {
    return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** Whether there is a time zone of that name. */
export function isTimeZone(name: string): boolean {
    try {
        return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== undefined
    } catch {
        return false
    }
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** A time as ISO 8601 has it, to the second, by the clocks of that zone and with their offset: `2026-10-25T02:30:00+01:00`. */
export function zoned(ms: number, timeZone: string): string {
    let format = formats.get(timeZone)
    if (!format) {
        const digits = {
            month: "2-digit",
            day: "2-digit",
            hour: "2-digit",
            minute: "2-digit",
            second: "2-digit",
        } as const
        const o = { timeZone, year: "numeric", hourCycle: "h23", timeZoneName: "longOffset", ...digits } as const
        formats.set(timeZone, (format = new Intl.DateTimeFormat("en-US", o)))
    }
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
    const offset = part["timeZoneName"]!.replace("GMT", "") || "+00:00"
    return `${part["year"]}-${part["month"]}-${part["day"]}T${part["hour"]}:${part["minute"]}:${part["second"]}${offset}`
}
