import type { Clock } from "../../host/clock.ts"
import { CoapConnection, NoResponseError, type RequestParts } from "../coap/connection.ts"
import { problem } from "../coap/dispatch.ts"
import { codeClass, Code, type CoapMessage } from "../coap/message.ts"
import {
    encodeOptionsAndPayload,
    hasValidLength,
    isCritical,
    OptionNumber,
    uintOption,
    uintValue,
} from "../coap/options.ts"
import { addressOf } from "../address.ts"
import { Observation, type Observer } from "./observation.ts"

/** The number of requests that a mote receives in a burst. */
export const burstRequests = 16
/** The interval of further requests, which is also the interval at which a mote reports by itself. */
export const msPerRequest = 10_000
/** The maximum number of requests in the queue. A mote receives one request at a time (NSTART, RFC 7252 §4.7). */
export const maxQueued = 8
/** The maximum number of cached responses. */
const maxCached = 16
/** The maximum number of observed resources of one mote. */
const maxObservations = 2
/** The default Max-Age, RFC 7252 §5.10.5. */
const defaultMaxAgeS = 60

/** The options of a mote's response that are forwarded. */
const passedOn: number[] = [
    OptionNumber.ETag,
    OptionNumber.Observe,
    OptionNumber.ContentFormat,
    OptionNumber.MaxAge,
    OptionNumber.Size1,
]

/** A registration at the mote. */
interface Registration {
    /** The first response. It has no Observe option if the mote did not accept the registration. */
    first: Promise<CoapMessage>
    observation: Observation
    /** The address of the client whose request caused it. */
    address: string
}

interface Cached {
    response: CoapMessage
    at: number
    maxAgeS: number
}

/**
 * A connected mote for clients' requests. A queue, a cache and a rate limit protect it, and only safe options are
 * forwarded.
 */
export class RelayedMote {
    private readonly clock: Clock
    private readonly connection: CoapConnection
    private readonly cache = new Map<string, Cached>()
    /** GET requests in progress, so that equal requests share one response. */
    private readonly pending = new Map<string, Promise<CoapMessage>>()
    private readonly registrations = new Map<string, Registration>()
    private readonly allowance: Allowance
    private queued = 0
    private last: Promise<unknown> = Promise.resolve()

    constructor(clock: Clock, connection: CoapConnection) {
        this.clock = clock
        this.connection = connection
        this.allowance = new Allowance(clock)
    }

    /** Sends a request to the mote, or answers a GET request from the cache. Never rejects. */
    async request(code: number, parts: RequestParts): Promise<CoapMessage> {
        const send = () => this.enqueue(() => this.connection.request(code, parts))
        if (code !== Code.GET) {
            const response = await responseOrError(send())
            this.cache.clear() // cached responses may be stale now, RFC 7252 §5.9.1
            return response
        }
        const key = keyOf(parts)
        const cached = this.cached(key)
        if (cached) return cached
        const pending = this.pending.get(key)
        if (pending) return await pending
        const sent = responseOrError(send())
        this.pending.set(key, sent)
        const response = await sent
        this.pending.delete(key)
        this.keep(key, response)
        return response
    }

    /** Registers an observer if the mote allows it, and returns the first response. Never rejects. */
    async observe(parts: RequestParts, observer: Observer): Promise<CoapMessage> {
        const key = keyOf(parts)
        let registration = this.registrations.get(key)
        if (!registration) {
            const address = addressOf(observer.requester.peer)
            // One client cannot take all registrations, for example by adding a query that the mote ignores.
            const isTaken = [...this.registrations.values()].some(other => other.address === address)
            if (isTaken || this.registrations.size >= maxObservations) return await this.request(Code.GET, parts)
            registration = this.register(key, parts, address)
        }
        const first = await registration.first
        if (isObserved(first)) return registration.observation.join(observer, unnumbered(first))
        return first
    }

    /** Ends all observations, because the mote has disconnected. */
    close(): void {
        for (const { observation } of this.registrations.values()) observation.end()
        this.registrations.clear()
    }

    private register(key: string, parts: RequestParts, address: string): Registration {
        let cancel = () => {}
        const over = () => {
            if (this.registrations.get(key) === registration) this.registrations.delete(key)
        }
        const observation = new Observation(() => {
            over()
            cancel()
        })
        const notified = (notification: CoapMessage | undefined) => {
            const response = notification && forwardable(notification)
            if (response) this.keep(key, unnumbered(response))
            if (response && isObserved(response)) observation.notify(unnumbered(response))
            else {
                over()
                observation.end(response)
            }
        }
        const sent = this.enqueue(async () => {
            const { response, cancel: deregister } = await this.connection.observe(parts, notified)
            cancel = deregister
            return response
        })
        const first = responseOrError(sent).then(response => {
            this.keep(key, unnumbered(response))
            if (!isObserved(response)) over()
            return response
        })
        const registration = { first, observation, address }
        this.registrations.set(key, registration)
        return registration
    }

