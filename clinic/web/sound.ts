import { bursts, burstSeconds, harmonics, riseShare, type Priority } from "./tones.ts"

/** `off`: nobody has started it; `blocked`: the browser does not let the page sound any more. */
export type SoundState = "off" | "on" | "blocked"

const level = 0.25
/** The test tone ends before an alarm that is open sounds. */
const testMs = burstSeconds("low") * 1000 + 500
const order: readonly Priority[] = ["low", "medium", "high"]

/**
 * The sound of a page: one burst after the other, always that of the highest priority. A browser lets a page sound only after somebody
 * has clicked it, so `start` belongs into the handler of a click.
 */
export class Sound {
    private context: AudioContext | undefined
    private priority: Priority | undefined
    private timer: number | undefined
    private readonly changed: (state: SoundState) => void

    /** @param changed is called whenever the state becomes another */
    constructor(changed: (state: SoundState) => void) {
        this.changed = changed
    }

    get state(): SoundState {
        if (!this.context) return "off"
        return this.context.state === "running" ? "on" : "blocked"
    }

    /** Starts it, with one burst of low priority to hear that it works. */
    async start(): Promise<void> {
        if (!this.context) {
            this.context = new AudioContext()
            this.context.addEventListener("statechange", () => this.changed(this.state))
        }
        await this.context.resume()
        this.changed(this.state)
        this.play("low")
        clearTimeout(this.timer)
        if (this.priority !== undefined) this.timer = setTimeout(() => this.next(), testMs)
    }

    /** Takes what is open and not attended to; the highest priority sounds, and a higher one does not wait for a lower one's pause. */
    show(priorities: Iterable<Priority>): void {
        const open = [...priorities]
        const highest = order.findLast(each => open.includes(each))
        const isHigher = highest !== undefined && order.indexOf(highest) > order.indexOf(this.priority ?? "low")
        const isNew = this.priority === undefined && highest !== undefined
        this.priority = highest
        if (isHigher || isNew) this.next()
    }

    close(): void {
        clearTimeout(this.timer)
        this.priority = undefined
        void this.context?.close()
    }

    private next(): void {
        clearTimeout(this.timer)
        const { priority } = this
        if (priority === undefined || this.state !== "on") return
        this.play(priority)
        this.timer = setTimeout(() => this.next(), (burstSeconds(priority) + bursts[priority].interval) * 1000)
    }

    private play(priority: Priority): void {
        const { context } = this
        if (!context) return
        const start = context.currentTime
        for (const { at, duration, hz } of bursts[priority].pulses) {
            const envelope = context.createGain()
            const begin = start + at
            const rise = duration * riseShare
            envelope.gain.setValueAtTime(0, begin)
            envelope.gain.linearRampToValueAtTime(level, begin + rise)
            envelope.gain.setValueAtTime(level, begin + duration - rise)
            envelope.gain.linearRampToValueAtTime(0, begin + duration)
            envelope.connect(context.destination)
            const oscillator = context.createOscillator()
            oscillator.setPeriodicWave(this.wave(context))
            oscillator.frequency.value = hz
            oscillator.connect(envelope)
            oscillator.start(begin)
            oscillator.stop(begin + duration)
        }
    }

    private wave(context: AudioContext): PeriodicWave {
        const imaginary = Float32Array.of(0, ...harmonics)
        return context.createPeriodicWave(new Float32Array(imaginary.length), imaginary)
    }
}
