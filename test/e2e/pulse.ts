/** A made-up recording of a pulse, one number a line: upstroke, dicrotic wave, breath. */
export function pulseCsv(bpm: number, fs: number, seconds: number): string {
    const samples = Array.from({ length: fs * seconds }, (_, n) => {
        const s = n / fs
        const phase = ((s * bpm) / 60) % 1
        const bump = (centre: number, width: number) => Math.exp(-(((phase - centre) / width) ** 2))
        const breath = Math.sin((2 * Math.PI * s) / 4)
        return 500 + 100 * bump(0.2, 0.09) + 30 * bump(0.5, 0.14) + 20 * breath
    })
    return samples.map(value => value.toFixed(2)).join("\n") + "\n"
}
