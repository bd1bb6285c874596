import type { Clock } from "../host/clock.ts"
import { addressOf } from "./address.ts"
import { RateLimit } from "./rate-limit.ts"

/** Strangers' connections from one address at a time. */
export const maxStrangersOfAddress = 256
/** What strangers of one address may cost in a second: connections, and messages that lead to nothing. */
export const maxCostOfAddress = 1024
const costWindowMs = 1_000

/** A connection's place among those that there are. */
export interface Place {
    /** The peer speaks the protocol. */
    protocolConfirmed(): void
    /** The peer is this mote, for it has shown that it has its key. Where the mote was before is a stranger's place now. */
    login(eui: string): void
    /** Takes what the peer has cost; false where strangers of its address have had enough. A mote is let off. */
    spend(cost: number): boolean
    leave(): void
}

/**
 * Who may have a connection. There is room for so many; when it is full those leave first who have not said a word, then
 * those who are no mote, the oldest first and from the address that has most. A mote's current connection stays.
 */
export class Admission {
    private readonly max: number
    private readonly costs: RateLimit
    /** The oldest first. */
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
     * A place for a peer (`192.0.2.7:49152`); undefined where there is none for it. `drop` is called when it has to leave
     * for another one, and its place is gone then.
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
        const before = this.byEui.get(eui)
        if (before) this.demote(before)
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

    /** Of one address, or of the one that has most. */
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
    /** Of the mote whose current connection it is. */
    eui: string | undefined
}

/** Of the address with most of these the one that came first. */
function oldestOfHeaviest(seats: Seat[]): Seat | undefined {
    const counts = new Map<string, number>()
    for (const { address } of seats) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    return seats.find(({ address }) => counts.get(address) === most)
}
