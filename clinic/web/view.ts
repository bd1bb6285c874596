import type { Observation } from "./api.ts"

/** What fills the page below the header. */
export interface View {
    readonly element: HTMLElement
    readonly title: string
    /** Whose page it is, where it is one patient's. */
    readonly patient?: number
    /** Something changed, or a second went by; `now` is the clinic's time in unix ms. */
    update(now: number): void
    /** A new value, also one that arrives late. */
    add(observation: Observation): void
    /** Values were missed: whatever the view loaded itself has to be loaded again. */
    reload(): void
    close(): void
}
