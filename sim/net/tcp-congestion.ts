import { ahead } from "./tcp-sequence.ts"

/** RFC 5681 §3.1 */
const initialSegments = 3
/** RFC 5681 §3.2 */
const fastRetransmitDuplicates = 3

/** How much may be under way: slow start, congestion avoidance, fast retransmit (RFC 5681), NewReno's recovery (RFC 6582). */
export class Congestion {
    /** Largest segment; what the peer can take is known later. */
    mss: number
    /** Bytes that may be under way. */
    window: number
    private threshold = 65_535
    private duplicates = 0
    /** Losses up to this number are being made good; undefined while nothing is known to be lost. */
    private recover: number | undefined

    constructor(mss: number) {
        this.mss = mss
        this.window = initialSegments * mss
    }

    /** So many bytes more have arrived. @returns whether the next segment was lost as well and has to be sent again */
    acknowledged(acknowledgement: number, bytes: number): boolean {
        this.duplicates = 0
        this.window +=
            this.window < this.threshold ? Math.min(bytes, this.mss) : Math.max(1, (this.mss * this.mss) / this.window)
        if (this.recover === undefined) return false
        // So far and no further: what follows was lost as well (RFC 6582 §3.2).
        if (ahead(acknowledgement, this.recover) < 0) return true
        this.recover = undefined
        return false
    }

    /** The same was acknowledged again. @returns whether a segment seems lost and has to be sent again at once */
    duplicate(una: number, next: number): boolean {
        if (++this.duplicates !== fastRetransmitDuplicates || this.recover !== undefined) return false
        this.recover = next
        this.halve(una, next)
        this.window = this.threshold
        return true
    }

    /** Nothing was acknowledged in time, for the first time or again. */
    expired(una: number, next: number, isFirst: boolean): void {
        if (isFirst) this.halve(una, next)
        this.window = this.mss
        this.duplicates = 0
        this.recover = next
    }

    private halve(una: number, next: number): void {
        this.threshold = Math.max(ahead(next, una) / 2, 2 * this.mss)
    }
}
