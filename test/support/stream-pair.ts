import type { Clock } from "../../host/clock.ts"
import { pipe, type PipeEnd } from "../../sim/time/pipe.ts"

/** Two ends of a byte stream in memory; bytes arrive in a later microtask, whatever the time is. */
export function streamPair(): [PipeEnd, PipeEnd] {
    return pipe(immediate, 0)
}

const immediate: Clock = { now: () => 0, setTimeout: queueMicrotask, clearTimeout: () => {} }
