/** A part of the day by the ward's time, `HH:MM`; it may go over midnight. */
export interface Shift {
    readonly name: string
    readonly from: string
    readonly to: string
}

/** Where a ward has not said otherwise. */
const usualShifts: readonly Shift[] = [
    { name: "early", from: "06:00", to: "14:00" },
    { name: "late", from: "14:00", to: "22:00" },
    { name: "night", from: "22:00", to: "06:00" },
]

/** The name of a shift; of several at the same time, all of them. */
export function shiftAt(ms: number, timeZone: string, shifts: readonly Shift[] = []): string {
    const minute = minuteOfDay(ms, timeZone)
    const now = (shifts.length > 0 ? shifts : usualShifts).filter(shift => isWithin(shift, minute))
    return now.map(({ name }) => name).join()
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
