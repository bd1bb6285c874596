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
