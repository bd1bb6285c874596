import { Slices } from "../../host/slices.ts"
import { isWorn, type Motes, type WornMote } from "../motes/motes.ts"
import { nobody } from "../store/measurements.ts"
import type { Store } from "../store/store.ts"
import { sourceOf, subjectOf, type Alarms } from "./alarms.ts"
import { emptyAt } from "./battery-trend.ts"
import { isWithin, minuteOfDay, minutesOf, type Shift } from "./shifts.ts"

const kind = "battery-ending"
/** When somebody should hear that a battery does not last until the morning, by the ward's time. */
const night: Shift = { name: "night", from: "18:00", to: "07:00" }
const everyMs = 60_000
const trendMs = 86_400_000
const maxCharges = 200
/** Of a mote that was not heard for longer nobody knows the battery; the longest rest is an hour. */
const freshMs = 2 * 3_600_000
/** A trend on the edge goes up and down. */
const spareMs = 3_600_000
const minutesOfDay = 24 * 60

export interface BatteryOptions {
    store: Store
    alarms: Alarms
    motes: Motes
    timeZone: string
    /** Unix ms. */
    now: () => number
    /** Milliseconds that only go forward. */
    elapsed: () => number
}

/** Raises an alarm in the evening, or in the night, where the trend of a mote's battery ends before the morning. */
export class BatteryWatch {
    private readonly o: BatteryOptions
    private lookedAt = -Infinity

    constructor(o: BatteryOptions) {
        this.o = o
    }

    /** To be called every few seconds, never two at once. */
    async check(): Promise<void> {
        const { elapsed, motes, now, timeZone } = this.o
        if (elapsed() - this.lookedAt < everyMs) return
        this.lookedAt = elapsed()
        const at = now()
        const isNight = isWithin(night, minuteOfDay(at, timeZone))
        const slices = new Slices()
        for (const mote of await motes.all()) {
            if (isWorn(mote)) await this.look(mote, at, isNight)
            await slices.pause()
        }
    }

    private async look(mote: WornMote, now: number, isNight: boolean): Promise<void> {
        const { store, alarms, timeZone } = this.o
        const isRaised = (await store.alarm.lasting(sourceOf(mote.id, mote.association), kind)).length > 0
        if (!isNight && !isRaised) return
        const { newestAt } = await store.start.summary(mote.id)
        if (newestAt === null) return
        const range = { patient: mote.patient, name: "batt", from: newestAt - trendMs, before: newestAt + 1000 }
        const charges = await store.measurement.newestOfMote(range, mote.id, maxCharges)
        const before = await store.measurement.newestOfMote({ ...range, patient: nobody }, mote.id, maxCharges)
        const ends = emptyAt(
            [...before, ...charges].sort((a, b) => a.time - b.time),
            newestAt,
        )
        if (ends === undefined) return
        const morning = nextTime(now, night.to, timeZone)
        if (isRaised && ends > morning + spareMs)
            await store.transaction(t => alarms.clear(subjectOf(mote), kind, now, t))
        if (!isRaised && ends < morning && now - newestAt < freshMs) {
            const value = Math.trunc(Math.max(ends, now) / 1000)
            await store.transaction(t => alarms.raise(subjectOf(mote), kind, { time: now, value, unit: "s" }, t))
        }
    }
}

/** When it is that time of the day next, unix ms. */
export function nextTime(now: number, time: string, timeZone: string): number {
    const minutesTo = (at: number) => minutesOf(time) - minuteOfDay(at, timeZone)
    const minutes = (minutesTo(now) + minutesOfDay) % minutesOfDay || minutesOfDay
    const next = now - (now % 60_000) + minutes * 60_000
    // The clocks may change in between.
    const off = minutesTo(next)
    return next + (Math.abs(off) > minutesOfDay / 2 ? off - Math.sign(off) * minutesOfDay : off) * 60_000
}
