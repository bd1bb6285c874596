/** An ETX of 1 in the fixed-point format of MRHOF's metric (RFC 6551 §4.3.2). */
export const etx1 = 128
/** A transmission without acknowledgement counts as this ETX. */
const noAckEtx = 12
const slowShare = 0.1
const freshShare = 0.25
/** The first measurements, this many, count more. */
const freshCount = 4

/** The expected transmissions per frame to a neighbour, as a moving average (ETX, De Couto 2003). */
export class LinkMetric {
    /** In units of 1/128. */
    value: number
    private count = 0
    private readonly initial: number

    constructor(initial: number) {
        this.value = this.initial = initial
    }

    /** Marks the value as stale: it becomes at most the initial value, and new measurements count more. */
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
