/*
 * Auditory alarm signals of IEC 60601-1-8:2006+A1:2012+A2:2020, §6.3.3 and tables 3 and 4: when each pulse of a burst begins, how long it
 * sounds, and how high. What plays them is sound.ts.
 */

export type Priority = "high" | "medium" | "low"

/** Seconds from the beginning of the burst, seconds, and hertz of the fundamental. */
export interface Pulse {
    at: number
    duration: number
    hz: number
}

interface Burst {
    pulses: Pulse[]
    /** From the end of a burst to the beginning of the next, in seconds (table 3, interburst interval). */
    interval: number
}

const c4 = 261.63
const e4 = 329.63
const g4 = 392
const c5 = 523.25

/** Ten pulses: three, two, a pause, and the same again. Melody “general” of annex F: c e g - g C. */
const highPulse = 0.15
const highSpacing = 0.1
/** Between the third and the fourth pulse: twice the spacing and a pulse. */
const highBreak = 2 * highSpacing + highPulse
const highPause = 0.6
const mediumPulse = 0.2
const mediumSpacing = 0.2

const notes: Record<Priority, number[]> = { high: [c4, e4, g4, g4, c5], medium: [c4, e4, g4], low: [e4, c4] }

function high(): Pulse[] {
    const half = sequence(notes.high, highPulse, [highSpacing, highSpacing, highBreak, highSpacing])
    const { at, duration } = half.at(-1)!
    const later = at + duration + highPause
    return [...half, ...half.map(pulse => ({ ...pulse, at: pulse.at + later }))]
}

/** The burst of a priority, and how long after it the next may begin. */
export const bursts: Record<Priority, Burst> = {
    high: { pulses: high(), interval: 2.5 },
    medium: { pulses: sequence(notes.medium, mediumPulse, [mediumSpacing, mediumSpacing]), interval: 7.5 },
    low: { pulses: sequence(notes.low, mediumPulse, [mediumSpacing]), interval: 20 },
}

/** Harmonics beside the fundamental, with their share of its amplitude: four at least, within 15 dB (§6.3.3.1 b). */
export const harmonics = [1, 0.8, 0.6, 0.5, 0.4]

/** How long a pulse takes to reach its level, and to fade: a part of its duration (table 4: 10 to 40 %). */
export const riseShare = 0.2

/** How long a burst sounds, in seconds. */
export function burstSeconds(priority: Priority): number {
    const { at, duration } = bursts[priority].pulses.at(-1)!
    return at + duration
}

function sequence(frequencies: number[], duration: number, spacings: number[]): Pulse[] {
    let at = 0
    return frequencies.map((hz, i) => {
        const pulse = { at, duration, hz }
        at += duration + (spacings[i] ?? 0)
        return pulse
    })
}
