import type { Clock } from "../host/clock.ts"

/** The maximum number of names remembered. Beyond it the least recently used is forgotten. */
const maxNames = 4096

interface Window {
    since: number
    used: number
}

/** Limits the cost per name, usually an address, within a window of time. */
export class RateLimit {
    private readonly clock: Clock
    private readonly max: number
    private readonly windowMs: number
    /** Windows by name, the least recently used first. */
    private readonly windows = new Map<string, Window>()

    constructor(clock: Clock, max: number, windowMs: number) {
        this.clock = clock
        this.max = max
        this.windowMs = windowMs
    }

    /** Charges a name. Returns false, and charges nothing, if that would exceed its limit. */
    take(name: string, cost = 1): boolean {
        const now = this.clock.now()
        let window = this.windows.get(name)
        this.windows.delete(name)
        // The time of day may step in either direction.
        if (!window || Math.abs(now - window.since) >= this.windowMs) window = { since: now, used: 0 }
        if (this.windows.size >= maxNames) {
            const [oldest] = this.windows.keys()
            if (oldest !== undefined) this.windows.delete(oldest)
        }
        this.windows.set(name, window)
        if (window.used + cost > this.max) return false
        window.used += cost
        return true
    }
}
