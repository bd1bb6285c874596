const burst = 10
const perSecond = 10

/** A token bucket for ICMPv6 errors, as RFC 4443 §2.4 (f) requires: a small burst, then a rate per second. */
export class ErrorLimit {
    private readonly now: () => number
    private tokens = burst
    private sinceMs: number

    /** @param now current time in ms */
    constructor(now: () => number) {
        this.now = now
        this.sinceMs = now()
    }

    /** Whether another error may be sent; if so, takes a token. */
    allows(): boolean {
        const now = this.now()
        this.tokens = Math.min(burst, this.tokens + ((now - this.sinceMs) * perSecond) / 1000)
        this.sinceMs = now
        if (this.tokens < 1) return false
        this.tokens--
        return true
    }
}
