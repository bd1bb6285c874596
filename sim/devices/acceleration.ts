import type { Clock } from "../../host/clock.ts"
import { restingAcceleration, type Acceleration, type Body } from "../body/body.ts"
import { seededNormal } from "../time/random.ts"

export interface AccelerometerOptions {
    clock: Clock
    body: Body
    address?: number
    /** Seed of the converter noise. */
    seed?: number
    /** Clock time of the body's second 0. */
    startMs?: number
}

/** Samples the acceleration of a body at the output data rate of a chip. */
export class AccelerationSampler {
    private readonly clock: Clock
    private readonly body: Body
    private readonly startMs: number
    private readonly normal: () => number
    private since = 0
    private taken = 0

    constructor({ clock, body, seed = 1, startMs = clock.now() }: AccelerometerOptions) {
        this.clock = clock
        this.body = body
        this.startMs = startMs
        this.normal = seededNormal(seed)
    }

    /** Restarts sampling: the next sample is one period away. */
    restart(): void {
        this.since = this.clock.now()
        this.taken = 0
    }

    /**
     * Takes the samples that are due.
     * @param hz output data rate; 0 while the chip does not measure
     * @param noiseG root mean square noise of each axis
     * @param take called with each sample in g and its number since `restart`
     */
    advance(hz: number, noiseG: number, take: (sample: Acceleration, n: number) => void): void {
        if (hz === 0) return
        const due = Math.floor(((this.clock.now() - this.since) * hz) / 1000 + 1e-6)
        while (this.taken < due) {
            this.taken++
            const atMs = this.since + (this.taken * 1000) / hz - this.startMs
            const felt = this.body.acceleration?.(atMs / 1000) ?? restingAcceleration
            const noisy = felt.map(g => g + noiseG * this.normal()) as Acceleration
            take(noisy, this.taken)
        }
    }
}

/** 16-bit two's complement, left-justified and saturating. @param bits resolution of the chip */
export function toCounts(g: number, gPerCount: number, bits: number): number {
    const counts = Math.max(-0x8000, Math.min(0x7fff, Math.round(g / gPerCount)))
    return counts & (0xffff << (16 - bits)) & 0xffff
}

/** Output registers of a sample: x, y and z, low byte first. */
export function outputBytes(counts: number[]): number[] {
    return counts.flatMap(value => [value & 255, value >> 8])
}
