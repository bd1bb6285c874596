import type { Observation, Score } from "./api.ts"

/** What fills the page below the header. */
export interface View {
    readonly element: HTMLElement
    readonly title: string
    /** Whose page it is, where it is one patient's. */
    readonly patient?: number
    /** What stands in the header for it. */
    readonly tools?: HTMLElement
    /** Something changed, or a second went by; `now` is the clinic's time in unix ms. */
    update(now: number): void
    /** A new value, also one that arrives late. */
    add(observation: Observation): void
    /** A NEWS2 that has changed. */
    showScore?(score: Score): void
    /** Values were missed: whatever the view loaded itself has to be loaded again. */
    reload(): void
    close(): void
}
