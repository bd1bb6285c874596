import type { Body } from "../../sim/body/index.ts"

/** A heartbeat: its time, and the height of its pulse as a share of the usual height. */
export interface Beat {
    atS: number
    height: number
}

export interface BeatsOptions {
    beats: Beat[]
    /** Height of the reflected wave relative to that of the pulse. */
    dicrotic?: number
    /** Other changes of the light, in units of the usual pulse. */
    baseline?: (seconds: number) => number
}

/** Peak-to-peak pulse over the steady level. */
const perfusion = 0.006
/** A pulse lasts as long as its beat, but at most this long. */
const longestPulseS = 0.85

/** Beats at the intervals that `next` returns, in seconds; a short interval leaves the ventricle no time to fill. */
export function beats(seconds: number, next: () => number, height?: (s: number) => number): Beat[] {
    const result: Beat[] = [{ atS: -2, height: 1 }]
    while (result.at(-1)!.atS < seconds + 2) {
        const interval = next()
        result.push({ atS: result.at(-1)!.atS + interval, height: height?.(interval) ?? 1 })
    }
    return result
}

/** Mean rate over the beats of the 8 s that end at `seconds`. */
export function meanBpm(beats: Beat[], seconds: number): number {
    const inside = beats.filter(({ atS }) => atS >= seconds - 8 && atS < seconds)
    return (60 * (inside.length - 1)) / (inside.at(-1)!.atS - inside[0]!.atS)
}

/** A wearer with these beats: the blood rises steeply with each, and again when the reflected wave returns. */
export function beatingBody({ beats, dicrotic = 0.38, baseline }: BeatsOptions): Body {
    const wave = (seconds: number) => {
        let last = beats.findIndex(({ atS }) => atS > seconds) - 1
        if (last < 0) last = beats.length - 1
        let blood = 0
        for (const n of [last - 1, last]) {
            const beat = beats[n]
            if (!beat) continue
            const length = Math.min(longestPulseS, (beats[n + 1]?.atS ?? Infinity) - beat.atS)
            const phase = (seconds - beat.atS) / length
            blood += beat.height * (bump(phase, 0.25, 0.09) + dicrotic * bump(phase, 0.58, 0.12))
        }
        return blood + (baseline?.(seconds) ?? 0)
    }
    return {
        reflectance: (_, seconds) => 268 * (1 - perfusion * wave(seconds)),
        skinTemperature: () => 35,
    }
}

function bump(x: number, centre: number, width: number): number {
    return Math.exp(-(((x - centre) / width) ** 2) / 2)
}
