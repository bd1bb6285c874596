/* Which of two readings is current, and when a time is to be doubted. No DOM in here: it is tested without a browser. */

/** Readings are stamped when they were measured. One that is further ahead of the clinic than this has a wrong time. */
const toleranceMs = 10_000

export function isAhead(time: number, now: number): boolean {
    return time - now > toleranceMs
}

/** A reading as far as its order goes: ids are given in the order of arrival. */
interface Timed {
    id: number
    time: number
}

/**
 * Whether `other` is to be shown in place of `known`: where one of the times is ahead of the clinic, the reading that arrived
 * later, else the one that was measured later.
 */
export function isNewer(other: Timed, known: Timed, now: number): boolean {
    if (isAhead(other.time, now) || isAhead(known.time, now)) return other.id >= known.id
    return other.time >= known.time
}

/** ` +02:00` where the clocks of a zone show this time twice, as in the hour when summer time ends; else nothing. */
export function offsetIfTwice(ms: number, zone: string): string {
    const offset = offsetMin(ms, zone)
    const isTwice = [ms - aroundMs, ms + aroundMs]
        .map(at => offsetMin(at, zone))
        .some(other => {
            const twin = ms + (offset - other) * 60_000
            return other !== offset && offsetMin(twin, zone) === other
        })
    return isTwice ? ` ${offsetText(offset, "−")}` : ""
}

/** As ISO 8601 has it, to the second, by the clocks of the zone: `2026-10-25T02:30:00+01:00`. */
export function zoned(ms: number, zone: string): string {
    const offset = offsetMin(ms, zone)
    return `${new Date(ms + offset * 60_000).toISOString().slice(0, 19)}${offsetText(offset, "-")}`
}

function offsetText(offset: number, minus: string): string {
    const two = (n: number) => String(Math.floor(n)).padStart(2, "0")
    const size = Math.abs(offset)
    return `${offset < 0 ? minus : "+"}${two(size / 60)}:${two(size % 60)}`
}

/** More than clocks are ever set back by. */
const aroundMs = 6 * 3_600_000

/** Clocks are changed at full quarters of an hour (UTC), wherever that is done. */
const quarterMs = 15 * 60_000
const maxOffsets = 5000
const offsets = new Map<string, number>()

/** Minutes that the clocks of a zone are ahead of UTC. */
function offsetMin(ms: number, zone: string): number {
    const quarter = Math.floor(ms / quarterMs)
    const key = `${zone} ${quarter}`
    const known = offsets.get(key)
    if (known !== undefined) return known
    if (offsets.size >= maxOffsets) offsets.clear()
    const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(
        quarter * quarterMs,
    )
    const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? ""
    const [, sign, hours = "0", minutes = "0"] = /^GMT([+-])(\d+):(\d+)/.exec(name) ?? []
    const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1)
    offsets.set(key, offset)
    return offset
}
