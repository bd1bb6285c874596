import * as ds from "@devicescript/core"
import { Signal } from "../platform/signal"
import { sleep } from "../platform/sleep"

/*
 * The VM's only TCP socket. The class of @devicescript/net uses the same native functions, but buffers received data
 * without a limit, gives up when the send buffer is full, and leaves a waiting fiber suspended when it is closed.
 *
 * Started by the protocol in use (`useSocket`), which opens, writes and closes it. Events of the VM write the rest.
 */

type Natives = typeof ds & {
    _socketOpen(host: string, port: number): number
    _socketClose(): number
    _socketWrite(bytes: Buffer): number
    _socketOnEvent(event: string, arg?: Buffer | string): void
}

const bufferFull = -1
/** Events do not identify their connection: after this time those of the previous one are over. */
const drainMs = 5
const writeRetries = 100
const writeRetryMs = 20

type State = "closed" | "connecting" | "open"

let state: State = "closed"
let receive: (bytes: Buffer) => void
let changed: Signal

/**
 * Takes over the socket; must be called first.
 * @param isChanged raised when the socket opens and when it closes
 * @param take called with received bytes in order; must not wait
 */
export function useSocket(isChanged: Signal, take: (bytes: Buffer) => void): void {
    changed = isChanged
    receive = take
    ;(ds as Natives)._socketOnEvent = (event, arg) => {
        try {
            happened(event, arg)
        } catch {
            closeSocket()
        }
    }
}

export function isSocketOpen(): boolean {
    return state === "open"
}

/**
 * Closes any open connection and opens a new one. The native call reports a failure late or never. @returns whether it
 * was established within `timeoutMs`
 */
export async function openSocket(host: string, port: number, timeoutMs: number, tls = false): Promise<boolean> {
    closeSocket()
    await sleep(drainMs)
    try {
        state = "connecting"
        // The native call uses TLS if the port is negative.
        ;(ds as Natives)._socketOpen(host, tls ? -port : port)
        const deadline = ds.millis() + timeoutMs
        while (isConnecting() && ds.millis() < deadline) await changed.wait(deadline - ds.millis())
    } catch {
        // no network yet
    }
    if (!isSocketOpen()) closeSocket()
    return isSocketOpen()
}

/** Sends bytes; a permanent failure closes the socket. @returns whether the network accepted them */
export async function writeSocket(bytes: Buffer): Promise<boolean> {
    for (let i = 0; i < writeRetries; i++) {
        if (!isSocketOpen()) return false
        const result = tryWrite(bytes)
        if (result === 0) return true
        if (result !== bufferFull) break
        await sleep(writeRetryMs)
    }
    closeSocket()
    return false
}

/** Like `writeSocket`, for callers that must not wait: a full buffer also closes the socket. */
export function writeSocketNow(bytes: Buffer): void {
    if (state === "open" && tryWrite(bytes) !== 0) closeSocket()
}

export function closeSocket(): void {
    if (state === "closed") return
    state = "closed"
    try {
        ;(ds as Natives)._socketClose()
    } catch {
        // it was already closed
    }
    changed.raise()
}

function isConnecting(): boolean {
    return state === "connecting"
}

function tryWrite(bytes: Buffer): number {
    return (ds as Natives)._socketWrite(bytes)
}

function happened(event: string, arg: Buffer | string): void {
    if (event === "data") {
        if (state === "open") receive(arg as Buffer)
    } else if (event === "open") {
        if (state === "connecting") state = "open"
        changed.raise()
    } else closeSocket()
}
