import { Slices } from "../../host/slices.ts"
import { defaultConfig, type ConfigName, type ConfigValues } from "../../wire/tables/settings.ts"
import { ProblemError } from "../errors.ts"
import type { Configurations } from "../motes/configurations.ts"
import type { Seen } from "../store/seen.ts"
import type { Store } from "../store/store.ts"
import { compare, limitKinds, Replay, type Comparison, type Episode } from "./replay.ts"
import { dayMs, statistics, type CountedAlarm, type Statistics } from "./statistics.ts"

const maxMs = 31 * dayMs
const hourMs = 3_600_000
const pageRows = 2000
const maxMissed = 100

/** What to try: limits and the delay, in the units of the settings. */
export type OtherLimits = Partial<Record<ConfigName, number>>

export interface WhatIf {
    /** For how long something was measured, by the hour. */
    watchedMs: number
    /** Values that were looked at. */
    readings: number
    kinds: Comparison[]
    /** The first of the alarms that the other limits would have missed. */
    missed: Episode[]
}

/** How many alarms there are, and how many there would be. */
export class Burden {
    private readonly store: Store
    private readonly configurations: Configurations

    constructor(store: Store, configurations: Configurations) {
        this.store = store
        this.configurations = configurations
    }

    /** Of the alarms that the clinic heard of within a time, unix ms; of one ward, or of all that are seen. Throws ProblemError. */
    async statistics(o: { from: number; before: number; ward?: string | undefined; seen: Seen }): Promise<Statistics> {
        checkPeriod(o)
        const slices = new Slices()
        const alarms: CountedAlarm[] = []
        for (let after = 0; ;) {
            const page = await this.store.alarm.counted({ ...o, after, limit: pageRows })
            alarms.push(...page)
            const last = page.at(-1)
            if (!last || page.length < pageRows) break
            after = last.id
            await slices.pause()
        }
        const patients = await this.store.patient.ofWard(o.ward, o.seen)
        const watchedMs = new Map<number, number>()
        for (const patient of patients) {
            const ms = await this.watchedMs(patient, o, slices)
            if (ms > 0) watchedMs.set(patient, ms)
        }
        return statistics(alarms, watchedMs, o)
    }

    /**
     * Which alarms the limits in force and others make of what is stored of a patient, by the rule of the motes. Single readings only:
     * of a summary nobody knows when its values were. Throws ProblemError.
     */
    async replay(patient: number, o: { from: number; before: number; limits: OtherLimits }): Promise<WhatIf> {
        checkPeriod(o)
        const slices = new Slices()
        const replays = new Map<number, { asSet: Replay; whatIf: Replay }>()
        let readings = 0
        for (const name of new Set(limitKinds.map(({ cause }) => cause.quantity)))
            for (let after = { time: o.from - 1, id: Number.MAX_SAFE_INTEGER }; ;) {
                const range = { patient, name, from: o.from, before: o.before }
                const page = await this.store.measurement.values(range, after, pageRows)
                for (const { mote, time, value } of page) {
                    let replay = replays.get(mote)
                    if (!replay) replays.set(mote, (replay = await this.replaysOf(mote, o.limits)))
                    replay.asSet.take(name, time, value)
                    replay.whatIf.take(name, time, value)
                }
                readings += page.length
                const last = page.at(-1)
                if (!last || page.length < pageRows) break
                after = last
                await slices.pause()
            }
        const all = [...replays.values()]
        const { kinds, missed } = compare(
            all.flatMap(({ asSet }) => asSet.episodes),
            all.flatMap(({ whatIf }) => whatIf.episodes),
        )
        const watchedMs = await this.watchedMs(patient, o, slices)
        return { watchedMs, readings, kinds, missed: missed.slice(0, maxMissed) }
    }

    private async replaysOf(mote: number, limits: OtherLimits): Promise<{ asSet: Replay; whatIf: Replay }> {
        const { settings } = await this.configurations.inForce({ id: mote })
        const inForce: ConfigValues = settings ?? { ...defaultConfig }
        return { asSet: new Replay(inForce), whatIf: new Replay({ ...inForce, ...limits }) }
    }

    /** Hours of the clock in which something was measured. */
    private async watchedMs(patient: number, o: { from: number; before: number }, slices: Slices): Promise<number> {
        let ms = 0
        for (let { from } = o; from < o.before;) {
            await slices.pause()
            const next = await this.store.measurement.firstTime(patient, from, o.before)
            if (next === undefined) return ms
            const hour = next - (next % hourMs)
            const end = Math.min(hour + hourMs, o.before)
            ms += end - Math.max(hour, o.from)
            from = end
        }
        return ms
    }
}

function checkPeriod({ from, before }: { from: number; before: number }): void {
    if (before <= from) throw new ProblemError("bad-parameter", { parameter: "before", fault: "malformed" })
    if (before - from > maxMs) throw new ProblemError("too-long-a-time", { max: maxMs / dayMs })
}
