import { elapsedMs, type Clock, type Timer } from "../../host/clock.ts"
import { NoResponseError, responseMs, type RequestParts } from "./connection.ts"
import { encode, header, parse, Type } from "./datagram.ts"
import { Code, codeClass, message, type CoapMessage } from "./message.ts"
import { OptionNumber, uintOption, uintValue } from "./options.ts"
import { ackTimeoutMs, maxRetransmit } from "./udp-peer.ts"

const tokenBytes = 8
/** So that datagrams of 1152 bytes do not have to be fragmented, RFC 7252 §4.6. */
const maxDatagramBytes = 1152
/** Message IDs of acknowledged messages that are remembered, for their duplicates. */
const maxSeen = 32
/** RFC 7641 §3.4. */
const reorderedMs = 128_000
const halfSequence = 2 ** 23

interface Exchange {
    next(response: CoapMessage): boolean
    fail(error: NoResponseError): void
    /** Runs until the first response. */
    timer: Timer
    /** Stops the retransmission. */
    stop(): void
}

/** The client side of CoAP over UDP (RFC 7252 §4) towards one server: one address, one port, one socket. */
export class UdpClient {
    readonly maxMessageBytes = maxDatagramBytes
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly transmit: (bytes: Uint8Array) => void
    private readonly exchanges = new Map<string, Exchange>()
    /** Our confirmable messages without an acknowledgement, by message ID. */
    private readonly outstanding = new Map<number, { stop(): void; reset(): void }>()
    private readonly seen = new Set<number>()
    private lastMessageId: number
    private isClosed = false

    constructor(o: { clock: Clock; random: (bytes: number) => Uint8Array; send: (bytes: Uint8Array) => void }) {
        this.clock = o.clock
        this.random = o.random
        this.transmit = o.send
        const [high, low] = o.random(2)
        this.lastMessageId = (high! << 8) | low!
    }

    /** Sends a request and resolves to its response. Rejects with NoResponseError. */
    request(code: number, parts: RequestParts): Promise<CoapMessage> {
        return new Promise((resolve, reject) => {
            const request = message(code, { ...parts, token: this.random(tokenBytes) })
            this.ask(request, {
                fail: reject,
                next: response => {
                    resolve(response)
                    return false
                },
            })
        })
    }

    /** Observes a resource (RFC 7641 §3), as `CoapConnection.observe`. */
    observe(
        parts: RequestParts,
        notified: (response: CoapMessage | undefined) => void,
    ): Promise<{ response: CoapMessage; cancel(): void }> {
        const token = this.random(tokenBytes)
        const get = (observe: number) => {
            const options = [...(parts.options ?? []), uintOption(OptionNumber.Observe, observe)]
            return message(Code.GET, { ...parts, token, options })
        }
        const cancel = () => {
            if (!this.exchanges.delete(keyOf(token)) || this.isClosed) return
            this.transmit(encode(Type.nonConfirmable, this.newMessageId(), get(1)))
        }
        return new Promise((resolve, reject) => {
            let newest: { sequence: number; at: number } | undefined
            let isFirst = true
            this.ask(get(0), {
                fail: error => (isFirst ? reject(error) : notified(undefined)),
                next: response => {
                    const sequence = uintValue(response.options, OptionNumber.Observe)
                    const at = elapsedMs(this.clock)
                    if (sequence !== undefined && newest && !isNewer(newest, { sequence, at })) return true
                    if (sequence !== undefined) newest = { sequence, at }
                    if (isFirst) resolve({ response, cancel })
                    else notified(response)
                    isFirst = false
                    return codeClass(response.code) === 2 && sequence !== undefined
                },
            })
        })
    }

