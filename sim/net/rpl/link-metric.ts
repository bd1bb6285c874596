/** ETX of 1, the fixed point of MRHOF's metric (RFC 6551 §4.3.2). */
export const etx1 = 128
/** A transmission that was given up counts as so many. */
const noAckEtx = 12
const slowShare = 0.1
const freshShare = 0.25
/** So many measurements are fresh. */
const freshCount = 4

/** How many transmissions a frame to a neighbour takes: an average that follows slowly (ETX, De Couto 2003). */
export class LinkMetric {
    /** In units of 1/128. */
    value: number
    private count = 0
    private readonly initial: number

    constructor(initial: number) {
        this.value = this.initial = initial
    }

    /** What is known is old: at most the value of a stranger, and fresh measurements count more. */
    forgive(): void {
        this.value = Math.min(this.value, this.initial)
        this.count = 0
    }

    measured(delivered: boolean, transmissions: number): void {
        const sample = (delivered ? transmissions : noAckEtx) * etx1
        const share = this.count < freshCount ? freshShare : slowShare
        this.count++
        this.value = Math.round(this.value + share * (sample - this.value))
    }
}
