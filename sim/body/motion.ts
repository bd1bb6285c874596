import { seededRandom } from "../time/random.ts"
import type { Acceleration } from "./body.ts"
import { movementOf, type Movement, type MotionKind } from "./movement.ts"
import { quantile } from "./signal.ts"
import { noiseWaves, sine, sum, type Wave } from "./waves.ts"

export interface Interval {
    fromS: number
    toS: number
}

/** Movement that shakes the sensor on the skin and that an accelerometer measures. */
export interface MotionBout extends Interval {
    /** Default: swinging. */
    kind?: MotionKind
    /** Per minute; ignored for fidgeting and a jerk. */
    cadence?: number
    /** Artefact in the light, peak to peak, as a multiple of the pulse. */
    strength: number
}

interface Bout extends MotionBout {
    movement: Movement
    /** Factor that scales `artefact` to `strength`; computed on first use. */
    gain?: number
}

/** A movement fades in and out over this time. */
const rampS = 0.4
/** Sensor, strap and skin are soft: an impulse is spread over about 0.1 s. */
const softnessS = [0, 0.04, 0.08]
/** Share of the artefact that comes from pressure and posture, which no accelerometer measures. */
const unrelated = 0.15
const gaugeHz = 25
const gaugeS = 20

/**
 * How a wearer moves: what an accelerometer measures, and the artefact in the light, which is not the same. The light
 * sees a mixture of the axes that changes over half a minute. The artefact is later and softer than the acceleration,
 * grows less than linearly with it, and includes the blood that shifts as the arm turns. Both are functions of time:
 * the same seed gives the same movement, at whatever moments it is sampled.
 */
export class Motion {
    private readonly bouts: Bout[]
    private readonly pitch: number
    private readonly roll: number
    private readonly posture: Wave[]
    private readonly mixture: Wave[]
    private readonly noise: Wave[]
    private readonly delayS: number
    private readonly bloodDelayS: number
    /** The interval between two starts or ends of bouts that was used last. */
    private stretch: Interval & { bout?: Bout | undefined } = { fromS: 0, toS: 0 }

    constructor(bouts: MotionBout[], seed: number) {
        const random = seededRandom(seed ^ 0x5eed)
        const between = (low: number, high: number) => low + (high - low) * random()
        const wave = (hz: number, amplitude: number): Wave => ({
            hz,
            phase: 2 * Math.PI * random(),
            amplitude,
        })
        this.pitch = between(-0.6, 0.6)
        this.roll = between(0.2, 1.3)
        this.posture = [wave(0.011, 0.06), wave(0.031, 0.03)]
        this.mixture = [wave(0.023, 1), wave(0.031, 1), wave(0.041, 1), wave(0.017, 0.7)]
        this.noise = noiseWaves(random, 9, 0.25, 4)
        this.delayS = between(0.03, 0.1)
        this.bloodDelayS = between(0.1, 0.3)
        this.bouts = bouts.map(bout => {
            const movement = movementOf(bout.kind ?? "swinging", bout.cadence ?? 100, random)
            return { ...bout, movement }
        })
    }

    /** In g. At rest it is gravity alone: 1 g, in whatever direction. */
    acceleration(seconds: number): Acceleration {
        const bout = this.boutAt(seconds)
        const turn = bout ? ramp(bout, seconds) * bout.movement.turn(seconds - bout.fromS) : 0
        const pitch = this.pitch + turn + sine(this.posture[0]!, seconds)
        const roll = this.roll + 0.4 * turn + sine(this.posture[1]!, seconds)
        const [x, y, z] = bout ? shake(bout, seconds) : [0, 0, 0]
        return [x + Math.sin(pitch), y + Math.cos(pitch) * Math.sin(roll), z + Math.cos(pitch) * Math.cos(roll)]
    }

    /** Change of the light, as a multiple of the pulse. */
    artefact(seconds: number): number {
        const bout = this.boutAt(seconds)
        if (!bout) return 0
        bout.gain ??= bout.strength / this.range(bout)
        return bout.gain * this.disturbance(bout, seconds)
    }

    /** Moments are asked for in order, so the last interval usually still applies. */
    private boutAt(seconds: number): Bout | undefined {
        if (!isDuring(this.stretch, seconds)) this.stretch = this.stretchAt(seconds)
        return this.stretch.bout
    }

    private stretchAt(seconds: number): Interval & { bout?: Bout | undefined } {
        const edges = this.bouts.flatMap(({ fromS, toS }) => [fromS, toS])
        return {
            fromS: Math.max(-Infinity, ...edges.filter(s => s <= seconds)),
            toS: Math.min(Infinity, ...edges.filter(s => s > seconds)),
            bout: this.bouts.find(bout => isDuring(bout, seconds)),
        }
    }

    /** The artefact in an arbitrary unit. */
    private disturbance(bout: Bout, seconds: number): number {
        const [x, y, z] = softShake(bout, seconds - this.delayS)
        const [mx, my, mz, blood] = this.mixture as [Wave, Wave, Wave, Wave]
        const pressed = x * sine(mx, seconds) + y * sine(my, seconds) + z * sine(mz, seconds)
        const { size, turn, turnSize, pressure } = bout.movement
        const since = seconds - this.bloodDelayS - bout.fromS
        const risen = turn(since) / turnSize
        const unfelt = pressure ? pressure(since) : 0
        const felt = pressed / size + (0.3 + 0.2 * sine(blood, seconds)) * risen + unfelt
        const bent = Math.tanh(felt) + 0.2 * felt * Math.tanh(felt)
        return ramp(bout, seconds) * (bent + unrelated * sum(this.noise, seconds))
    }

    /** Range without outliers, over the beginning of the bout. */
    private range(bout: Bout): number {
        const seconds = Math.min(gaugeS, bout.toS - bout.fromS)
        const values = Float64Array.from({ length: Math.ceil(seconds * gaugeHz) + 1 }, (_, i) =>
            this.disturbance(bout, bout.fromS + i / gaugeHz),
        )
        return quantile(values, 0.98) - quantile(values, 0.02) || 1
    }
}

function isDuring({ fromS, toS }: Interval, seconds: number): boolean {
    return seconds >= fromS && seconds < toS
}

/** Acceleration of the sensor in g, without gravity. */
function shake(bout: Bout, seconds: number): Acceleration {
    const strength = ramp(bout, seconds)
    const [x, y, z] = bout.movement.shake(seconds - bout.fromS)
    return [strength * x, strength * y, strength * z]
}

function softShake(bout: Bout, seconds: number): Acceleration {
    const total: Acceleration = [0, 0, 0]
    for (const delay of softnessS)
        shake(bout, seconds - delay).forEach((g, axis) => (total[axis]! += g / softnessS.length))
    return total
}

/** Envelope of a bout: from 0 to 1 and back. */
function ramp({ fromS, toS }: Interval, seconds: number): number {
    const inside = Math.min(seconds - fromS, toS - seconds)
    if (inside <= 0) return 0
    return inside >= rampS ? 1 : (1 - Math.cos((Math.PI * inside) / rampS)) / 2
}
