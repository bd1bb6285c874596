/** Initial timeout (RFC 6298 §2.1), and after a lost SYN (§5.7). */
const initialMs = 1000
const afterLostSynMs = 3000
/**
 * RFC 6298 §2.4 requires at least one second, because of coarse clocks and delayed acknowledgements on the internet.
 * Here a round trip takes a tenth of a second, and the measured variation covers delayed acknowledgements; internet
 * hosts also go down to 200 ms.
 */
const minMs = 500
const maxMs = 60_000

/** The retransmission timeout (RFC 6298). */
export class RetransmissionTimeout {
    ms = initialMs
    private smoothedMs: number | undefined
    private variationMs = 0

    /** Records a round-trip time (§2); never one of a retransmitted segment (§3). */
    measured(ms: number): void {
        if (this.smoothedMs === undefined) {
            this.smoothedMs = ms
            this.variationMs = ms / 2
        } else {
            this.variationMs += (Math.abs(ms - this.smoothedMs) - this.variationMs) / 4
            this.smoothedMs += (ms - this.smoothedMs) / 8
        }
        this.ms = Math.max(minMs, Math.min(maxMs, this.smoothedMs + 4 * this.variationMs))
    }

    /** The timeout expired: it doubles (§5.5). */
    expired(): void {
        this.ms = Math.min(maxMs, 2 * this.ms)
    }

    /** The connection is open, but its SYN had to be retransmitted (§5.7). */
    openedLate(): void {
        if (this.smoothedMs === undefined) this.ms = afterLostSynMs
    }
}
