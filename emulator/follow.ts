import type { Clock } from "../host/clock.ts"
import type { Board } from "./board.ts"

/** The board is never further behind than that. */
const windowMs = 2

/**
 * Lets a board follow another clock, the simulator's virtual one: in its windows of time what is around the board happens at their
 * ends.
 * @returns ends it
 */
export function followClock(board: Board, clock: Clock): () => void {
    const startMs = clock.now() - board.nanos / 1e6
    let timer: unknown
    const next = () => {
        timer = clock.setTimeout(() => {
            board.run((clock.now() - startMs) * 1e6)
            if (!board.halt) next()
        }, windowMs)
    }
    next()
    return () => clock.clearTimeout(timer)
}
