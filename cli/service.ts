import pino from "pino"
import type { Log } from "../host/log.ts"

/** A log to stderr, so that stdout stays free for what a command prints. */
export function stderrLog(level: string): Log {
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
}

/** How long an orderly end may take before it is forced. */
const shutdownMs = 5000

/** The signals that end a command in order, each with the exit code where it does so at once (128 and its number). */
export const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
type EndSignal = keyof typeof exitCodes
const endSignals = Object.keys(exitCodes) as EndSignal[]

/**
 * Calls `first` at the first signal that asks for an end: Ctrl+C, SIGTERM, a terminal that is closed. The second ends the
 * process at once.
 */
export function onSignal(first: (signal: EndSignal) => void): { ignore(): void } {
    let isSecond = false
    const handle = (signal: EndSignal) => {
        // A terminal that is closed may say so twice, by itself and by its shell.
        if (isSecond && signal === "SIGHUP") return
        if (isSecond) process.exit(exitCodes[signal])
        isSecond = true
        first(signal)
    }
    for (const signal of endSignals) process.on(signal, handle)
    return {
        ignore: () => {
            for (const signal of endSignals) process.off(signal, handle)
        },
    }
}

/**
 * Keeps the process running until a signal asks for its end, then closes in order.
 * @param ready is printed when a signal would be heard: who waits for that line may send one at once
 */
export async function runUntilStopped(close: () => Promise<void>, ready?: string): Promise<void> {
    await new Promise<void>(resolve => {
        onSignal(() => resolve())
        if (ready !== undefined) console.log(ready)
    })
    const force = setTimeout(() => process.exit(1), shutdownMs)
    await close()
    clearTimeout(force)
}
