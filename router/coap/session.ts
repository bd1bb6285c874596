import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { encodeFrame, FrameReader } from "./frame.ts"
import { Code, codeClass, message, type CoapMessage } from "./message.ts"
import { CoapFormatError, isCritical, uintOption, uintValue } from "./options.ts"

/** The largest message that we accept. Our CSM announces it. The largest envelope and its options fit. */
export const maxMessageBytes = 8192

/** The time within which the peer must send its CSM. */
export const handshakeMs = 5_000
/** After this time without a message we send a Ping. */
export const idleMs = 60_000
/** If nothing arrives within this time after the Ping, we drop the connection. */
export const pongMs = 20_000
/** How long we wait for the peer to close the connection after our last message. */
export const lingerMs = 2_000
/** We drop a peer for which more than this is queued, because it does not read. */
export const maxBacklogBytes = 256 * 1024

/** The default Max-Message-Size, RFC 8323 §5.3.1. */
const defaultMaxMessageBytes = 1152

/**
 * The budget of one connection for unproductive messages within one second: Empty messages, signals, and requests that
 * fail, repeat or only read. A small message costs 1. A mote sends a few per minute, and 32 if all the envelopes it has
 * saved are refused. A peer that sends more would keep the router from serving others.
 */
export const maxUnproductive = 128
/** This many bytes cost as much as a small message. */
const bytesPerCost = 512
/** This many options cost as much as a small message. */
const optionsPerCost = 8
export const unproductiveWindowMs = 1_000

/** Options of the CSM, RFC 8323 §11.2. Each signalling code has its own option numbers. */
const csmOption = { maxMessageSize: 2, blockWiseTransfer: 4 }
const badCsmOption = 2

/** The layer above a session. */
export interface SessionUser {
    /** The peer's first CSM has arrived, so it speaks CoAP. */
    csmReceived(): void
    /** Charges the peer for an unproductive message. Returns false if its budget is used up. */
    spend(cost: number): boolean
    /** Handles a request or a response. */
    received(message: CoapMessage): void
    /** The peer sent Release: finish its requests, then call `close()`. */
    released(): void
    /** The session is closed. Called once. */
    closed(): void
}

/**
 * One CoAP connection over a byte stream: its messages and the signalling of RFC 8323 §5. A peer that violates the
 * protocol receives an Abort (7.05) with the reason, and the connection is closed.
 */
export class CoapSession {
    private readonly stream: ByteStream
    private readonly clock: Clock
    private readonly user: SessionUser
    private readonly log: Log
    private readonly reader = new FrameReader(maxMessageBytes)
    private state: "opening" | "open" | "closing" | "closed" = "opening"
    /** The largest message that the peer accepts. */
    peerMaxMessageBytes = defaultMaxMessageBytes
    private pinged = false
    private unproductiveCount = 0
    private unproductiveSince = -Infinity
    private timer: Timer

    constructor(o: { stream: ByteStream; clock: Clock; user: SessionUser; log: Log }) {
        this.stream = o.stream
        this.clock = o.clock
        this.user = o.user
        this.log = o.log
    }

    /** Sends our CSM and starts to listen. Methods of `user` may be called from now on, even before this returns. */
    start(): void {
        this.watchAgainIn(handshakeMs)
        const csm = [
            uintOption(csmOption.maxMessageSize, maxMessageBytes),
            { number: csmOption.blockWiseTransfer, value: new Uint8Array(0) },
        ]
        this.stream.write(encodeFrame(message(Code.CSM, { options: csm })))
        this.stream.listen({ data: bytes => this.data(bytes), closed: () => this.streamClosed() })
    }

    /** Tells whether the message is within the peer's Max-Message-Size. */
    fits(message: CoapMessage): boolean {
        return encodeFrame(message).length <= this.peerMaxMessageBytes
    }

    /**
     * Sends a message; does nothing once the session is closing. A message that the peer cannot accept aborts the
     * session.
     */
    send(message: CoapMessage): void {
        if (this.isOver) return
        const frame = encodeFrame(message)
        if (frame.length > this.peerMaxMessageBytes) {
            this.abort(`the response exceeds your Max-Message-Size of ${this.peerMaxMessageBytes} bytes`)
            return
        }
        this.stream.write(frame)
        if (this.stream.backlog > maxBacklogBytes) {
            this.log.debug({ peer: this.stream.peer }, "peer does not read: connection dropped")
            this.stream.destroy()
        }
    }

    /** Sends the queued messages, then closes. */
    close(): void {
        if (this.isOver) return
        this.state = "closing"
        this.stream.end()
        this.watchAgainIn(lingerMs)
    }

