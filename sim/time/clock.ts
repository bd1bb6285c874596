import type { Clock } from "../../host/clock.ts"
import type { Events } from "./events.ts"

/** Start of virtual time in Unix ms. */
export const virtualStartMs = Date.UTC(2026, 0, 1)

interface Entry {
    at: number
    order: number
    fn: () => void
    /** Fired or cancelled. */
    done: boolean
    /** Whether promises must settle before the next timer. */
    settles: boolean
}

/** Cancelled timers are removed when there are more than this, and more than active ones. */
const fewTimers = 256

/**
 * A clock that jumps from one timer to the next. Timers fire in order of their time, and in the order of setting if the
 * time is the same, so a run depends only on its inputs.
 */
export class VirtualClock implements Clock, Events {
    private heap: Entry[] = []
    private order = 0
    private time: number
    private isSettled = true
    private held: Promise<void> | undefined
    /** Number of cancelled timers in the heap. */
    private cancelled = 0

    /** @param startMs start time in Unix ms */
    constructor(startMs = virtualStartMs) {
        this.time = startMs
    }

    now(): number {
        return this.time
    }

    /** Timers that have neither fired nor been cancelled. */
    get waiting(): number {
        return this.heap.length - this.cancelled
    }

    setTimeout(fn: () => void, ms: number): Entry {
        return this.add(fn, ms, true)
    }

    clearTimeout(timer: unknown): void {
        const entry = timer as Entry | undefined
        if (!entry || entry.done) return
        entry.done = true
        this.cancelled++
        if (this.cancelled > fewTimers && 2 * this.cancelled > this.heap.length) this.sweep()
    }

    /** Like `setTimeout`, for callbacks on which no promise depends: radio waves and protocols. */
    schedule(fn: () => void, ms: number): Entry {
        return this.add(fn, ms, false)
    }

    cancel(event: unknown): void {
        this.clearTimeout(event)
    }

    settle(): void {
        this.isSettled = false
    }

    /** Holds all timers until `work` is done, and all that was held before. An error from it is thrown by `run`. */
    hold(work: Promise<void>): void {
        const { held } = this
        this.held = held ? Promise.all([held, work]).then(() => {}) : work
    }

    /** Runs the next timer that is due by `until`. @returns whether there was one */
    step(until = Infinity): boolean {
        for (;;) {
            const next = this.heap[0]
            if (!next || next.at > until) return false
            this.pop()
            if (next.done) {
                this.cancelled--
                continue
            }
            next.done = true
            if (next.at > this.time) this.time = next.at
            if (next.settles) this.settle()
            next.fn()
            return true
        }
    }

    /**
     * Runs all timers up to `ms` from now. After each `setTimeout` all promises settle, however long their chains: host
     * code takes no virtual time.
     */
    async run(ms: number, until: () => boolean = () => false): Promise<void> {
        const end = this.time + ms
        await this.released()
        while (!until() && this.step(end)) {
            if (!this.isSettled) {
                this.isSettled = true
                await new Promise(resolve => setImmediate(resolve))
            }
            if (this.held) await this.released()
        }
        if (!until() && this.time < end) this.time = end
    }

    private async released(): Promise<void> {
        const { held } = this
        this.held = undefined
        await held
    }

    private add(fn: () => void, ms: number, settles: boolean): Entry {
        const at = this.time + Math.max(0, ms || 0)
        const entry = { at, order: this.order++, fn, done: false, settles }
        this.push(entry)
        return entry
    }

    /** Removes cancelled timers. A sorted array is a heap, too. */
    private sweep(): void {
        this.heap = this.heap.filter(entry => !entry.done).sort((a, b) => (before(a, b) ? -1 : 1))
        this.cancelled = 0
    }

    private push(entry: Entry): void {
        const heap = this.heap
        let i = heap.length
        heap.push(entry)
        while (i > 0) {
            const parent = (i - 1) >> 1
            if (!before(entry, heap[parent]!)) break
            heap[i] = heap[parent]!
            i = parent
        }
        heap[i] = entry
    }

    private pop(): void {
        const heap = this.heap
        const last = heap.pop()!
        if (!heap.length) return
        let i = 0
        for (;;) {
            let child = 2 * i + 1
            if (child >= heap.length) break
            if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
            if (!before(heap[child]!, last)) break
            heap[i] = heap[child]!
            i = child
        }
        heap[i] = last
    }
}

function before(a: Entry, b: Entry): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order)
}
