const maxSteps = 240
const firstStepS = 1

/** Sums per time step. When there are too many steps, their length doubles. */
export class Course {
    readonly sums: number[] = []
    stepS = firstStepS

    add(seconds: number, value: number): void {
        while (seconds >= maxSteps * this.stepS) this.widen()
        const step = Math.floor(seconds / this.stepS)
        while (this.sums.length <= step) this.sums.push(0)
        this.sums[step]! += value
    }

    /** The sums in longer steps. */
    inStepsOf(stepS: number): number[] {
        while (this.stepS < stepS) this.widen()
        return this.sums
    }

    private widen(): void {
        for (let i = 0; i < this.sums.length; i += 2) this.sums[i / 2] = this.sums[i]! + (this.sums[i + 1] ?? 0)
        this.sums.length = Math.ceil(this.sums.length / 2)
        this.stepS *= 2
    }
}
