import { seededRandom } from "../random.ts"
import {
    emptyStrap,
    ratioOfRatios,
    roomTemperatureC,
    skinReflectance,
    type Body,
    type Led,
} from "./body.ts"

/** A value over time: `[seconds, value]` in order of time, straight lines between; a number stays as it is. */
export type Trajectory = number | [seconds: number, value: number][]

export interface Interval {
    fromS: number
    toS: number
}

/** Movement that shakes the sensor on the skin. */
export interface MotionBout extends Interval {
    /** Swings a minute. */
    cadence: number
    /** Peak to peak, as a multiple of the pulse. */
    strength: number
}

export interface SyntheticOptions {
    /** All that is left to chance follows from it. */
    seed: number
    bpm?: Trajectory
    /** Deviation of the beat-to-beat interval, as a fraction of it; respiration makes most of it. */
    variability?: number
    /** Breaths a minute. */
    respiration?: number
    /** Peak-to-peak pulse over the steady level, infrared. */
    perfusion?: number
    /** Percent. */
    spo2?: number
    motion?: MotionBout[]
    /** When the sensor is not on the skin. */
    off?: Interval[]
    coreC?: Trajectory
    /** How much cooler the skin under the sensor is. */
    skinOffsetC?: number
    /** The sensor warms up from room temperature with this time constant when it is put on. */
    thermalS?: number
    /** Whether the sensor is put on at 0 s; otherwise it was on for long. */
    putOn?: boolean
}

interface Wave {
    hz: number
    phase: number
    amplitude: number
}

/** Bumps of one pulse over its phase: `[centre, width, height]`; the second is the reflected, dicrotic wave. */
const pulseBumps = [
    [0.22, 0.085, 1],
    [0.5, 0.13, 0.38],
] as const

/** A wearer made from a seed: the same seed, the same wearer, at whatever moments one looks. */
export function syntheticBody(options: SyntheticOptions): Body {
    return new SyntheticBody(options)
}

class SyntheticBody implements Body {
    private readonly options: Required<SyntheticOptions>
    private readonly breath: Wave
    private readonly beatShifts: Wave[]
    private readonly drifts: Wave[]
    private readonly shakes: Wave[]

    constructor(options: SyntheticOptions) {
        this.options = {
            bpm: 72,
            variability: 0.03,
            respiration: 15,
            perfusion: 0.012,
            spo2: 97,
            motion: [],
            off: [],
            coreC: 37,
            skinOffsetC: 0.3,
            thermalS: 20,
            putOn: false,
            ...options,
        }
        const random = seededRandom(options.seed)
        const wave = (hz: number, amplitude: number): Wave => ({
            hz,
            phase: 2 * Math.PI * random(),
            amplitude,
        })
        const { respiration, variability } = this.options
        this.breath = wave((respiration / 60) * (0.9 + 0.2 * random()), 1)
        // A phase shift of A·sin(2πft) periods changes the rate by the factor 1 + A·2πf·cos(2πft)/rate.
        const beatHz = valueAt(this.options.bpm, 0) / 60
        const shift = (hz: number, share: number) =>
            wave(hz, (variability * Math.SQRT2 * share * beatHz) / (2 * Math.PI * hz))
        this.beatShifts = [
            { ...this.breath, amplitude: shift(this.breath.hz, 0.8).amplitude },
            shift(0.08 + 0.04 * random(), 0.5),
            shift(0.02 + 0.02 * random(), 0.3),
            shift(0.3 + 0.1 * random(), 0.15),
        ]
        this.drifts = [wave(0.013, 0.9), wave(0.037, 0.5), wave(0.11, 0.25)]
        this.shakes = [wave(0, 1), wave(0, 0.55), wave(0, 0.3), wave(0.35, 0.4), wave(0.73, 0.3)]
    }

    reflectance(led: Led, seconds: number): number {
        const { off, perfusion, spo2 } = this.options
        if (off.some(interval => isWithin(interval, seconds)))
            return emptyStrap.reflectance(led, seconds)
        const depth = led === "red" ? perfusion * ratioOfRatios(spo2) : perfusion
        const breath = sine(this.breath, seconds)
        const blood = (1 + 0.12 * breath) * this.pulse(seconds) + 0.25 * breath
        // Drift and motion move the sensor, not the blood: they are as large in either colour.
        const shift = 0.6 * sum(this.drifts, seconds) + this.motion(seconds)
        return Math.max(0, skinReflectance[led] * (1 - depth * blood - perfusion * shift))
    }

    skinTemperature(seconds: number): number {
        const { off, thermalS, putOn } = this.options
        let from = putOn ? 0 : -Infinity
        for (const interval of off) {
            if (isWithin(interval, seconds)) {
                const skin = this.settledTemperature(interval.fromS)
                return towards(skin, roomTemperatureC, seconds - interval.fromS, thermalS)
            }
            if (interval.toS <= seconds) from = Math.max(from, interval.toS)
        }
        const skin = this.settledTemperature(seconds)
        return towards(roomTemperatureC, skin, seconds - from, thermalS)
    }

    private settledTemperature(seconds: number): number {
        return valueAt(this.options.coreC, seconds) - this.options.skinOffsetC
    }

    /** One pulse from 0 to about 1 for every beat. */
    private pulse(seconds: number): number {
        const beats = integral(this.options.bpm, seconds) / 60 + sum(this.beatShifts, seconds)
        const phase = beats - Math.floor(beats)
        let value = 0
        for (const [centre, width, height] of pulseBumps)
            for (const turn of [-1, 0, 1])
                value += height * Math.exp(-(((phase + turn - centre) / width) ** 2) / 2)
        return value
    }

    /** The swing, its harmonics, and what is irregular about a limb. */
    private motion(seconds: number): number {
        const bout = this.options.motion.find(bout => isWithin(bout, seconds))
        if (!bout) return 0
        const hz = bout.cadence / 60
        let value = 0
        this.shakes.forEach((wave, i) => {
            value += sine(wave.hz ? wave : { ...wave, hz: hz * (i + 1) }, seconds)
        })
        return (bout.strength * value) / 2
    }
}

function isWithin({ fromS, toS }: Interval, seconds: number): boolean {
    return seconds >= fromS && seconds < toS
}

function sine({ hz, phase, amplitude }: Wave, seconds: number): number {
    return amplitude * Math.sin(2 * Math.PI * hz * seconds + phase)
}

function sum(waves: Wave[], seconds: number): number {
    return waves.reduce((total, wave) => total + sine(wave, seconds), 0)
}

function towards(from: number, to: number, seconds: number, timeConstant: number): number {
    return to + (from - to) * Math.exp(-seconds / timeConstant)
}

export function valueAt(trajectory: Trajectory, seconds: number): number {
    if (typeof trajectory === "number") return trajectory
    let [t0, v0] = trajectory[0] ?? [0, 0]
    if (seconds <= t0) return v0
    for (const [t1, v1] of trajectory.slice(1)) {
        if (seconds < t1) return v0 + ((v1 - v0) * (seconds - t0)) / (t1 - t0)
        ;[t0, v0] = [t1, v1]
    }
    return v0
}

/** The area under a trajectory from 0 to `seconds`. */
function integral(trajectory: Trajectory, seconds: number): number {
    if (typeof trajectory === "number") return trajectory * seconds
    const corners = trajectory.map(([t]) => t).filter(t => t > 0 && t < seconds)
    let area = 0
    let from = 0
    for (const to of [...corners, seconds]) {
        // Straight between two corners, so the value in the middle is the mean.
        area += (to - from) * valueAt(trajectory, (from + to) / 2)
        from = to
    }
    return area
}
