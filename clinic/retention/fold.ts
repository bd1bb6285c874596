import type { SummedValue } from "../store/expiry.ts"
import type { NewMean } from "../store/means.ts"

export const minuteMs = 60_000
export const hourMs = 3_600_000

/**
 * Means of these values over steps of `step` ms, one for each mote; what has no value leaves nothing. Any part of a step may be
 * folded by itself: parts that are joined are the mean of all.
 */
export function fold(
    { patient, name, step }: { patient: number; name: string; step: number },
    values: readonly SummedValue[],
): NewMean[] {
    const means = new Map<string, NewMean & { rated: number }>()
    for (const { time: at, mote, value, quality, count: given, least, greatest } of values) {
        if (value === null) continue
        const count = given ?? 1
        const time = at - (at % step)
        const key = `${time} ${mote}`
        const known = means.get(key)
        if (!known) {
            const own = { value, count, least: least ?? value, greatest: greatest ?? value, quality }
            means.set(key, { patient, name, step, time, mote, ...own, rated: quality === null ? 0 : count })
            continue
        }
        known.value = (known.value * known.count + value * count) / (known.count + count)
        known.count += count
        known.least = Math.min(known.least, least ?? value)
        known.greatest = Math.max(known.greatest, greatest ?? value)
        if (quality === null) continue
        known.quality = ((known.quality ?? 0) * known.rated + quality * count) / (known.rated + count)
        known.rated += count
    }
    return [...means.values()].map(({ rated: _, ...mean }) => mean)
}
