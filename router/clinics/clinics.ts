import { elapsedMs, type Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { eui as euiOf } from "../../wire/keys.ts"
import type { ClinicLink } from "../clinic-link.ts"
import { DeliveryLoop } from "../delivery.ts"
import type { Replays } from "../replays.ts"
import type { RouterStore } from "../store/store.ts"
import type { Keyrings, NamedClinic } from "./keyrings.ts"

/** How long a count of what waits for a clinic is used. */
const countedMs = 1_000
/** A clinic that has answered within this time tells the time; of several, the first in the list. */
const timeMs = 60_000

/** One clinic with what is its own: the loop that delivers to it, and what waits for it. */
export interface Clinic {
    name: string
    loop: DeliveryLoop
    /** What waits in the outbox for it. */
    waiting(): { rows: number; bytes: number }
    motes(): number
}

/**
 * The clinics behind a router. Each has a delivery loop with its own batches and pauses, and the same share of the outbox, so that
 * one that is away holds up no other.
 */
export class Clinics {
    readonly all: readonly Clinic[]
    private readonly clock: Clock
    private readonly keyrings: Keyrings
    private readonly store: RouterStore
    private readonly share: number
    private readonly counts = new Map<string, { at: number; bytes: number }>()

    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        store: RouterStore
        replays: Replays
        keyrings: Keyrings
        clinics: readonly NamedClinic[]
        maxOutboxBytes: number
        maxDeadLetterBytes?: number
        log: Log
    }) {
        const { store, keyrings } = o
        this.clock = o.clock
        this.store = store
        this.keyrings = keyrings
        this.share = o.maxOutboxBytes / o.clinics.length
        this.all = o.clinics.map(({ name, link }) => {
            const isOf = name === "" ? undefined : (kid: string) => keyrings.ownerOf(kid) === name
            return {
                name,
                loop: new DeliveryLoop({ ...o, clinic: link, ...(isOf && { name, isOf }) }),
                waiting: () => store.outboxOf(isOf),
                motes: () => keyrings.countOf(name),
            }
        })
    }

    wake(): void {
        for (const { loop } of this.all) loop.wake()
    }

    close(): void {
        for (const { loop } of this.all) loop.close()
    }

    /** Envelopes in the outbox whose mote belongs to none of the clinics any more. */
    get ownerless(): number {
        const owned = this.all.reduce((sum, { waiting }) => sum + waiting().rows, 0)
        return this.store.outboxLength - owned
    }

    /**
     * Whether a mote's clinic has used up its share of the outbox.
     * @param part of the share that may be used, more than 1 for alarms
     */
    isShareUsed(kid: Uint8Array, bytes: number, part: number): boolean {
        if (this.all.length === 1) return false
        const owner = this.keyrings.ownerOf(euiOf(kid))
        const clinic = this.all.find(({ name }) => name === owner)
        if (!clinic) return false
        const now = elapsedMs(this.clock)
        let count = this.counts.get(clinic.name)
        if (!count || now - count.at >= countedMs) count = { at: now, bytes: clinic.waiting().bytes }
        this.counts.set(clinic.name, count)
        if (count.bytes + bytes > this.share * part) return true
        count.bytes += bytes
        return false
    }
}

/** The time of several clinics: that of the first in the list which answers. Absent where none tells a time. */
export function timeOf(clinics: readonly NamedClinic[], clock: Clock): Pick<ClinicLink, "onTime"> {
    const links = clinics.map(({ link }) => link)
    if (links.length === 1) return links[0]!
    if (links.some(({ onTime }) => !onTime)) return {}
    const heardAt = links.map(() => -Infinity)
    return {
        onTime: listener =>
            links.forEach((link, i) =>
                link.onTime!(time => {
                    const now = elapsedMs(clock)
                    heardAt[i] = now
                    const isFirst = heardAt.slice(0, i).every(at => now - at > timeMs)
                    if (isFirst) listener(time)
                }),
            ),
    }
}
