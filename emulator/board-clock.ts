import type { Clock } from "../host/clock.ts"
import type { Chip } from "./chip/chip.ts"

interface Timer {
    /** Nanoseconds since power-up. */
    at: number
    fire: () => void
    alarm?: { schedule(nanos: number): void; cancel(): void }
}

/**
 * The time of an emulated board, for what is around its chip: it goes on over resets. Timers fire between two of the chip's
 * instructions.
 */
export class BoardClock implements Clock {
    private readonly startMs: number
    private readonly timers = new Set<Timer>()
    private chip: Chip | undefined
    private offNanos = 0

    /** @param startMs unix time of the first power-up */
    constructor(startMs: number) {
        this.startMs = startMs
    }

    /** Since the first power-up. */
    get nanos(): number {
        return this.chip?.time.nanos ?? this.offNanos
    }

    now(): number {
        return this.startMs + this.nanos / 1e6
    }

    setTimeout(fire: () => void, ms: number): Timer {
        const timer: Timer = { at: this.nanos + Math.max(0, ms) * 1e6, fire }
        this.timers.add(timer)
        this.arm(timer)
        return timer
    }

    clearTimeout(timer: unknown): void {
        if (!timer) return
        this.timers.delete(timer as Timer)
        ;(timer as Timer).alarm?.cancel()
    }

    /** From now on it is this chip's time, or without one that of `pass`. */
    follow(chip: Chip | undefined): void {
        this.offNanos = this.nanos
        for (const timer of this.timers) timer.alarm?.cancel()
        this.chip = chip
        for (const timer of this.timers) this.arm(timer)
    }

    /** Time without a chip that runs. */
    pass(nanos: number): void {
        this.offNanos = Math.max(this.offNanos, nanos)
    }

    private arm(timer: Timer): void {
        if (!this.chip) return
        timer.alarm = this.chip.time.createAlarm(() => {
            this.timers.delete(timer)
            timer.fire()
        })
        timer.alarm.schedule(Math.max(0, timer.at - this.nanos))
    }
}
