import type { Clock } from "../host/clock.ts"
import { addressOf } from "./address.ts"
import { RateLimit } from "./rate-limit.ts"

/**
 * The maximum number of strangers' connections from one address. A stranger is a peer that is not known to be a mote.
 */
export const maxStrangersOfAddress = 256
/** The budget of an address's strangers per second, for connections and unproductive messages. */
export const maxCostOfAddress = 1024
const costWindowMs = 1_000

/** An admitted connection. */
export interface Place {
    /** Reports that the peer speaks the protocol. */
    protocolConfirmed(): void
    /** Reports that the peer has proved to be this mote. The mote's previous connection now counts as a stranger's. */
    login(eui: string): void
    /** Charges the peer. Returns false if the budget of its address's strangers is used up. Motes are never charged. */
    spend(cost: number): boolean
    /** Frees the place. */
    leave(): void
}

/**
 * Admission control for connections. When all places are taken, a new connection replaces another one: first one whose
 * peer has not confirmed the protocol, then another stranger's, in either case the oldest from the address with most of
 * them. A mote's current connection is never dropped.
 */
export class Admission {
    private readonly max: number
    private readonly costs: RateLimit
    /** Places, the oldest first. */
    private readonly places = new Set<Seat>()
    private readonly strangers = new Map<string, number>()
    private readonly byEui = new Map<string, Seat>()

    constructor(o: { clock: Clock; max: number }) {
        this.max = o.max
        this.costs = new RateLimit(o.clock, maxCostOfAddress, costWindowMs)
    }

    get size(): number {
        return this.places.size
    }

    /**
     * Admits a peer, such as `192.0.2.7:49152`. Returns undefined if there is no place for it. `drop` is called when
     * another connection takes its place; the place is free then.
     */
    admit(peer: string, drop: () => void): Place | undefined {
        const address = addressOf(peer)
        if (!this.costs.take(address)) return undefined
        if ((this.strangers.get(address) ?? 0) >= maxStrangersOfAddress) this.dropStranger(address)
        else if (this.places.size >= this.max) this.dropStranger()
        if (this.places.size >= this.max) return undefined
        const seat: Seat = { address, drop, isSilent: true, eui: undefined }
        this.places.add(seat)
        this.count(address, 1)
        return {
            protocolConfirmed: () => (seat.isSilent = false),
            login: eui => this.login(seat, eui),
            spend: cost => seat.eui !== undefined || this.costs.take(address, cost),
            leave: () => this.remove(seat),
        }
    }

    private login(seat: Seat, eui: string): void {
        if (!this.places.has(seat) || seat.eui === eui) return
        seat.isSilent = false
        const previous = this.byEui.get(eui)
        if (previous) this.demote(previous)
        if (seat.eui !== undefined) this.demote(seat)
        this.byEui.set(eui, seat)
        seat.eui = eui
        this.count(seat.address, -1)
    }

    private demote(seat: Seat): void {
        this.byEui.delete(seat.eui!)
        seat.eui = undefined
        this.count(seat.address, 1)
    }

    /** Drops a stranger of one address, or without it of the address that has most. */
    private dropStranger(address?: string): void {
        const strangers = [...this.places].filter(
            seat => seat.eui === undefined && (address ?? seat.address) === seat.address,
        )
        const silent = strangers.filter(({ isSilent }) => isSilent)
        const victim = oldestOfHeaviest(silent) ?? oldestOfHeaviest(strangers)
        if (!victim) return
        this.remove(victim)
        victim.drop()
    }

    private remove(seat: Seat): void {
        if (!this.places.delete(seat)) return
        if (seat.eui === undefined) this.count(seat.address, -1)
        else if (this.byEui.get(seat.eui) === seat) this.byEui.delete(seat.eui)
    }

    private count(address: string, more: number): void {
        const count = (this.strangers.get(address) ?? 0) + more
        if (count > 0) this.strangers.set(address, count)
        else this.strangers.delete(address)
    }
}

interface Seat {
    readonly address: string
    readonly drop: () => void
    isSilent: boolean
    /** The mote whose current connection this is, undefined for a stranger. */
    eui: string | undefined
}

/** Returns the oldest of the seats of the address that has most of them. */
function oldestOfHeaviest(seats: Seat[]): Seat | undefined {
    const counts = new Map<string, number>()
    for (const { address } of seats) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    return seats.find(({ address }) => counts.get(address) === most)
}
