import { ahead } from "./tcp-sequence.ts"

/** RFC 5681 §3.1. */
const initialSegments = 3
/** RFC 5681 §3.2. */
const fastRetransmitDuplicates = 3

/**
 * Congestion control: slow start, congestion avoidance, fast retransmit (RFC 5681), and NewReno recovery (RFC 6582).
 */
export class Congestion {
    /** Maximum segment size; the peer's is known later. */
    mss: number
    /** Congestion window in bytes. */
    window: number
    private threshold = 65_535
    private duplicates = 0
    /** Recovery lasts until this sequence number is acknowledged. Undefined outside recovery. */
    private recover: number | undefined

    constructor(mss: number) {
        this.mss = mss
        this.window = initialSegments * mss
    }

    /**
     * Handles an acknowledgement of new bytes. @returns whether the next segment was lost as well and must be
     * retransmitted
     */
    acknowledged(acknowledgement: number, bytes: number): boolean {
        this.duplicates = 0
        this.window +=
            this.window < this.threshold ? Math.min(bytes, this.mss) : Math.max(1, (this.mss * this.mss) / this.window)
        if (this.recover === undefined) return false
        // A partial acknowledgement: the next segment was lost as well (RFC 6582 §3.2).
        if (ahead(acknowledgement, this.recover) < 0) return true
        this.recover = undefined
        return false
    }

    /** Handles a duplicate acknowledgement. @returns whether a segment must be retransmitted at once */
    duplicate(una: number, next: number): boolean {
        if (++this.duplicates !== fastRetransmitDuplicates || this.recover !== undefined) return false
        this.recover = next
        this.halve(una, next)
        this.window = this.threshold
        return true
    }

    /** The retransmission timer expired, for the first time or again. */
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
