import pino from "pino"
import type { Log } from "../host/log.ts"
import { systemd } from "./systemd.ts"

/** Makes a log to stderr. Stdout is for the output of a command. */
export function stderrLog(level: string): Log {
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
}

/** The time limit for an orderly shutdown. */
const shutdownMs = 5000

/** The signals that stop a command, with the exit codes of an immediate stop (128 plus the number of the signal). */
export const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
type EndSignal = keyof typeof exitCodes
const endSignals = Object.keys(exitCodes) as EndSignal[]

/**
 * Calls `first` at the first signal that stops a command: Ctrl+C, SIGTERM, or a closed terminal. The second one ends
 * the process at once.
 */
export function onSignal(first: (signal: EndSignal) => void): { ignore(): void } {
    let isSecond = false
    const handle = (signal: EndSignal) => {
        // A closed terminal may send SIGHUP twice, by itself and by its shell.
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
 * Keeps the process running until a signal stops it, then closes in order.
 * @param ready printed once signals are handled, so that a reader of that line may send one at once
 */
export async function runUntilStopped(close: () => Promise<void>, ready?: string): Promise<void> {
    const manager = systemd()
    await new Promise<void>(resolve => {
        onSignal(() => resolve())
        if (ready !== undefined) console.log(ready)
        manager.ready()
    })
    manager.stopping()
    const force = setTimeout(() => process.exit(1), shutdownMs)
    await close()
    clearTimeout(force)
}
