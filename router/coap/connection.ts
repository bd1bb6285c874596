import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { Code, codeClass, message, type CoapMessage } from "./message.ts"
import { OptionNumber, uintOption } from "./options.ts"
import type { Notifier, Requester, Server } from "./requester.ts"
import { CoapSession } from "./session.ts"

/** The time within which a response must arrive. */
export const responseMs = 30_000
/** The maximum number of concurrent requests from one peer. Further requests get 5.03. */
export const maxConcurrentRequests = 64
/** The maximum number of our requests that wait for one peer. */
export const maxPendingRequests = 64
const tokenBytes = 4

/** The options and the payload of one of our requests. */
export type RequestParts = Partial<Omit<CoapMessage, "code" | "token">>

/** A request received no response. */
export class NoResponseError extends Error {
    /** `tooLarge`: it exceeds the peer's Max-Message-Size; `busy`: too many requests already wait for this peer. */
    readonly why: "closed" | "late" | "busy" | "tooLarge"

    constructor(why: NoResponseError["why"], message: string) {
        super(message)
        this.why = why
    }
}

/** The callbacks for one of our requests. */
interface Exchange {
    /** Handles a response. Returns true if more responses may follow. */
    next(response: CoapMessage): boolean
    fail(error: NoResponseError): void
}

/** `timer` runs until the first response arrives. */
type PendingExchange = Exchange & { timer: Timer | undefined }

/**
 * Requests and responses on one connection, matched by token (RFC 7252 §5.3.1). Both ends may send requests: `serve`
 * handles those of the peer, `request()` sends ours.
 */
export class CoapConnection implements Requester {
    /** The peer's name for logs. */
    readonly peer: string
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly serve: Server
    private readonly onClose: () => void
    private readonly onCsm: () => void
    private readonly onEnvelope: (eui: string) => void
    /** The number of new envelopes that arrived here and have no response yet. */
    private unansweredEnvelopes = 0
    private readonly log: Log
    private readonly session: CoapSession
    private readonly pending = new Map<string, PendingExchange>()
    /** The peer's observations: a callback for their end, by the token of the request. */
    private readonly notifiers = new Map<string, () => void>()
    private serving = 0
    private releasing = false
    private isClosed = false

    constructor(o: {
        stream: ByteStream
        clock: Clock
        random: (bytes: number) => Uint8Array
        serve: Server
        onClose?: () => void
        /** Called when the peer's first CSM arrives. */
        onCsm?: () => void
        /** Charges the peer for an unproductive message. Returns false if its budget is used up. */
        spend?: (cost: number) => boolean
        /** Called with the mote of each new authentic envelope that arrives here. */
        onEnvelope?: (eui: string) => void
        log: Log
    }) {
        this.peer = o.stream.peer
        this.clock = o.clock
        this.random = o.random
        this.serve = o.serve
        this.onClose = o.onClose ?? (() => {})
        this.onEnvelope = o.onEnvelope ?? (() => {})
        this.onCsm = o.onCsm ?? (() => {})
        const { spend = () => true } = o
        this.log = o.log
        this.session = new CoapSession({
            stream: o.stream,
            clock: o.clock,
            log: o.log,
            user: {
                csmReceived: () => this.onCsm(),
                spend,
                received: message => this.received(message),
                released: () => this.closeWhenIdle(),
                closed: () => this.closed(),
            },
        })
    }

    /** Starts the connection. `serve` and `onClose` may be called from now on, even before this returns. */
    start(): void {
        this.session.start()
    }

    get maxMessageBytes(): number {
        return this.session.peerMaxMessageBytes
    }

    /** Sends a request with a new token and resolves to its response. Rejects with NoResponseError. */
    request(code: number, parts: RequestParts): Promise<CoapMessage> {
        return new Promise((resolve, reject) => {
            const next = (response: CoapMessage) => {
                resolve(response)
                return false
            }
            this.ask(message(code, { ...parts, token: this.newToken() }), { next, fail: reject })
        })
    }

    /**
     * Observes a resource (RFC 7641 §3). Resolves to the first response and rejects like `request`. If that response
     * has an Observe option, `notified` receives the later ones, up to and including the first without that option. It
     * receives undefined when the connection closes. `cancel` deregisters.
     */
    observe(
        parts: RequestParts,
        notified: (response: CoapMessage | undefined) => void,
    ): Promise<{ response: CoapMessage; cancel(): void }> {
        const token = this.newToken()
        const get = (observe: number) => {
            const options = [...(parts.options ?? []), uintOption(OptionNumber.Observe, observe)]
            return message(Code.GET, { ...parts, token, options })
        }
        return new Promise((resolve, reject) => {
            let isFirst = true
            this.ask(get(0), {
                next: response => {
                    if (isFirst) resolve({ response, cancel: () => this.deregister(get(1)) })
                    else notified(response)
                    isFirst = false
                    return isNotification(response)
                },
                fail: error => (isFirst ? reject(error) : notified(undefined)),
            })
        })
    }

