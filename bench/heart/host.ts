import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { projectDir } from "../../devicescript/build.ts"

/*
 * The estimator's own sources, run by Node instead of the interpreter: an hour of signal in some seconds. What a
 * DeviceScript buffer does beyond a typed array is added; sleeping is left out. `test/firmware/host-heart.test.ts` holds it
 * equal to the bytecode.
 */

/** The state of the estimator after a window. */
export interface HeartWindow {
    /** End of the window in seconds from the first sample. */
    t: number
    bpm: number | null
    quality: number
    motion: boolean
}

/** What a mote's chips sampled. */
export interface Sampled {
    /** Counts of the infrared channel, 25 Hz. */
    light: Int32Array
    /** x, y and z of each sample, 4,096 to 1 g, at about 25 Hz. Absent: no accelerometer. */
    acceleration?: Int16Array | undefined
}

/** The exports of src/heart/heartrate.ts and src/heart/pulse.ts. */
interface Heart {
    bpm: number | undefined
    quality: number
    motion: boolean
    filled: number
    hopSamples: number
    pushLight(fifo: Uint8Array, from: number, count: number): number
    pushAcceleration(fifo: Uint8Array, count: number): void
    estimateHeart(): Promise<void>
}

/** The properties of DeviceScript's buffers that the estimator uses. */
class DeviceBuffer extends Uint8Array {
    private readonly view = new DataView(this.buffer)

    static alloc(size: number): DeviceBuffer {
        return new DeviceBuffer(size)
    }

    getAt(at: number, format: "f32" | "i16"): number {
        return format === "f32" ? this.view.getFloat32(at, true) : this.view.getInt16(at, true)
    }

    setAt(at: number, format: "f32" | "i16", value: number): void {
        if (format === "f32") this.view.setFloat32(at, value, true)
        else this.view.setInt16(at, value, true)
    }

    fillAt(at: number, length: number, value: number): void {
        this.fill(value, at, at + length)
    }

    blitAt(at: number, source: DeviceBuffer, from: number, length: number): void {
        const most = Math.min(length, source.length - from, this.length - at)
        this.set(new Uint8Array(source.buffer, from, most), at)
    }
}

const entry = `
export * from "./heartrate"
export { filled, hopSamples } from "./pulse"
`
/** Modules that the estimator imports from outside src/heart/, as far as it uses them. */
const outside: Record<string, string> = {
    "../platform/sleep": "export const yieldToMainLoop = () => {}",
    "../drivers/max30102": "export const sampleBytes = 6",
}

let bundled: Promise<string> | undefined

const lightBytes = 6
const accelerationBytes = 6
const windowS = 2
/** As the mote reads its chips: every 400 ms. */
const burst = 10

/** Runs a new estimator over what was sampled. @returns one window every 2 s */
export async function runHeart(sampled: Sampled): Promise<HeartWindow[]> {
    const heart = await newHeart()
    const windows: HeartWindow[] = []
    const { light, acceleration } = sampled
    const moments = acceleration ? acceleration.length / 3 : 0
    let felt = 0
    for (let from = 0; from + burst <= light.length; from += burst) {
        if (acceleration) {
            const to = Math.min(moments, Math.floor(((from + burst) * moments) / light.length))
            heart.pushAcceleration(bytesOf(acceleration.subarray(3 * felt, 3 * to)), to - felt)
            felt = to
        }
        const fifo = fifoOf(light.subarray(from, from + burst))
        for (let used = 0; used < burst;) {
            used += heart.pushLight(fifo, used, burst)
            if (heart.filled < heart.hopSamples) continue
            await heart.estimateHeart()
            const { bpm = null, quality, motion } = heart
            windows.push({ t: windowS * (windows.length + 1), bpm, quality, motion })
        }
    }
    return windows
}

async function newHeart(): Promise<Heart> {
    bundled ??= bundle()
    // Each call makes modules with a state of their own.
    const make = new Function("Buffer", `${await bundled}\nreturn heart`) as (buffer: unknown) => Heart
    return make(DeviceBuffer)
}

async function bundle(): Promise<string> {
    const { outputFiles } = await build({
        stdin: { contents: entry, resolveDir: join(projectDir, "src/heart"), loader: "ts" },
        bundle: true,
        write: false,
        format: "iife",
        globalName: "heart",
        target: "es2022",
        plugins: [
            {
                name: "outside",
                setup(build) {
                    build.onResolve({ filter: /^\.\.\/(platform\/sleep|drivers\/max30102)$/ }, ({ path }) => ({
                        path,
                        namespace: "outside",
                    }))
                    build.onLoad({ filter: /./, namespace: "outside" }, ({ path }) => ({ contents: outside[path]! }))
                    // A function cannot wait before it returns; this pause only divides the work of the start.
                    build.onLoad({ filter: /heartrate\.ts$/ }, ({ path }) => ({
                        contents: readFileSync(path, "utf8").replace(/^await .*$/m, ""),
                        loader: "ts",
                    }))
                },
            },
        ],
    })
    return outputFiles[0]!.text
}

function fifoOf(counts: Int32Array): DeviceBuffer {
    const fifo = DeviceBuffer.alloc(counts.length * lightBytes)
    counts.forEach((value, i) => {
        for (const at of [i * lightBytes, i * lightBytes + 3]) {
            fifo[at] = value >> 16
            fifo[at + 1] = value >> 8
            fifo[at + 2] = value
        }
    })
    return fifo
}

function bytesOf(values: Int16Array): DeviceBuffer {
    const bytes = DeviceBuffer.alloc((values.length / 3) * accelerationBytes)
    values.forEach((value, i) => {
        bytes[2 * i] = value
        bytes[2 * i + 1] = value >> 8
    })
    return bytes
}
