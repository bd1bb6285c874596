import type { Clock } from "../../host/clock.ts"

/** Events of the simulation. They run in order of their times, without waiting for promises in between. */
export interface Events {
    /** Time in ms, with fractions. */
    now(): number
    /** Calls `fn` once, `ms` from now. */
    schedule(fn: () => void, ms: number): unknown
    /** Cancels an event; harmless if it has already run. */
    cancel(event: unknown): void
    /** Makes promises settle before the next event, because the current one has reached code that uses them. */
    settle(): void
}

/** A clock for code on which no promise depends, such as a mote, whose VM and bus have a hundred events per second. */
export function timersOf(events: Events): Clock {
    return {
        now: () => events.now(),
        setTimeout: (fn, ms) => events.schedule(fn, ms),
        clearTimeout: timer => events.cancel(timer),
    }
}