    /** Handles a datagram of the server. */
    receive(bytes: Uint8Array): void {
        if (this.isClosed || bytes.length < 4 || bytes[0]! >> 6 !== 1) return
        const type = (bytes[0]! >> 4) & 3
        const messageId = (bytes[2]! << 8) | bytes[3]!
        const response = bytes[1] === Code.Empty ? undefined : parse(bytes)
        if (type === Type.acknowledgement || type === Type.reset) {
            const sent = this.outstanding.get(messageId)
            if (!sent) return
            if (type === Type.reset) sent.reset()
            else sent.stop()
            if (type === Type.acknowledgement && response) this.responded(response)
            return
        }
        const isKnown = response !== undefined && (this.seen.has(messageId) || this.responded(response))
        if (!isKnown) {
            // Also the end of an observation that the server still believes in, RFC 7641 §3.6.
            this.transmit(header(Type.reset, Code.Empty, messageId))
            return
        }
        this.remember(messageId)
        if (type === Type.confirmable) this.transmit(header(Type.acknowledgement, Code.Empty, messageId))
    }

    /** Fails what has no response, and ends observations. */
    close(reason: string): void {
        if (this.isClosed) return
        this.isClosed = true
        for (const exchange of [...this.exchanges.values()]) {
            this.clock.clearTimeout(exchange.timer)
            exchange.stop()
            exchange.fail(new NoResponseError("closed", reason))
        }
        this.exchanges.clear()
    }

    private ask(request: CoapMessage, { next, fail }: Pick<Exchange, "next" | "fail">): void {
        const key = keyOf(request.token)
        const messageId = this.newMessageId()
        const bytes = encode(Type.confirmable, messageId, request)
        const failed = (error: NoResponseError) => {
            this.exchanges.delete(key)
            this.clock.clearTimeout(exchange.timer)
            exchange.stop()
            fail(error)
        }
        const exchange: Exchange = {
            ...{ next, fail },
            timer: this.clock.setTimeout(
                () => failed(new NoResponseError("late", "the server does not respond")),
                responseMs,
            ),
            stop: this.confirm(messageId, bytes, () =>
                failed(new NoResponseError("closed", "the server resets the message")),
            ),
        }
        this.exchanges.set(key, exchange)
    }

    /** Sends a confirmable message until it is acknowledged, RFC 7252 §4.2. Returns what stops that. */
    private confirm(messageId: number, bytes: Uint8Array, reset: () => void): () => void {
        let timeoutMs = ackTimeoutMs * (1 + this.random(1)[0]! / 512)
        let timer: Timer
        let retransmissions = 0
        const stop = () => {
            this.clock.clearTimeout(timer)
            this.outstanding.delete(messageId)
        }
        const send = () => {
            this.transmit(bytes)
            timer = this.clock.setTimeout(() => {
                if (retransmissions++ === maxRetransmit) return
                timeoutMs *= 2
                send()
            }, timeoutMs)
        }
        this.outstanding.set(messageId, { stop, reset })
        send()
        return stop
    }

    /** Returns whether somebody waits for this response. */
    private responded(response: CoapMessage): boolean {
        const key = keyOf(response.token)
        const exchange = this.exchanges.get(key)
        if (!exchange || codeClass(response.code) < 2) return false
        // A response also acknowledges its request, RFC 7252 §5.2.2.
        exchange.stop()
        this.clock.clearTimeout(exchange.timer)
        if (!exchange.next(response)) this.exchanges.delete(key)
        return true
    }

    private remember(messageId: number): void {
        if (this.seen.size >= maxSeen) for (const oldest of [...this.seen].slice(0, 1)) this.seen.delete(oldest)
        this.seen.add(messageId)
    }

    private newMessageId(): number {
        this.lastMessageId = (this.lastMessageId + 1) & 0xffff
        return this.lastMessageId
    }
}

/** Whether a notification is newer than the newest so far, RFC 7641 §3.4. */
function isNewer(
    before: { sequence: number; at: number },
    { sequence, at }: { sequence: number; at: number },
): boolean {
    const ahead = (sequence - before.sequence) & 0xffffff
    return (ahead > 0 && ahead < halfSequence) || at > before.at + reorderedMs
}

function keyOf(token: Uint8Array): string {
    return Buffer.from(token).toString("hex")
}
