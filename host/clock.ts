/**
 * The clock that host code runs on: the real one, or the simulator's virtual one. Routers, clinics and simulated motes
 * take it as an argument and use no global timer, so the same code runs in real and in virtual time.
 */
export interface Clock {
    /** Unix time in milliseconds, possibly with a fraction. */
    now(): number
    /**
     * Monotonic time in milliseconds since an arbitrary moment. Use it for durations: setting the time of day does not
     * affect it. A clock that is never set may omit it.
     */
    elapsed?(): number
    /** Calls `fn` once, `ms` milliseconds from now. */
    setTimeout(fn: () => void, ms: number): Timer
    /**
     * Calls `fn` after what this turn of the event loop has brought. A clock that may omit it takes `setTimeout` of 0, which the
     * real one delays by a millisecond.
     */
    setImmediate?(fn: () => void): void
    /** Cancels a timer. Does nothing if it has already fired. */
    clearTimeout(timer: Timer | undefined): void
}

/** An opaque handle that `setTimeout` returns. */
export type Timer = unknown

/** The clock of this machine. */
export const realClock: Clock = {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    setImmediate: fn => void setImmediate(fn),
    clearTimeout: timer => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** Monotonic milliseconds of any clock; falls back to `now()` if the clock has no `elapsed`. */
export function elapsedMs(clock: Clock): number {
    return clock.elapsed?.() ?? clock.now()
}

/** Waits `ms` milliseconds by the given clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
    return new Promise(resolve => clock.setTimeout(resolve, ms))
}
