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
