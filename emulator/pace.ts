import type { Board } from "./board.ts"

/** So much emulated time runs before this process looks at its sockets. */
const sliceMs = 5

export interface Pace {
    /** As fast as the processor can; otherwise not faster than real time. */
    isFast: boolean
    /** Ends there, in emulated seconds; Infinity where nothing ends it. */
    untilS: number
    /** Called before each slice with the emulated seconds so far; true ends the run. */
    shouldEnd?: (seconds: number) => boolean
}

/**
 * Runs a board with this machine's network: between two slices sockets get their turn. Where the processor is too slow, the board's time
 * falls behind.
 * @returns milliseconds of the processor that it took
 */
export async function runBoard(board: Board, { isFast, untilS, shouldEnd }: Pace): Promise<number> {
    const startedMs = performance.now()
    const startNanos = board.nanos
    const usage = process.cpuUsage()
    while (board.nanos < untilS * 1e9 && !board.halt && !shouldEnd?.(board.nanos / 1e9)) {
        const next = Math.min(board.nanos + sliceMs * 1e6, untilS * 1e9)
        const aheadMs = (next - startNanos) / 1e6 - (performance.now() - startedMs)
        await new Promise(resolve =>
            isFast || aheadMs < 1 ? setImmediate(resolve) : setTimeout(resolve, Math.min(aheadMs, sliceMs)),
        )
        board.run(next)
    }
    const { user, system } = process.cpuUsage(usage)
    return (user + system) / 1000
}
