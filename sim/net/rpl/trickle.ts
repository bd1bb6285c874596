import type { Events } from "../../time/events.ts"

export interface TrickleOptions {
    events: Events
    random: () => number
    /** Imin in ms. */
    minMs: number
    /** Imax as a number of doublings of Imin. */
    doublings: number
    /** k; 0 never suppresses a transmission. */
    redundancy: number
    transmit: () => void
}

/** The Trickle timer (RFC 6206 §4.2): frequent transmissions while things change, rare ones when they do not. */
export class Trickle {
    private readonly options: TrickleOptions
    private intervalMs = 0
    private heard = 0
    private timers: unknown[] = []

    constructor(options: TrickleOptions) {
        this.options = options
    }

    start(): void {
        this.begin(this.options.minMs)
    }

    stop(): void {
        for (const timer of this.timers) this.options.events.cancel(timer)
        this.timers = []
        this.intervalMs = 0
    }

    /** An inconsistency was detected: back to the shortest interval, unless already there. */
    reset(): void {
        if (this.intervalMs !== this.options.minMs) this.begin(this.options.minMs)
    }

    /** A consistent transmission was heard (RFC 6206 §4.2). */
    consistent(): void {
        this.heard++
    }

    private begin(intervalMs: number): void {
        const { events, random, minMs, doublings, redundancy, transmit } = this.options
        this.stop()
        this.intervalMs = intervalMs
        this.heard = 0
        const atMs = (intervalMs / 2) * (1 + random())
        this.timers = [
            events.schedule(() => {
                if (redundancy === 0 || this.heard < redundancy) transmit()
            }, atMs),
            events.schedule(() => this.begin(Math.min(2 * intervalMs, minMs * 2 ** doublings)), intervalMs),
        ]
    }
}
