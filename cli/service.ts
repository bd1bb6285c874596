import pino from "pino"
import type { Log } from "../host/log.ts"

/** A log to stderr, so that stdout stays free for what a command prints. */
export function stderrLog(level: string): Log {
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
}

/** How long an orderly end may take before it is forced. */
const shutdownMs = 5000

/**
 * Keeps the process running until it is told to end (Ctrl+C, SIGTERM, or SIGHUP when its terminal closes), then closes in
 * order. A second Ctrl+C or SIGTERM ends it at once.
 * @param ready is printed when a signal would be heard: who waits for that line may send one at once
 */
export async function runUntilStopped(close: () => Promise<void>, ready?: string): Promise<void> {
    await new Promise<void>(resolve => {
        const stop = () => {
            process.once("SIGINT", () => process.exit(130))
            process.once("SIGTERM", () => process.exit(143))
            // A terminal that closes may say so twice, as its shell does, too.
            process.on("SIGHUP", () => {})
            resolve()
        }
        process.once("SIGINT", stop)
        process.once("SIGTERM", stop)
        process.once("SIGHUP", stop)
        if (ready !== undefined) console.log(ready)
    })
    const force = setTimeout(() => process.exit(1), shutdownMs)
    await close()
    clearTimeout(force)
}
