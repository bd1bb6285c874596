import { elapsedMs, type Clock } from "../host/clock.ts"

/** The maximum number of motes that wait for a request. */
export const maxWaiting = 1024
/** A mote that the clinic does not know is not requested again for this time. */
export const deniedMs = 10_000
/** The maximum number of such motes that are remembered. */
const maxDenied = 4096

/**
 * The motes (`eui`) that have appeared and whose keys the router does not have. Anyone can invent any number of them. So
 * addresses take turns, and if there are too many, the newest mote of the address with the most is dropped.
 */
export class Strangers {
    private readonly clock: Clock
    /** Motes by the address at which they appeared. */
    private readonly waiting = new Map<string, Set<string>>()
    /** When the clinic said that it does not know a mote, by `elapsedMs`, the oldest first. */
    private readonly denied = new Map<string, number>()
    private count = 0

    constructor(clock: Clock) {
        this.clock = clock
    }

    /** The number of motes that wait for a request. */
    get size(): number {
        return this.count
    }

    /** Adds a mote. Returns false if the clinic reported within the last `deniedMs` that it does not know it. */
    add(eui: string, address: string): boolean {
        const deniedAt = this.denied.get(eui)
        if (deniedAt !== undefined && elapsedMs(this.clock) - deniedAt < deniedMs) return false
        const own = this.waiting.get(address) ?? new Set()
        if (own.has(eui)) return true
        if (this.count >= maxWaiting) {
            const [most, euis] = this.most()
            // Otherwise the new mote would itself be the newest of the address with the most.
            if (euis.size <= own.size) return true
            this.remove(most, euis, [...euis].at(-1)!)
        }
        own.add(eui)
        this.waiting.set(address, own)
        this.count++
        return true
    }

    /** Removes and returns up to `max` motes, one of each address in turn, and the oldest of each address first. */
    take(max: number): string[] {
        const taken = new Set<string>()
        // An address is moved to the end of the map, so this loop reaches it again after the others.
        for (const [address, euis] of this.waiting) {
            if (taken.size === max) break
            const [oldest] = euis as Set<string>
            this.remove(address, euis, oldest!)
            taken.add(oldest!)
            if (!this.waiting.delete(address)) continue
            this.waiting.set(address, euis)
        }
        return [...taken]
    }

    /** Records that the clinic does not know these motes, or that this router may not serve them. */
    deny(euis: readonly string[]): void {
        for (const eui of euis) {
            this.denied.delete(eui)
            const [oldest] = this.denied.keys()
            if (oldest !== undefined && this.denied.size >= maxDenied) this.denied.delete(oldest)
            this.denied.set(eui, elapsedMs(this.clock))
        }
    }

    private remove(address: string, euis: Set<string>, eui: string): void {
        euis.delete(eui)
        this.count--
        if (euis.size === 0) this.waiting.delete(address)
    }

    private most(): [string, Set<string>] {
        let most: [string, Set<string>] = ["", new Set()]
        for (const entry of this.waiting) if (entry[1].size > most[1].size) most = entry
        return most
    }
}
