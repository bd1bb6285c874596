import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { encodeFrame, FrameReader } from "./frame.ts"
import { Code, codeClass, message, type CoapMessage } from "./message.ts"
import { CoapFormatError, isCritical, uintOption, uintValue } from "./options.ts"

/** Largest message we take, announced in our CSM; room for the largest envelope and its options. */
export const maxMessageBytes = 8192

/** Whose CSM has not come by then was no CoAP peer. */
export const handshakeMs = 5_000
/** After that long without a message we ask with a Ping whether the peer is still there, … */
export const idleMs = 60_000
/** … and let go of it when nothing comes for that long. */
export const pongMs = 20_000
/** How long a peer may take to close after we said our last word. */
export const lingerMs = 2_000
/** A peer that reads so little that more than this waits for it is cut off. */
export const maxBacklogBytes = 256 * 1024

/** RFC 8323 §5.3.1: what a peer takes that announced nothing. */
const defaultMaxMessageBytes = 1152

/**
 * What messages within a second may cost that lead to nothing: Empty ones, signals, requests that fail, repeat or only
 * look. A small message costs 1. A mote sends a few a minute, and 32 when everything it had saved up is refused. Who sends
 * more keeps us from the others.
 */
export const maxUnproductive = 128
/** Every so many bytes, and every so many options, cost as much as a small message. */
const bytesPerCost = 512
const optionsPerCost = 8
export const unproductiveWindowMs = 1_000

/** Options of signalling messages, RFC 8323 §11.2; the numbers mean something else in each code. */
const csmOption = { maxMessageSize: 2, blockWiseTransfer: 4 }
const badCsmOption = 2

/** The layer above a session. */
export interface SessionUser {
    /** The peer speaks CoAP: its CSM came. */
    csmReceived(): void
    /** A message that leads to nothing has cost this much; false where it was too much. */
    spend(cost: number): boolean
    /** A request or a response. */
    received(message: CoapMessage): void
    /** The peer wants to close: finish what it asked, then `close()`. */
    released(): void
    /** Nothing comes or goes any more. Called once. */
    closed(): void
}

/**
 * One CoAP connection over a byte stream: the messages in it and the signalling of RFC 8323 §5. Who breaks the protocol
 * gets an Abort (7.05) that says why, and the connection is closed.
 */
export class CoapSession {
    private readonly stream: ByteStream
    private readonly clock: Clock
    private readonly user: SessionUser
    private readonly log: Log
    private readonly reader = new FrameReader(maxMessageBytes)
    private state: "opening" | "open" | "closing" | "closed" = "opening"
    /** Largest message that the peer takes. */
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

    /** Sends our CSM and begins to listen; the user may be called from here on, even within. */
    start(): void {
        this.watchAgainIn(handshakeMs)
        const csm = [
            uintOption(csmOption.maxMessageSize, maxMessageBytes),
            { number: csmOption.blockWiseTransfer, value: new Uint8Array(0) },
        ]
        this.stream.write(encodeFrame(message(Code.CSM, { options: csm })))
        this.stream.listen({ data: bytes => this.data(bytes), closed: () => this.streamClosed() })
    }

    /** Whether the peer takes a message of this size. */
    fits(message: CoapMessage): boolean {
        return encodeFrame(message).length <= this.peerMaxMessageBytes
    }

    /** Does nothing once the session closes. A message larger than the peer takes ends it. */
    send(message: CoapMessage): void {
        if (this.isOver) return
        const frame = encodeFrame(message)
        if (frame.length > this.peerMaxMessageBytes) {
            this.abort(`no answer fits into ${this.peerMaxMessageBytes} bytes`)
            return
        }
        this.stream.write(frame)
        if (this.stream.backlog > maxBacklogBytes) {
            this.log.debug({ peer: this.stream.peer }, "peer does not read: connection dropped")
            this.stream.destroy()
        }
    }

    /** Sends what is queued, then closes. */
    close(): void {
        if (this.isOver) return
        this.state = "closing"
        this.stream.end()
        this.watchAgainIn(lingerMs)
    }

    /** Tells the peer what it did wrong (RFC 8323 §5.6) and closes. */
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

    /** This message leads to nothing; more of such than `maxUnproductive` allows end the session. */
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

    /** RFC 8323 §5.3: a CSM may come again and then only adds to the first. */
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

    /** The one timer of a session: what it does next depends on how far the session is. */
    private watch(): void {
        if (this.state === "opening") this.abort("no CSM came")
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
