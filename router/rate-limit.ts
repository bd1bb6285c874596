import type { Clock } from "../host/clock.ts"

/** Names that are remembered; of more the one heard of longest ago is forgotten. */
const maxNames = 4096

interface Window {
    since: number
    used: number
}

/** Bounds what is done for one name, an address mostly, within a window of time. */
export class RateLimit {
    private readonly clock: Clock
    private readonly max: number
    private readonly windowMs: number
    /** The one heard of longest ago first. */
    private readonly windows = new Map<string, Window>()

    constructor(clock: Clock, max: number, windowMs: number) {
        this.clock = clock
        this.max = max
        this.windowMs = windowMs
    }

    /** Takes so much of what there is for this name; false where that is too much, and then nothing is taken. */
    take(name: string, cost = 1): boolean {
        const now = this.clock.now()
        let window = this.windows.get(name)
        this.windows.delete(name)
        // The time of day may step, in either direction.
        if (!window || Math.abs(now - window.since) >= this.windowMs) window = { since: now, used: 0 }
        const [oldest] = this.windows.keys()
        if (oldest !== undefined && this.windows.size >= maxNames) this.windows.delete(oldest)
        this.windows.set(name, window)
        if (window.used + cost > this.max) return false
        window.used += cost
        return true
    }
}