    /**
     * Sends a request after the queued ones. Responds with an error if the queue is full or the rate limit is reached.
     */
    private async enqueue(send: () => Promise<CoapMessage>): Promise<CoapMessage> {
        if (this.queued >= maxQueued) return problem(Code.ServiceUnavailable, "the mote is busy")
        const waitMs = this.allowance.take()
        if (waitMs > 0)
            return problem(Code.TooManyRequests, "rate limit of this mote reached", [
                uintOption(OptionNumber.MaxAge, Math.ceil(waitMs / 1000)),
            ])
        this.queued++
        const sent = this.last.then(send)
        this.last = sent.catch(() => {})
        try {
            return await sent
        } finally {
            this.queued--
        }
    }

    private cached(key: string): CoapMessage | undefined {
        const entry = this.cache.get(key)
        if (!entry) return undefined
        const ageS = Math.floor((this.clock.now() - entry.at) / 1000)
        if (ageS < 0 || ageS >= entry.maxAgeS) return undefined
        const options = entry.response.options.filter(o => o.number !== OptionNumber.MaxAge)
        const maxAge = uintOption(OptionNumber.MaxAge, entry.maxAgeS - ageS)
        return { ...entry.response, options: [...options, maxAge] }
    }

    private keep(key: string, response: CoapMessage): void {
        this.cache.delete(key)
        if (response.code !== Code.Content) return
        const maxAgeS = uintValue(response.options, OptionNumber.MaxAge) ?? defaultMaxAgeS
        const [oldest] = this.cache.keys()
        if (oldest !== undefined && this.cache.size >= maxCached) this.cache.delete(oldest)
        this.cache.set(key, { response, at: this.clock.now(), maxAgeS })
    }
}

/** A token bucket for requests to one mote. */
class Allowance {
    private readonly clock: Clock
    private requests = burstRequests
    private since: number

    constructor(clock: Clock) {
        this.clock = clock
        this.since = clock.now()
    }

    /** Takes one token and returns 0, or returns the number of milliseconds until there is one. */
    take(): number {
        const now = this.clock.now()
        // The time of day may step back.
        const more = Math.max(0, now - this.since) / msPerRequest
        this.since = now
        this.requests = Math.min(burstRequests, this.requests + more)
        if (this.requests < 1) return (1 - this.requests) * msPerRequest
        this.requests--
        return 0
    }
}

/** Returns the response to forward, or the error response of a proxy if the mote did not respond, RFC 7252 §5.7.1. */
async function responseOrError(sent: Promise<CoapMessage>): Promise<CoapMessage> {
    try {
        return forwardable(await sent)
    } catch (error) {
        if (!(error instanceof NoResponseError)) throw error
        switch (error.why) {
            case "late":
                return problem(Code.GatewayTimeout, "the mote does not respond")
            case "tooLarge":
                return problem(Code.RequestEntityTooLarge, "too large for the mote")
            case "closed":
                return problem(Code.ServiceUnavailable, "the mote has disconnected")
            case "busy":
                return problem(Code.ServiceUnavailable, "the mote is busy")
        }
    }
}

/**
 * Returns a mote's response with only the options that are forwarded, or 5.02 if it has an unknown critical option (RFC
 * 7252 §5.4.1). Malformed and repeated elective options are dropped (§5.4.3, §5.4.5).
 */
function forwardable(response: CoapMessage): CoapMessage {
    const { options } = response
    const isStrange = options.some(
        ({ number, value }) => isCritical(number) && !(number === OptionNumber.Block2 && isLast(value)),
    )
    const valid = options.filter(
        (option, i) =>
            hasValidLength(option) && (option.number === OptionNumber.ETag || options[i - 1]?.number !== option.number),
    )
    if (isStrange || codeClass(response.code) < 2) return problem(Code.BadGateway, "the mote's response is malformed")
    return { ...response, options: valid.filter(({ number }) => passedOn.includes(number)) }
}

/** Tells whether a Block2 value denotes the only block. The router accepts any message that a mote can send at once. */
function isLast(blockValue: Uint8Array): boolean {
    return blockValue.length <= 1 && ((blockValue[0] ?? 0) & 0xf8) === 0
}

function isObserved({ code, options }: CoapMessage): boolean {
    return codeClass(code) === 2 && options.some(({ number }) => number === OptionNumber.Observe)
}

function unnumbered(response: CoapMessage): CoapMessage {
    const options = response.options.filter(({ number }) => number !== OptionNumber.Observe)
    return { ...response, options }
}

function keyOf({ options = [] }: RequestParts): string {
    return Buffer.from(encodeOptionsAndPayload(options, new Uint8Array(0))).toString("hex")
}
