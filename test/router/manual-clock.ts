import type { Clock, Timer } from "../../host/clock.ts"

/** A clock that only moves when told to; what the timers set off has settled when `advance` resolves. */
export class ManualClock implements Clock {
    private timeMs: number
    private readonly timers = new Map<number, { at: number; fn: () => void }>()
    private lastId = 0

    constructor(timeMs = 1_700_000_000_000) {
        this.timeMs = timeMs
    }

    /** Timers that have not fired. */
    get waiting(): number {
        return this.timers.size
    }

    now(): number {
        return this.timeMs
    }

    setTimeout(fn: () => void, ms: number): Timer {
        this.timers.set(++this.lastId, { at: this.timeMs + Math.max(0, ms), fn })
        return this.lastId
    }

    clearTimeout(timer: Timer | undefined): void {
        this.timers.delete(timer as number)
    }

    /** Sets the time of day; as on a real machine, timers do not care. */
    step(ms: number): void {
        this.timeMs += ms
        for (const timer of this.timers.values()) timer.at += ms
    }

    async advance(ms: number): Promise<void> {
        const until = this.timeMs + ms
        await settle()
        for (;;) {
            const next = [...this.timers].sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0]
            if (!next || next[1].at > until) break
            this.timers.delete(next[0])
            this.timeMs = next[1].at
            next[1].fn()
            await settle()
        }
        this.timeMs = until
    }
}

/** Lets promises and stream deliveries run. */
export function settle(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
}
