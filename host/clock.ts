/**
 * The clock a host part runs on: the real one, or the simulator's virtual one. Routers, clinics and machines take it
 * as an argument and use no global timer, so the same code runs in real and in virtual time.
 */
export interface Clock {
    /** Unix time in milliseconds; may have a fraction. */
    now(): number
    /**
     * Milliseconds since some moment, for durations: they only go forward, whatever is done to the time of day. A clock that
     * nobody sets leaves it out.
     */
    elapsed?(): number
    /** Calls `fn` once, `ms` milliseconds from now. */
    setTimeout(fn: () => void, ms: number): Timer
    /** Forgets a timer; harmless when it has fired already. */
    clearTimeout(timer: Timer | undefined): void
}

/** What `setTimeout` returned; nobody looks inside. */
export type Timer = unknown

/** The clock of the machine this runs on. */
export const realClock: Clock = {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: timer => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** `elapsed` of any clock. */
export function elapsedMs(clock: Clock): number {
    return clock.elapsed?.() ?? clock.now()
}

/** Waits `ms` milliseconds of the given clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
    return new Promise(resolve => clock.setTimeout(resolve, ms))
}
