/** State changes and marks of one radio, in bounded memory. */
export class Track {
    private times: number[] = []
    private states: number[] = []
    private readonly max: number
    /** Times of log lines and of collisions. */
    readonly logs: number[] = []
    readonly collisions: number[] = []

    constructor(max: number) {
        this.max = max
    }

    add(ms: number, state: number): void {
        this.times.push(ms)
        this.states.push(state)
        if (this.times.length < 1.3 * this.max) return
        this.times = this.times.slice(-this.max)
        this.states = this.states.slice(-this.max)
    }

    mark(marks: number[], ms: number): void {
        marks.push(ms)
        if (marks.length > this.max) marks.splice(0, this.max / 4)
    }

    /** Index of the state at this time; −1 before the first. */
    at(ms: number): number {
        let low = 0
        let high = this.times.length
        while (low < high) {
            const middle = (low + high) >> 1
            if (this.times[middle]! <= ms) low = middle + 1
            else high = middle
        }
        return low - 1
    }

    /** The state at an index, with its start and end. The last one is open. */
    period(index: number): { state: number; from: number; to: number } | undefined {
        const from = this.times[index]
        if (from === undefined) return undefined
        return { state: this.states[index]!, from, to: this.times[index + 1] ?? Infinity }
    }

    /**
     * Fills each pixel from `fromMs` on with the most active state plus 1, or 0 if unknown.
     * @param untilMs end of the known states
     */
    paint(pixels: Uint8Array, fromMs: number, msPerPixel: number, untilMs: number): void {
        pixels.fill(0)
        const endMs = Math.min(untilMs, fromMs + pixels.length * msPerPixel)
        for (let i = Math.max(0, this.at(fromMs)); ; i++) {
            const period = this.period(i)
            if (!period || period.from >= endMs) break
            const first = Math.max(0, Math.floor((period.from - fromMs) / msPerPixel))
            const last = Math.floor((Math.min(period.to, endMs) - fromMs) / msPerPixel)
            const level = period.state + 1
            for (let x = first; x <= last && x < pixels.length; x++) if (pixels[x]! < level) pixels[x] = level
        }
    }
}
