import { seededRandom } from "../time/random.ts"
import {
    emptyStrap,
    restingAcceleration,
    ratioOfRatios,
    roomTemperatureC,
    skinReflectance,
    type Acceleration,
    type Body,
    type Led,
} from "./body.ts"
import { lightNa, type Light } from "./light.ts"
import { melaninRedFactor, melaninTransmission } from "./melanin.ts"
import { Motion, type Interval, type MotionBout } from "./motion.ts"
import { integral, valueAt, type Trajectory } from "./trajectory.ts"
import { sine, sum, type Wave } from "./waves.ts"

export interface SyntheticOptions {
    /** Seed of everything random. */
    seed: number
    bpm?: Trajectory
    /** Standard deviation of the beat-to-beat interval, as a fraction of it; respiration is the largest part. */
    variability?: number
    /** Breaths per minute. */
    respiration?: number
    /** Peak-to-peak pulse over the steady level, infrared. */
    perfusion?: Trajectory
    /** Oxygen saturation in percent. */
    spo2?: Trajectory
    /** Melanosomes in the epidermis as a share of it, beyond those of the usual skin, 0 to 0.43. */
    melanin?: number
    motion?: MotionBout[]
    /** Ambient light. Default: dark. */
    light?: Light
    /** Intervals in which the sensor is not on the skin. */
    off?: Interval[]
    coreC?: Trajectory
    /** How much cooler than the core the skin under the sensor is. */
    skinOffsetC?: number
    /** Time constant with which the sensor warms up from room temperature after it is put on. */
    thermalS?: number
    /** Whether the sensor is put on at 0 s. Otherwise it has long been on. */
    putOn?: boolean
}

/**
 * Shape of one pulse over its phase, as bumps `[centre, width, height]`; the second is the reflected, dicrotic wave.
 */
const pulseBumps = [
    [0.22, 0.085, 1],
    [0.5, 0.13, 0.38],
] as const

/** Absorbed light at one moment, as shares of it. */
interface OpticalShares {
    seconds: number
    blood: number
    /** The same, for red light. */
    redBlood: number
    shift: number
}

/** A wearer generated from a seed: the same seed gives the same wearer, at whatever moments it is sampled. */
export function syntheticBody(options: SyntheticOptions): Body {
    return new SyntheticBody(options)
}

class SyntheticBody implements Body {
    private readonly options: Required<SyntheticOptions>
    private readonly breath: Wave
    private readonly beatShifts: Wave[]
    private readonly drifts: Wave[]
    private readonly motion: Motion
    /** The integral of the rate: beats per minute times seconds. */
    private readonly beatsTo: (seconds: number) => number
    /** Cached, because a chip samples one LED after the other. */
    private seen: OpticalShares = { seconds: NaN, blood: 0, redBlood: 0, shift: 0 }

    constructor(options: SyntheticOptions) {
        this.options = {
            bpm: 72,
            variability: 0.03,
            respiration: 15,
            perfusion: 0.012,
            spo2: 97,
            melanin: 0,
            motion: [],
            light: {},
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
        this.beatsTo = integral(this.options.bpm)
        this.motion = new Motion(this.options.motion, options.seed)
    }

    reflectance(led: Led, seconds: number): number {
        if (this.isOff(seconds)) return emptyStrap.reflectance(led, seconds)
        if (this.seen.seconds !== seconds) this.seen = this.seenAt(seconds)
        const { blood, redBlood, shift } = this.seen
        const passed = melaninTransmission(led, this.options.melanin)
        return Math.max(0, passed * skinReflectance[led] * (1 - (led === "red" ? redBlood : blood) - shift))
    }

    private seenAt(seconds: number): OpticalShares {
        const { perfusion, spo2, melanin } = this.options
        const breath = sine(this.breath, seconds)
        const blood = (1 + 0.12 * breath) * this.pulse(seconds) + 0.25 * breath
        const depth = valueAt(perfusion, seconds)
        const saturation = valueAt(spo2, seconds)
        const ratio = ratioOfRatios(saturation) * melaninRedFactor(melanin, saturation)
        // Drift and motion move the sensor, not the blood: they are equally large in both colours, and do not depend on
        // the pulse.
        const shift = valueAt(perfusion, 0) * (0.6 * sum(this.drifts, seconds) + this.motion.artefact(seconds))
        return { seconds, blood: depth * blood, redBlood: depth * ratio * blood, shift }
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

    ambientLight(seconds: number): number {
        return lightNa(this.options.light, seconds)
    }

    /** A sensor that is taken off lies on a table. */
    acceleration(seconds: number): Acceleration {
        return this.isOff(seconds) ? restingAcceleration : this.motion.acceleration(seconds)
    }

    private isOff(seconds: number): boolean {
        const { off } = this.options
        return off.length > 0 && off.some(interval => isWithin(interval, seconds))
    }

    private settledTemperature(seconds: number): number {
        return valueAt(this.options.coreC, seconds) - this.options.skinOffsetC
    }

    /** A pulse wave from 0 to about 1 for each beat. */
    private pulse(seconds: number): number {
        const beats = this.beatsTo(seconds) / 60 + sum(this.beatShifts, seconds)
        const phase = beats - Math.floor(beats)
        let value = 0
        for (const [centre, width, height] of pulseBumps)
            for (const turn of [-1, 0, 1]) value += height * Math.exp(-(((phase + turn - centre) / width) ** 2) / 2)
        return value
    }
}

function isWithin({ fromS, toS }: Interval, seconds: number): boolean {
    return seconds >= fromS && seconds < toS
}

function towards(from: number, to: number, seconds: number, timeConstant: number): number {
    return to + (from - to) * Math.exp(-seconds / timeConstant)
}
