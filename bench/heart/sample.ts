import { seededNormal } from "../../sim/time/random.ts"
import type { Body } from "../../sim/body/index.ts"
import type { Sampled } from "./host.ts"

/** Conversions that a sample is the mean of, and samples a second. */
const averaged = 4
const hz = 25
/** Counts per nA/mA of reflectance: 7 mA, and 2^18 counts at 4,096 nA. */
const countsPerReflectance = (7 * 2 ** 18) / 4096
const noiseCounts = 12
const maxCount = 2 ** 18 - 1
const countsPerG = 4096
/** A LIS3DH keeps 10 bits in its FIFO, 16 mg a step. */
const stepCounts = 64
const noiseG = 220e-6 * Math.sqrt(12.5)

/** What a MAX30102 and a LIS3DH sample on a body, without the interpreter and the bus. */
export function sample(body: Body, seconds: number, seed: number, isFelt: boolean): Sampled {
    const normal = seededNormal(seed)
    const count = Math.floor(seconds * hz)
    const light = new Int32Array(count)
    const acceleration = new Int16Array(3 * count)
    for (let i = 0; i < count; i++) {
        let sum = 0
        for (let n = 1; n <= averaged; n++)
            sum += body.reflectance("infrared", (i + n / averaged) / hz) * countsPerReflectance
        const noise = (noiseCounts / Math.sqrt(averaged)) * normal()
        light[i] = Math.max(0, Math.min(maxCount, Math.floor(sum / averaged + noise)))
        const felt = isFelt ? body.acceleration!((i + 1) / hz) : []
        felt.forEach((g, axis) => {
            const counts = Math.round(((g + noiseG * normal()) * countsPerG) / stepCounts) * stepCounts
            acceleration[3 * i + axis] = Math.max(-0x8000, Math.min(0x7fff, counts))
        })
    }
    return { light, acceleration: isFelt ? acceleration : undefined }
}
