/*
 * When an alarm is raised and cleared: the rule of the firmware (src/alarms/alarms.ts, `watch`), for what-ifs over what is stored. A
 * test runs both on the same random curves.
 */

/** A limit of a quantity; `delayMs` is how long a value has to be beyond it, or back within by `hysteresis`. */
export interface Limit {
    side: "low" | "high"
    limit: number
    hysteresis: number
    delayMs: number
}

/** The alarm begins or ends with a reading. */
export interface Change {
    raised: boolean
    /** Of the reading. */
    time: number
    value: number
}

/** One alarm of one mote, fed with its readings in the order of time. */
export class LimitRule {
    private readonly limit: Limit
    private isRaised = false
    /** Since when the readings say the opposite of what is so. */
    private since: number | undefined

    constructor(limit: Limit) {
        this.limit = limit
    }

    /** What a reading changes; undefined where it changes nothing. A missing value is no reading. */
    take(time: number, value: number): Change | undefined {
        const { side, limit, hysteresis, delayMs } = this.limit
        const excess = side === "low" ? limit - value : value - limit
        const isOpposite = this.isRaised ? excess <= -hysteresis : excess > 0
        if (!isOpposite) {
            this.since = undefined
            return undefined
        }
        this.since ??= time
        if (time - this.since < delayMs) return undefined
        this.since = undefined
        this.isRaised = !this.isRaised
        return { raised: this.isRaised, time, value }
    }
}
