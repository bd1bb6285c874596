/** A range in which skin under a worn sensor is; anything else is a room or a fault. */
const minSkinC = 30
const maxSkinC = 43
/** Settled: over so many readings, 20 s, the temperature moved by no more than `settledC`. */
const settleReadings = 10
const settledC = 0.1

/**
 * Body temperature from the sensor's. The sensor needs minutes to warm up to the skin, and until then it is too low; the
 * rule for when it has is a drift of at most 0.1 °C in 20 s. The value is that of the skin under the sensor.
 */
export class BodyTemperature {
    private recent: number[] = []
    private count = 0

    constructor() {
        for (let i = 0; i < settleReadings; i++) this.recent.push(0)
    }

    /** The sensor was started or taken off: it has to settle anew. */
    reset(): undefined {
        this.count = 0
        return undefined
    }

    /** Takes the reading of each 2 s in °C. @returns °C, undefined until settled */
    next(celsius: number): number | undefined {
        if (celsius < minSkinC || celsius > maxSkinC) return this.reset()
        const recent = this.recent
        recent[this.count % settleReadings] = celsius
        this.count++
        if (this.count < settleReadings) return undefined
        let low = celsius
        let high = celsius
        for (let i = 0; i < settleReadings; i++) {
            low = Math.min(low, recent[i])
            high = Math.max(high, recent[i])
        }
        return high - low <= settledC ? celsius : undefined
    }
}
