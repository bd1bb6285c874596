import * as ds from "@devicescript/core"
import { Signal } from "../signal"

/*
 * The VM's one TCP socket. The class of @devicescript/net is built on the same natives, but it keeps what arrives in an
 * array without bound, gives up when the send buffer is full, and leaves a waiting fiber behind when it is closed.
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

/** Opening closes what was open before. */
export class TcpSocket {
    private state: State = "closed"
    private receive: (bytes: Buffer) => void
    private changed: Signal

    /**
     * @param changed is raised when the socket opens and when it closes
     * @param receive takes what arrives, in order; it must not wait
     */
    constructor(changed: Signal, receive: (bytes: Buffer) => void) {
        this.changed = changed
        this.receive = receive

        const socket = this
        ;(ds as Natives)._socketOnEvent = (event, arg) => {
            try {
                socket.event(event, arg)
            } catch {
                socket.close()
            }
        }
    }

    isOpen(): boolean {
        return this.state === "open"
    }

    /** Whether a connection was made within `timeoutMs`. The native call reports a failure late or never. */
    async open(host: string, port: number, timeoutMs: number, tls = false): Promise<boolean> {
        this.close()
        await ds.sleep(drainMs)
        try {
            this.state = "connecting"
            // To the native call a negative port means TLS.
            ;(ds as Natives)._socketOpen(host, tls ? -port : port)
            const deadline = ds.millis() + timeoutMs
            while (this.isConnecting() && ds.millis() < deadline)
                await this.changed.wait(deadline - ds.millis())
        } catch {
            // no network yet
        }
        if (!this.isOpen()) this.close()
        return this.isOpen()
    }

    /** Whether the network took the bytes. What cannot be sent at all closes the socket. */
    async write(bytes: Buffer): Promise<boolean> {
        for (let i = 0; i < writeRetries; i++) {
            if (!this.isOpen()) return false
            const result = this.tryWrite(bytes)
            if (result === 0) return true
            if (result !== bufferFull) break
            await ds.sleep(writeRetryMs)
        }
        this.close()
        return false
    }

    /** As `write`, for those who must not wait: a full buffer closes the socket, too. */
    writeNow(bytes: Buffer): void {
        if (this.state === "open" && this.tryWrite(bytes) !== 0) this.close()
    }

    close(): void {
        if (this.state === "closed") return
        this.state = "closed"
        try {
            ;(ds as Natives)._socketClose()
        } catch {
            // it was closed
        }
        this.changed.raise()
    }

    private isConnecting(): boolean {
        return this.state === "connecting"
    }

    private tryWrite(bytes: Buffer): number {
        return (ds as Natives)._socketWrite(bytes)
    }

    private event(event: string, arg: Buffer | string): void {
        if (event === "data") {
            if (this.state === "open") this.receive(arg as Buffer)
        } else if (event === "open") {
            if (this.state === "connecting") this.state = "open"
            this.changed.raise()
        } else this.close()
    }
}
