import type { Clock, Timer } from "../../host/clock.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

/** The simulator's clock for one part of the host. It stands still until a test moves it. */
export class ManualClock implements Clock {
    private readonly virtual: VirtualClock
    private setMs = 0

    /** @param startMs the time of day, unix ms */
    constructor(startMs = Date.UTC(2024, 2, 1, 3)) {
        this.virtual = new VirtualClock(startMs)
    }

    /** Timers that have not fired. */
    get waiting(): number {
        return this.virtual.waiting
    }

    now(): number {
        return this.virtual.now() + this.setMs
    }

    elapsed(): number {
        return this.virtual.now()
    }

    setTimeout(fn: () => void, ms: number): Timer {
        return this.virtual.setTimeout(fn, ms)
    }

    clearTimeout(timer: Timer): void {
        this.virtual.clearTimeout(timer)
    }

    /** Sets the time of day forward or back. As on a real machine, timers and durations do not care. */
    step(ms: number): void {
        this.setMs += ms
    }

    /** Time passes. What was under way before, and what the timers set off, has settled when this resolves. */
    async advance(ms: number): Promise<void> {
        await settle()
        await this.virtual.run(ms)
    }
}

/** Lets promises and stream deliveries run. */
export function settle(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
}
