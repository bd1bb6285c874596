import type { Clock } from "../../host/clock.ts"

/** Events of the simulation: they happen in the order of their times, and nobody waits for promises between them. */
export interface Events {
    /** Milliseconds; may have a fraction. */
    now(): number
    /** Calls `fn` once, `ms` from now. */
    schedule(fn: () => void, ms: number): unknown
    /** Forgets an event; harmless when it has happened already. */
    cancel(event: unknown): void
    /** Somebody was told something that waits with promises: they settle before the next event. */
    settle(): void
}

/** Events as timers, for what no promise depends upon, such as a mote, whose VM and bus have a hundred of them a second. */
export function timersOf(events: Events): Clock {
    return {
        now: () => events.now(),
        setTimeout: (fn, ms) => events.schedule(fn, ms),
        clearTimeout: timer => events.cancel(timer),
    }
}
