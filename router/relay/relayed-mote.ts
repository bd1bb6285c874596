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

/*
 * What strangers may cost a mote: a burst, and from then on a request every ten seconds, which is as often as a mote
 * reports by itself.
 */
export const burstRequests = 16
export const msPerRequest = 10_000
/** Requests that wait for the one before; a mote is asked one thing at a time (NSTART, RFC 7252 §4.7). */
export const maxQueued = 8
/** Answers that are kept for who asks the same. */
const maxCached = 16
/** Resources of one mote that are observed at a time. */
const maxObservations = 2
/** RFC 7252 §5.10.5 */
const defaultMaxAgeS = 60

/** Options of a mote's response that are passed on. */
const passedOn: number[] = [
    OptionNumber.ETag,
    OptionNumber.Observe,
    OptionNumber.ContentFormat,
    OptionNumber.MaxAge,
    OptionNumber.Size1,
]

/** An observation, and the answer that says whether it is one. */
interface Registration {
    first: Promise<CoapMessage>
    observation: Observation
    /** Whose request made it. */
    address: string
}

interface Cached {
    response: CoapMessage
    at: number
    maxAgeS: number
}

/** A mote on its connection, as clients may use it: nobody learns more than its answers, nobody can wear it out. */
export class RelayedMote {
    private readonly clock: Clock
    private readonly connection: CoapConnection
    private readonly cache = new Map<string, Cached>()
    /** GET requests that are under way. */
    private readonly asking = new Map<string, Promise<CoapMessage>>()
    private readonly registrations = new Map<string, Registration>()
    private readonly allowance: Allowance
    private queued = 0
    private last: Promise<unknown> = Promise.resolve()

    constructor(clock: Clock, connection: CoapConnection) {
        this.clock = clock
        this.connection = connection
        this.allowance = new Allowance(clock)
    }

    /** Asks the mote, or what it answered the same question a moment ago. Never rejects. */
    async request(code: number, parts: RequestParts): Promise<CoapMessage> {
        const ask = () => this.take(() => this.connection.request(code, parts))
        if (code !== Code.GET) {
            const response = await settled(ask())
            this.cache.clear() // RFC 7252 §5.9.1: what it said before may no longer be so
            return response
        }
        const key = keyOf(parts)
        const cached = this.cached(key)
        if (cached) return cached
        const asking = this.asking.get(key)
        if (asking) return await asking
        const answer = settled(ask())
        this.asking.set(key, answer)
        const response = await answer
        this.asking.delete(key)
        this.keep(key, response)
        return response
    }

    /** Registers an observer, where the mote lets its resource be observed; its first response. Never rejects. */
    async observe(parts: RequestParts, observer: Observer): Promise<CoapMessage> {
        const key = keyOf(parts)
        let registration = this.registrations.get(key)
        if (!registration) {
            const address = addressOf(observer.requester.peer)
            // Nobody takes all of them, by a query that the mote does not look at.
            const isTaken = [...this.registrations.values()].some(other => other.address === address)
            if (isTaken || this.registrations.size >= maxObservations) return await this.request(Code.GET, parts)
            registration = this.register(key, parts, address)
        }
        const first = await registration.first
        if (isObserved(first)) return registration.observation.join(observer, unnumbered(first))
        return first
    }

    /** The mote is gone: so is everything that was observed. */
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
            const response = notification && passable(notification)
            if (response) this.keep(key, unnumbered(response))
            if (response && isObserved(response)) observation.notify(unnumbered(response))
            else {
                over()
                observation.end(response)
            }
        }
        const asked = this.take(async () => {
            const { response, cancel: deregister } = await this.connection.observe(parts, notified)
            cancel = deregister
            return response
        })
        const first = settled(asked).then(response => {
            this.keep(key, unnumbered(response))
            if (!isObserved(response)) over()
            return response
        })
        const registration = { first, observation, address }
        this.registrations.set(key, registration)
        return registration
    }

    /** One at a time, and no more than the mote can spare. */
    private async take(ask: () => Promise<CoapMessage>): Promise<CoapMessage> {
        if (this.queued >= maxQueued) return problem(Code.ServiceUnavailable, "the mote is busy")
        const waitMs = this.allowance.take()
        if (waitMs > 0)
            return problem(Code.TooManyRequests, "more than this mote can spare", [
                uintOption(OptionNumber.MaxAge, Math.ceil(waitMs / 1000)),
            ])
        this.queued++
        const asked = this.last.then(ask)
        this.last = asked.catch(() => {})
        try {
            return await asked
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

/** Requests that a mote can spare: they come back with time. */
class Allowance {
    private readonly clock: Clock
    private requests = burstRequests
    private since: number

    constructor(clock: Clock) {
        this.clock = clock
        this.since = clock.now()
    }

    /** Takes one: 0, or after how many milliseconds there is one. */
    take(): number {
        const now = this.clock.now()
        // The time of day may step.
        const more = Math.max(0, now - this.since) / msPerRequest
        this.since = now
        this.requests = Math.min(burstRequests, this.requests + more)
        if (this.requests < 1) return (1 - this.requests) * msPerRequest
        this.requests--
        return 0
    }
}

/** RFC 7252 §5.7.1: why the mote did not answer, as a gateway says it. */
async function settled(asked: Promise<CoapMessage>): Promise<CoapMessage> {
    try {
        return passable(await asked)
    } catch (error) {
        if (!(error instanceof NoResponseError)) throw error
        switch (error.why) {
            case "late":
                return problem(Code.GatewayTimeout, "the mote does not answer")
            case "tooLarge":
                return problem(Code.RequestEntityTooLarge, "more than the mote takes")
            case "closed":
                return problem(Code.ServiceUnavailable, "the mote is gone")
            case "busy":
                return problem(Code.ServiceUnavailable, "the mote is busy")
        }
    }
}

/**
 * A mote's response with what may be passed on; 5.02 for one that cannot be understood (RFC 7252 §5.4.1). Elective options
 * that are malformed or repeated are left out (§5.4.3, §5.4.5).
 */
function passable(response: CoapMessage): CoapMessage {
    const { options } = response
    const isStrange = options.some(
        ({ number, value }) => isCritical(number) && !(number === OptionNumber.Block2 && isLast(value)),
    )
    const valid = options.filter(
        (option, i) =>
            hasValidLength(option) && (option.number === OptionNumber.ETag || options[i - 1]?.number !== option.number),
    )
    if (isStrange || codeClass(response.code) < 2) return problem(Code.BadGateway, "the mote's answer is malformed")
    return { ...response, options: valid.filter(({ number }) => passedOn.includes(number)) }
}

/** The only block, that is: we take more than a mote can send at once. */
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