    addObserver(token: Uint8Array, cancelled: () => void): Notifier {
        const key = keyOf(token)
        this.cancelObserver(token)
        if (this.isClosed) cancelled()
        else this.notifiers.set(key, cancelled)
        return {
            send: response => this.session.send({ ...response, token }),
            end: () => {
                if (this.notifiers.get(key) === cancelled) this.notifiers.delete(key)
            },
        }
    }

    cancelObserver(token: Uint8Array): void {
        const cancelled = this.notifiers.get(keyOf(token))
        this.notifiers.delete(keyOf(token))
        cancelled?.()
    }

    envelopeAccepted(eui: string): void {
        this.unansweredEnvelopes++
        if (!this.isClosed) this.onEnvelope(eui)
    }

    /**
     * Sends Release, so that the peer connects elsewhere (RFC 8323 §5.5), and closes once both ends have their
     * responses.
     */
    release(): void {
        this.session.send(message(Code.Release))
        this.closeWhenIdle()
    }

    /** Closes at once. */
    destroy(): void {
        this.session.destroy()
    }

    private newToken(): Uint8Array {
        let token = this.random(tokenBytes)
        while (this.pending.has(keyOf(token))) token = this.random(tokenBytes)
        return token
    }

    private ask(request: CoapMessage, exchange: Exchange): void {
        const fail = (why: NoResponseError["why"], text: string) => exchange.fail(new NoResponseError(why, text))
        if (this.isClosed || this.releasing) fail("closed", "the connection is closed")
        else if (this.pending.size >= maxPendingRequests) fail("busy", "too many requests wait for this peer")
        else if (!this.session.fits(request)) fail("tooLarge", `the peer takes ${this.maxMessageBytes} bytes`)
        else {
            const key = keyOf(request.token)
            const timer = this.clock.setTimeout(() => {
                this.pending.delete(key)
                fail("late", "no response in time")
                if (this.releasing) this.closeWhenIdle()
            }, responseMs)
            this.pending.set(key, { ...exchange, timer })
            this.session.send(request)
        }
    }

    private deregister(request: CoapMessage): void {
        // This request has the same token, so a notification already on its way counts as its response.
        if (!this.pending.delete(keyOf(request.token))) return
        this.ask(request, { next: () => false, fail: () => {} })
    }

    private received(received: CoapMessage): void {
        if (codeClass(received.code) === 0) void this.answer(received)
        else this.responded(received)
    }

    private async answer(request: CoapMessage): Promise<void> {
        if (this.serving >= maxConcurrentRequests) {
            const options = [uintOption(OptionNumber.MaxAge, 1)]
            this.session.send(message(Code.ServiceUnavailable, { options, token: request.token }))
            this.session.unproductive(request)
            return
        }
        this.serving++
        let response: CoapMessage
        try {
            response = await this.serve(request, this)
        } catch (error) {
            const { message: reason } = error as Error
            this.log.debug({ peer: this.peer, reason }, "a request failed")
            response = message(Code.InternalServerError)
        }
        this.session.send({ ...response, token: request.token })
        // Only a new envelope is productive. Anybody can replay an old one without a key.
        if (this.unansweredEnvelopes > 0) this.unansweredEnvelopes--
        else if (response.code !== Code.Continue) this.session.unproductive(request)
        this.serving--
        if (this.releasing) this.closeWhenIdle()
    }

    private responded(response: CoapMessage): void {
        const key = keyOf(response.token)
        const pending = this.pending.get(key)
        if (!pending) {
            this.session.unproductive(response) // it is late, or nobody sent a request with this token
            return
        }
        this.clock.clearTimeout(pending.timer)
        pending.timer = undefined
        if (!pending.next(response)) this.pending.delete(key)
        if (this.releasing) this.closeWhenIdle()
    }

    /** Sends no further requests, and closes once both ends have their responses. */
    private closeWhenIdle(): void {
        this.releasing = true
        const waits = [...this.pending.values()].some(({ timer }) => timer !== undefined)
        if (this.serving === 0 && !waits) this.session.close()
    }

    private closed(): void {
        this.isClosed = true
        const pending = [...this.pending.values()]
        const notifiers = [...this.notifiers.values()]
        this.pending.clear()
        this.notifiers.clear()
        for (const { fail, timer } of pending) {
            this.clock.clearTimeout(timer)
            fail(new NoResponseError("closed", "the connection closed"))
        }
        for (const cancelled of notifiers) cancelled()
        this.onClose()
    }
}

/** Tells whether more notifications may follow: only after a success with an Observe option, RFC 7641 §3.2. */
function isNotification({ code, options }: CoapMessage): boolean {
    return codeClass(code) === 2 && options.some(({ number }) => number === OptionNumber.Observe)
}

function keyOf(token: Uint8Array): string {
    return Buffer.from(token).toString("hex")
}
