import * as ds from "@devicescript/core"
import { Signal } from "../platform/signal"
import { sleep } from "../platform/sleep"

/*
 * The VM's one TCP socket. The class of @devicescript/net is built on the same natives, but it keeps what arrives in an
 * array without bound, gives up when the send buffer is full, and leaves a waiting fiber behind when it is closed.
 *
 * Started by the protocol that is in use (`useSocket`), which opens, writes and closes it. Events of the VM write the rest.
 */

type Natives = typeof ds & {
    _socketOpen(host: string, port: number): number
    _socketClose(): number
    _socketWrite(bytes: Buffer): number
    _socketOnEvent(event: string, arg?: Buffer | string): void
}

const bufferFull = -1
/** Events do not say which connection they belong to: after this long those of the last one are over. */
const drainMs = 5
const writeRetries = 100
const writeRetryMs = 20

type State = "closed" | "connecting" | "open"

let state: State = "closed"
let receive: (bytes: Buffer) => void
let changed: Signal

/**
 * Becomes the owner of the socket; to be called first.
 * @param isChanged is raised when the socket opens and when it closes
 * @param take takes what arrives, in order; it must not wait
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

/** Closes what was open before; says whether a connection was made within `timeoutMs`. The native call reports a failure late or never. */
export async function openSocket(host: string, port: number, timeoutMs: number, tls = false): Promise<boolean> {
    closeSocket()
    await sleep(drainMs)
    try {
        state = "connecting"
        // To the native call a negative port means TLS.
        ;(ds as Natives)._socketOpen(host, tls ? -port : port)
        const deadline = ds.millis() + timeoutMs
        while (isConnecting() && ds.millis() < deadline) await changed.wait(deadline - ds.millis())
    } catch {
        // no network yet
    }
    if (!isSocketOpen()) closeSocket()
    return isSocketOpen()
}

/** Whether the network took the bytes. What cannot be sent at all closes the socket. */
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

/** As `writeSocket`, for those who must not wait: a full buffer closes the socket, too. */
export function writeSocketNow(bytes: Buffer): void {
    if (state === "open" && tryWrite(bytes) !== 0) closeSocket()
}

export function closeSocket(): void {
    if (state === "closed") return
    state = "closed"
    try {
        ;(ds as Natives)._socketClose()
    } catch {
        // it was closed
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
