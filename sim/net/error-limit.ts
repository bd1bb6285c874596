const burst = 10
const perSecond = 10

/** A token bucket, as RFC 4443 §2.4 (f) wants it for ICMPv6 errors: a few at once, so many a second. */
export class ErrorLimit {
    private readonly now: () => number
    private tokens = burst
    private sinceMs: number

    /** @param now milliseconds */
    constructor(now: () => number) {
        this.now = now
        this.sinceMs = now()
    }

    /** Whether one more may go out, which it then does. */
    allows(): boolean {
        const now = this.now()
        this.tokens = Math.min(burst, this.tokens + ((now - this.sinceMs) * perSecond) / 1000)
        this.sinceMs = now
        if (this.tokens < 1) return false
        this.tokens--
        return true
    }
}
