import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { Code, codeClass, message, type CoapMessage } from "./message.ts"
import { OptionNumber, uintOption } from "./options.ts"
import { CoapSession } from "./session.ts"

/** How long we wait for a response. */
export const responseMs = 30_000
/** Requests of one peer that may be under way at a time; more get 5.03. */
export const maxConcurrentRequests = 64
/** Requests of ours that may wait for one peer. */
export const maxPendingRequests = 64
const tokenBytes = 4

/** Answers a request; the token of what it returns is set by the connection. */
export type Server = (
    request: CoapMessage,
    connection: CoapConnection,
) => CoapMessage | Promise<CoapMessage>

/** A request that got no response: timed out, or the connection closed. */
export class NoResponseError extends Error {}

interface PendingRequest {
    resolve(response: CoapMessage): void
    reject(error: NoResponseError): void
    timer: Timer
}

/**
 * Requests and responses on one connection, matched by their tokens (RFC 7252 §5.3.1). Both ends may ask: `serve` answers
 * the peer's requests, `request()` asks the peer.
 */
export class CoapConnection {
    /** Whom we talk to, for logs. */
    readonly peer: string
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly serve: Server
    private readonly onClose: () => void
    private readonly log: Log
    private readonly session: CoapSession
    private readonly pending = new Map<string, PendingRequest>()
    private serving = 0
    private releasing = false
    private isClosed = false

    constructor(o: {
        stream: ByteStream
        clock: Clock
        random: (bytes: number) => Uint8Array
        serve: Server
        onClose?: () => void
        log: Log
    }) {
        this.peer = o.stream.peer
        this.clock = o.clock
        this.random = o.random
        this.serve = o.serve
        this.onClose = o.onClose ?? (() => {})
        this.log = o.log
        this.session = new CoapSession({
            stream: o.stream,
            clock: o.clock,
            log: o.log,
            user: {
                received: message => this.received(message),
                released: () => this.closeWhenIdle(),
                closed: () => this.closed(),
            },
        })
    }

    /** Begins to talk; `serve` and `onClose` may be called from here on, even within. */
    start(): void {
        this.session.start()
    }

    /** Sends a request with a token of ours. Rejects with NoResponseError. */
    request(
        code: number,
        parts: Partial<Omit<CoapMessage, "code" | "token">>,
    ): Promise<CoapMessage> {
        if (this.isClosed || this.releasing)
            return Promise.reject(new NoResponseError("the connection is closed"))
        if (this.pending.size >= maxPendingRequests)
            return Promise.reject(new NoResponseError("too many requests wait for this peer"))
        let token = this.random(tokenBytes)
        while (this.pending.has(keyOf(token))) token = this.random(tokenBytes)
        return new Promise((resolve, reject) => {
            const key = keyOf(token)
            const timer = this.clock.setTimeout(() => {
                this.pending.delete(key)
                reject(new NoResponseError("no response in time"))
                if (this.releasing) this.closeWhenIdle()
            }, responseMs)
            this.pending.set(key, { resolve, reject, timer })
            this.session.send(message(code, { ...parts, token }))
        })
    }

    /** Asks the peer to go elsewhere (RFC 8323 §5.5) and closes once both ends have their responses. */
    release(): void {
        this.session.send(message(Code.Release))
        this.closeWhenIdle()
    }

    /** Closes at once. */
    destroy(): void {
        this.session.destroy()
    }

    private received(received: CoapMessage): void {
        if (codeClass(received.code) === 0) void this.answer(received)
        else this.responded(received)
    }

    private async answer(request: CoapMessage): Promise<void> {
        if (this.serving >= maxConcurrentRequests) {
            const options = [uintOption(OptionNumber.MaxAge, 1)]
            this.session.send(message(Code.ServiceUnavailable, { options, token: request.token }))
            this.session.unproductive()
            return
        }
        this.serving++
        let response: CoapMessage
        try {
            response = await this.serve(request, this)
        } catch (error) {
            const { message: reason } = error as Error
            this.log.error({ peer: this.peer, reason }, "a request failed")
            response = message(Code.InternalServerError)
        }
        this.session.send({ ...response, token: request.token })
        if (request.code === Code.GET || codeClass(response.code) !== 2) this.session.unproductive()
        this.serving--
        if (this.releasing) this.closeWhenIdle()
    }

    private responded(response: CoapMessage): void {
        const key = keyOf(response.token)
        const pending = this.pending.get(key)
        if (!pending) {
            this.session.unproductive() // answered late or to nobody's question
            return
        }
        this.pending.delete(key)
        this.clock.clearTimeout(pending.timer)
        pending.resolve(response)
        if (this.releasing) this.closeWhenIdle()
    }

    /** Nothing new from now on; closes once both ends have their responses. */
    private closeWhenIdle(): void {
        this.releasing = true
        if (this.serving === 0 && this.pending.size === 0) this.session.close()
    }

    private closed(): void {
        this.isClosed = true
        for (const { reject, timer } of this.pending.values()) {
            this.clock.clearTimeout(timer)
            reject(new NoResponseError("the connection closed"))
        }
        this.pending.clear()
        this.onClose()
    }
}

function keyOf(token: Uint8Array): string {
    return Buffer.from(token).toString("hex")
}
