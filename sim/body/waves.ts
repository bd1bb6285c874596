/** A sine over time: `amplitude` · sin(2π · `hz` · t + `phase`). */
export interface Wave {
    hz: number
    phase: number
    amplitude: number
}

export function sine({ hz, phase, amplitude }: Wave, seconds: number): number {
    return amplitude * Math.sin(2 * Math.PI * hz * seconds + phase)
}

export function sum(waves: Wave[], seconds: number): number {
    let total = 0
    for (const wave of waves) total += sine(wave, seconds)
    return total
}

/**
 * Noise as a function of time: sines of unrelated frequencies.
 * @returns waves whose sum has a standard deviation of 1
 */
export function noiseWaves(random: () => number, count: number, lowHz: number, highHz: number) {
    const amplitude = Math.sqrt(2 / count)
    return Array.from({ length: count }, (): Wave => {
        const hz = lowHz * (highHz / lowHz) ** random()
        return { hz, phase: 2 * Math.PI * random(), amplitude }
    })
}
