/** A battery's charge in percent at a time, unix ms. */
export interface Charge {
    time: number
    value: number
}

/** A cell's voltage collapses over its last percents: it counts as empty from here on. */
const emptyPercent = 5
/** Whole percents, and the sag while the radio sends: a smaller rise is none. */
const noisePercent = 3
/** A fall by less, or within less time, has no trend. */
const leastFallPercent = 3
const leastSpanMs = 3_600_000
const trendPoints = 50
const chargedMs = 30 * 60_000
const heldMs = 3 * 60_000

/**
 * When a battery will be empty, unix ms, by its linear trend (Theil and Sen: the median slope of all pairs, which outliers do not
 * move); Infinity where it is charged or does not fall, undefined while nobody can know. A charger or another battery begins a new
 * trend; until that shows, the mote is taken to use as much as before.
 * @param charges in rising order of time, at least one for every change
 * @param heardAt when the mote was heard last: the newest charge still held then
 */
export function emptyAt(charges: readonly Charge[], heardAt: number): number | undefined {
    const newest = charges.at(-1)
    if (!newest) return undefined
    const known = heardAt > newest.time ? [...charges, { time: heardAt, value: newest.value }] : [...charges]
    const parts = sinceRises(smoothed(known))
    const last = parts.at(-1)!
    const end = last.at(-1)!
    if (isCharging(known, end.time)) return Infinity
    const own = slopeOf(last)
    if (own !== undefined) return own < 0 ? end.time + (emptyPercent - levelAt(last, own)) / own : Infinity
    const before = parts.map(slopeOf).findLast(slope => slope !== undefined && slope < 0)
    return before === undefined ? undefined : end.time + (emptyPercent - end.value) / before
}

/** Each the median of itself and its neighbours, so that a single wrong one says nothing. */
function smoothed(charges: readonly Charge[]): Charge[] {
    return charges.map(({ time, value }, i) => {
        const before = charges[i - 1]?.value ?? value
        const after = charges[i + 1]?.value ?? value
        return { time, value: median([before, value, after]) }
    })
}

/** Parts between which it was charged or changed. */
function sinceRises(charges: readonly Charge[]): Charge[][] {
    const parts: Charge[][] = []
    let least = -Infinity
    for (const charge of charges) {
        if (parts.length === 0 || charge.value > least + noisePercent) {
            parts.push([])
            least = charge.value
        }
        least = Math.min(least, charge.value)
        parts.at(-1)!.push(charge)
    }
    return parts
}

/** It holds more than half an hour before, and has for some minutes: that is no noise. */
function isCharging(charges: readonly Charge[], now: number): boolean {
    const before = charges.findLast(({ time }) => time <= now - chargedMs) ?? charges[0]!
    const held = charges.findLast(({ time }) => time <= now - heldMs)
    const since = charges.filter(({ time }) => time > now - heldMs)
    return held !== undefined && Math.min(held.value, ...since.map(c => c.value)) > before.value + noisePercent
}

/** Percent per ms; undefined where the part is too short to say. */
function slopeOf(part: readonly Charge[]): number | undefined {
    const values = part.map(({ value }) => value)
    const fall = Math.max(...values) - Math.min(...values)
    if (part.at(-1)!.time - part[0]!.time < leastSpanMs || fall < leastFallPercent) return undefined
    const points = evenly(part)
    const slopes: number[] = []
    for (const [i, a] of points.entries())
        for (const b of points.slice(i + 1)) slopes.push((b.value - a.value) / (b.time - a.time))
    return median(slopes)
}

/** Points at even distances, each with what held then: what held for long counts for more than what came and went. */
function evenly(part: readonly Charge[]): Charge[] {
    const [from, to] = [part[0]!.time, part.at(-1)!.time]
    let i = 0
    return Array.from({ length: trendPoints }, (_, n) => {
        const time = from + (n / (trendPoints - 1)) * (to - from)
        while (i + 1 < part.length && part[i + 1]!.time <= time) i++
        return { time, value: part[i]!.value }
    })
}

/** What the trend says of the end of a part. */
function levelAt(part: readonly Charge[], slope: number): number {
    const { time } = part.at(-1)!
    return median(evenly(part).map(charge => charge.value + slope * (time - charge.time)))
}

function median(values: number[]): number {
    const sorted = values.sort((a, b) => a - b)
    const middle = sorted.length >> 1
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
