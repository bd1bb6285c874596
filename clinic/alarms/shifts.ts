/** A part of the day by the ward's time, `HH:MM`; it may go over midnight. */
export interface Shift {
    readonly name: string
    readonly from: string
    readonly to: string
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Minutes since midnight in a time zone. In the hour that comes twice they do, too. */
export function minuteOfDay(ms: number, timeZone: string): number {
    let format = formats.get(timeZone)
    if (!format)
        formats.set(
            timeZone,
            (format = new Intl.DateTimeFormat("en-GB", {
                timeZone,
                hour: "2-digit",
                minute: "2-digit",
                hourCycle: "h23",
            })),
        )
    return minutesOf(format.format(ms))
}

/** Of `HH:MM`. */
export function minutesOf(time: string): number {
    const [hours = 0, minutes = 0] = time.split(":").map(Number)
    return hours * 60 + minutes
}

export function isWithin({ from, to }: Shift, minute: number): boolean {
    const [begin, end] = [minutesOf(from), minutesOf(to)]
    return begin < end ? minute >= begin && minute < end : minute >= begin || minute < end
}
