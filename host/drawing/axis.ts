/** Maps a range of numbers linearly to a range of pixels. */
export class Scale {
    readonly min: number
    readonly max: number
    private readonly start: number
    private readonly end: number

    constructor(min: number, max: number, start: number, end: number) {
        this.min = min
        this.max = max
        this.start = start
        this.end = end
    }

    at(value: number): number {
        const { min, max, start, end } = this
        return start + ((value - min) / (max - min)) * (end - start)
    }
}

/** Returns at most `most` round numbers within a range. Their distance is one of `steps` times a power of ten. */
export function ticks(min: number, max: number, most: number, steps = [1, 2, 5]): number[] {
    const step = stepOf((max - min) / most, steps)
    const first = Math.ceil(min / step - 1e-9)
    const last = Math.floor(max / step + 1e-9)
    return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step)
}

/** Distances in seconds that read well as minutes and seconds. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400]

export function timeTicks(min: number, max: number, most: number): number[] {
    return ticks(min, max, most, max - min >= most ? timeSteps : undefined)
}

function stepOf(least: number, steps: number[]): number {
    const fitting = steps.find(step => step >= least)
    if (fitting !== undefined && steps[0]! <= least) return fitting
    let scale = 1
    while (steps[0]! * scale > least) scale /= 10
    while (steps.at(-1)! * scale < least) scale *= 10
    return scale * steps.find(step => step * scale >= least)!
}

/** Formats seconds as min:s, or as h:min:s from one hour on. Adds a decimal if `step` is below one second. */
export function clock(seconds: number, step = 1): string {
    const digits = step < 1 ? 1 : 0
    const rounded = Number(seconds.toFixed(digits))
    const s = (rounded % 60).toFixed(digits).padStart(digits ? 4 : 2, "0")
    const minutes = Math.floor(rounded / 60)
    if (minutes < 60) return `${minutes}:${s}`
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${s}`
}
