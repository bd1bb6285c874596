/** RFC 6298 §2.1; §5.7 where the SYN itself was lost. */
const initialMs = 1000
const afterLostSynMs = 3000
/**
 * RFC 6298 §2.4 wants a second at least, for the sake of clocks that tick every half second and of delayed
 * acknowledgements on the wide net. Here a round trip is a tenth of a second, and the measured variation covers the delay
 * of acknowledgements; hosts on the internet go down to 200 ms, too.
 */
const minMs = 500
const maxMs = 60_000

/** How long to wait for an acknowledgement before sending again (RFC 6298). */
export class RetransmissionTimeout {
    ms = initialMs
    private smoothedMs: number | undefined
    private variationMs = 0

    /** A round trip took that long (§2); never one of a segment that was sent twice (§3). */
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

    /** No answer in time: twice as long next time (§5.5). */
    expired(): void {
        this.ms = Math.min(maxMs, 2 * this.ms)
    }

    /** The connection is open, though its SYN had to be sent again (§5.7). */
    openedLate(): void {
        if (this.smoothedMs === undefined) this.ms = afterLostSynMs
    }
}