    /** Sends an Abort with the reason (RFC 8323 §5.6) and closes. */
    abort(diagnostic: string, badOption?: number): void {
        if (this.isOver) return
        this.log.debug({ peer: this.stream.peer, diagnostic }, "connection aborted")
        const options = badOption === undefined ? [] : [uintOption(badCsmOption, badOption)]
        const payload = Buffer.from(diagnostic)
        this.stream.write(encodeFrame(message(Code.Abort, { options, payload })))
        this.close()
    }

    /** Closes at once. */
    destroy(): void {
        this.stream.destroy()
    }

    /** Charges the peer for an unproductive message. Aborts the session once its budget is used up. */
    unproductive(message: CoapMessage): void {
        const cost = costOf(message)
        const sinceMs = this.clock.now() - this.unproductiveSince
        if (sinceMs < 0 || sinceMs >= unproductiveWindowMs) {
            this.unproductiveSince = this.clock.now()
            this.unproductiveCount = 0
        }
        this.unproductiveCount += cost
        if (!this.user.spend(cost) || this.unproductiveCount > maxUnproductive)
            this.abort("too many unproductive messages")
    }

    private data(bytes: Uint8Array): void {
        if (this.isOver) return
        try {
            for (const message of this.reader.push(bytes)) {
                this.received(message)
                if (this.isOver) return
                if (this.state === "open") {
                    this.pinged = false
                    this.watchAgainIn(idleMs)
                }
            }
        } catch (error) {
            if (!(error instanceof CoapFormatError)) throw error
            this.abort(error.message)
        }
    }

    private get isOver(): boolean {
        return this.state === "closing" || this.state === "closed"
    }

    private received(message: CoapMessage): void {
        if (message.code === Code.Empty) {
            this.unproductive(message)
            return
        }
        if (this.state === "opening" && message.code !== Code.CSM) {
            this.abort("the first message has to be a CSM")
            return
        }
        switch (codeClass(message.code)) {
            case 7:
                this.unproductive(message)
                this.signalled(message)
                break
            case 0:
            case 2:
            case 4:
            case 5:
                this.user.received(message)
                break
            default:
                this.abort("reserved code class")
        }
    }

    private signalled(signal: CoapMessage): void {
        const known: number[] = signal.code === Code.CSM ? Object.values(csmOption) : []
        const bad = signal.options.find(o => isCritical(o.number) && !known.includes(o.number))
        if (bad) {
            const where = signal.code === Code.CSM ? bad.number : undefined
            this.abort(`unknown critical signalling option ${bad.number}`, where)
            return
        }
        switch (signal.code) {
            case Code.CSM:
                this.capabilities(signal)
                break
            case Code.Ping:
                this.send(message(Code.Pong, { token: signal.token }))
                break
            case Code.Release:
                this.user.released()
                break
            case Code.Abort:
                this.log.debug({ peer: this.stream.peer }, "peer aborted the connection")
                this.destroy()
                break
        }
    }

    /** Applies a CSM. A later CSM only changes the options that it contains, RFC 8323 §5.3. */
    private capabilities(csm: CoapMessage): void {
        if (this.state === "opening") this.user.csmReceived()
        this.state = "open"
        if (csm.options.some(o => o.number === csmOption.maxMessageSize && o.value.length > 4)) {
            this.abort("malformed Max-Message-Size", csmOption.maxMessageSize)
            return
        }
        const maxMessageSize = uintValue(csm.options, csmOption.maxMessageSize)
        if (maxMessageSize !== undefined) this.peerMaxMessageBytes = maxMessageSize
    }

    private watchAgainIn(ms: number): void {
        if (this.state === "closed") return
        this.clock.clearTimeout(this.timer)
        this.timer = this.clock.setTimeout(() => this.watch(), ms)
    }

    /** Handles the session's only timer, whose meaning depends on the state. */
    private watch(): void {
        if (this.state === "opening") this.abort("no CSM received")
        else if (this.state === "closing") this.destroy()
        else if (this.pinged) {
            this.log.debug({ peer: this.stream.peer }, "peer is gone: connection dropped")
            this.destroy()
        } else {
            this.pinged = true
            this.send(message(Code.Ping))
            this.watchAgainIn(pongMs)
        }
    }

    private streamClosed(): void {
        if (this.state === "closed") return
        this.state = "closed"
        this.clock.clearTimeout(this.timer)
        this.user.closed()
    }
}

function costOf({ options, payload }: CoapMessage): number {
    const bytes = options.reduce((sum, { value }) => sum + value.length, payload.length)
    return 1 + Math.floor(bytes / bytesPerCost) + Math.floor(options.length / optionsPerCost)
}
