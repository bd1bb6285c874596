import type { Clock } from "../../host/clock.ts"
import { Slices } from "../../host/slices.ts"
import {
    bedsideKinds,
    bedsideNames,
    type BedsideKind,
    type BedsideName,
    type Consciousness,
} from "../../wire/tables/bedside.ts"
import type { StoredBedside } from "../store/bedside.ts"
import type { Store } from "../store/store.ts"
import type { Position } from "./observations.ts"
import { idBefore, type StoredPart } from "./stored-since.ts"
import type { TimeRange } from "./time-filter.ts"

/** What a nurse observed; only what is in it. */
export interface BedsideEntry {
    /** Breaths a minute. */
    respiration?: number
    /** mmHg */
    systolic?: number
    oxygen?: "air" | "oxygen"
    consciousness?: Consciousness
}

/** One stored value of an entry. */
export interface BedsideObservation {
    /** Unique among these and what motes measured. */
    id: number
    patient: number
    name: BedsideName
    /** Of a choice, its place in the list. */
    value: number
    /** Unix ms. */
    time: number
    storedAt: number
    /** User name. */
    by: string
}

/** Their ids come after any that what motes measured can get, so that FHIR has one kind of id for both. */
const firstId = 500_000_000_000_000

/** What nurses observed at the bedside. */
export class Bedside {
    private readonly store: Store
    private readonly clock: Clock

    constructor(store: Store, clock: Clock) {
        this.store = store
        this.clock = clock
    }

    async add(patient: number, entry: BedsideEntry, by: string): Promise<void> {
        const now = Math.trunc(this.clock.now())
        await this.store.transaction(async t => {
            for (const name of bedsideNames) {
                const given = entry[name]
                if (given === undefined) continue
                const { choices }: BedsideKind = bedsideKinds[name]
                const value = typeof given === "number" ? given : choices!.indexOf(given)
                await t.bedside.add({ patient, name, value, time: now, storedAt: now, author: by })
            }
        })
    }

    /** The last one until `until`, unix ms. */
    async newest(patient: number, name: BedsideName, until: number): Promise<BedsideObservation | undefined> {
        const found = await this.store.bedside.newest(patient, name, until)
        return found && observation(found)
    }

    /** All of a time, the oldest first. */
    async between(patient: number, name: BedsideName, from: number, before: number): Promise<BedsideObservation[]> {
        const page = { after: { time: -1, id: 0 }, newestFirst: false, limit: maxBetween }
        return (await this.store.bedside.page({ patient, name, from, before }, page)).map(observation)
    }

    async get(id: number): Promise<BedsideObservation | undefined> {
        const found = id >= firstId ? await this.store.bedside.get(id - firstId) : undefined
        return found && observation(found)
    }

    /** One page of a search, ordered by time; no more than `limit` of each patient and name. */
    async search(o: {
        patients: readonly number[]
        names: readonly BedsideName[]
        ranges: readonly TimeRange[]
        newestFirst: boolean
        after?: Position | undefined
        limit: number
    }): Promise<BedsideObservation[]> {
        const { newestFirst, limit } = o
        const start = newestFirst ? Number.MAX_SAFE_INTEGER : -1
        const { time, id } = o.after ?? { time: start, id: 0 }
        // What motes measured at the very time of `after` has smaller ids.
        const after = { time, id: id - firstId }
        const found: BedsideObservation[] = []
        const slices = new Slices()
        for (const patient of o.patients)
            for (const name of o.names)
                for (const { from, before } of o.ranges) {
                    const range = { patient, name, from: finite(from), before: finite(before) }
                    const rows = await this.store.bedside.page(range, { after, newestFirst, limit })
                    found.push(...rows.map(observation))
                    await slices.pause()
                }
        return found
    }

    /** The last number of what was entered before that, unix ms. */
    async idBefore(at: number): Promise<number> {
        if (at <= 0) return 0
        const { bedside } = this.store
        return await idBefore(at, await bedside.newestId(), id => bedside.from(id))
    }

    /** In the order they were entered, behind a number. */
    async stored(o: {
        after: number
        names: readonly BedsideName[]
        patients: "all" | readonly number[]
        limit: number
    }): Promise<StoredPart<BedsideObservation>> {
        const rows = await this.store.bedside.since(o.after, o)
        return { found: rows.map(observation), rest: rows.length === o.limit ? rows.at(-1)!.id : undefined }
    }

    /** The number of an entry among entries, which is not its id. */
    numberOf({ id }: BedsideObservation): number {
        return id - firstId
    }

    async count(
        patients: readonly number[],
        names: readonly BedsideName[],
        ranges: readonly TimeRange[],
    ): Promise<number> {
        const slices = new Slices()
        let count = 0
        for (const patient of patients)
            for (const name of names)
                for (const { from, before } of ranges) {
                    const range = { patient, name, from: finite(from), before: finite(before) }
                    count += await this.store.bedside.count(range)
                    await slices.pause()
                }
        return count
    }
}

/** Of one patient and name: a nurse enters one in minutes. */
const maxBetween = 10_000

function finite(time: number): number {
    return Math.min(Math.max(time, 0), Number.MAX_SAFE_INTEGER)
}

function observation({ id, name, author, ...row }: StoredBedside): BedsideObservation {
    return { ...row, id: firstId + id, name: name as BedsideName, by: author }
}
