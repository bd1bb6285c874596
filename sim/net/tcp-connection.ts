import type { ByteStream, StreamReceiver } from "../../host/stream.ts"
import { formatAddress } from "./ipv6.ts"
import { RetransmissionTimeout } from "./retransmission-timeout.ts"
import { Congestion } from "./tcp-congestion.ts"
import { EarlySegments } from "./tcp-early.ts"
import { emit, type Ends, type TcpOptions } from "./tcp-output.ts"
import { Flag, type Segment } from "./tcp-segment.ts"
import { ahead } from "./tcp-sequence.ts"

/**
 * Maximum segment size (RFC 9293 §3.7.1 without the option). An envelope of five readings fits, and it takes at most
 * six 802.15.4 frames, which the link layer retransmits individually.
 */
const defaultMss = 536
const minMss = 64
const receiveWindow = 4096
/** Maximum size of the send buffer; a writer that exceeds it and ignores `backlog` loses the connection. */
const maxBufferBytes = 1 << 20
const maxRetries = 8
const ackDelayMs = 200
const timeWaitMs = 30_000
/** Maximum number of pieces held until a reader is attached. */
const maxUnread = 16

type State =
    "syn-sent" | "syn-received" | "established" | "fin-wait" | "close-wait" | "last-ack" | "time-wait" | "closed"

/** One TCP connection, as a byte stream. */
export class Connection implements ByteStream {
    readonly peer: string
    private readonly options: TcpOptions
    private readonly ends: Ends
    private readonly opened: (stream: ByteStream | undefined) => void
    private readonly gone: () => void
    private state: State = "closed"
    private receiver: StreamReceiver | undefined
    private early: Uint8Array[] = []
    private hasEnded = false

    /** Bytes to send, from the oldest unacknowledged one on. */
    private buffer = new Uint8Array(0)
    private una: number
    private next: number
    private peerWindow = defaultMss
    private finQueued = false
    private finSent = false
    private readonly congestion: Congestion

    private expected = 0
    private readonly waiting = new EarlySegments()
    private ackTimer: unknown
    /** Sequence numbers at which the segments in flight end. */
    private segmentEnds: number[] = []
    private unacked = 0

    private readonly timeout = new RetransmissionTimeout()
    private retries = 0
    private retryTimer: unknown
    /** The round trip being measured: up to this sequence number, since this time. */
    private timed: { upTo: number; sinceMs: number } | undefined

    constructor(options: TcpOptions, ends: Ends, opened: (stream: ByteStream | undefined) => void, gone: () => void) {
        this.options = options
        this.ends = ends
        this.opened = opened
        this.gone = gone
        this.congestion = new Congestion(options.mss ?? defaultMss)
        this.una = this.next = Math.floor(options.random() * 0x1_0000_0000)
        this.peer = `[${formatAddress(ends.destination)}]:${ends.destinationPort}`
    }

    get backlog(): number {
        return this.buffer.length
    }

    // The stream

    write(bytes: Uint8Array): void {
        if (this.finQueued || !this.isOpen()) return
        if (this.buffer.length + bytes.length > maxBufferBytes) return this.destroy()
        const joined = new Uint8Array(this.buffer.length + bytes.length)
        joined.set(this.buffer)
        joined.set(bytes, this.buffer.length)
        this.buffer = joined
        this.push()
    }

    end(): void {
        if (this.finQueued || !this.isOpen()) return
        this.finQueued = true
        this.push()
    }

    destroy(): void {
        if (this.state === "closed") return
        if (this.state !== "time-wait") this.emit(Flag.rst | Flag.ack, this.next)
        this.close()
    }

    listen(receiver: StreamReceiver): void {
        this.receiver = receiver
        for (const bytes of this.early.splice(0)) receiver.data(bytes)
        if (this.hasEnded) receiver.closed()
    }

    // The connection

    /** Starts to open the connection. */
    synchronise(): void {
        this.state = "syn-sent"
        this.emit(Flag.syn, this.una)
        this.next = (this.una + 1) >>> 0
        this.time(this.next)
        this.arm()
    }

    forget(): void {
        const { events } = this.options
        this.state = "closed"
        events.cancel(this.retryTimer)
        events.cancel(this.ackTimer)
        this.gone()
    }

    receive(segment: Segment): void {
        const { flags } = segment
        if (this.state === "closed" || this.state === "syn-sent") {
            return this.handshake(segment)
        }
        const offset = ahead(segment.sequence, this.expected)
        if (flags & Flag.rst) {
            // RFC 5961: only at exactly the expected sequence number.
            if (offset === 0) this.close()
            return
        }
        if (flags & Flag.syn) {
            // The response to a SYN was lost; otherwise RFC 5961 §4.2.
            if (this.state === "syn-received" && offset === -1) return this.resend()
            return this.acknowledge()
        }
        if ((flags & Flag.ack) === 0) return // RFC 9293 §3.10.7.4, fifth
        if (ahead(segment.acknowledgement, this.next) > 0) {
            if (this.state === "syn-received") return this.destroy()
            return this.acknowledge()
        }
        this.acknowledged(segment)
        if (segment.data.length || flags & Flag.fin) this.take(segment)
    }

    private handshake(segment: Segment): void {
        const { flags, sequence, maxSegment, window } = segment
        if (this.state === "closed") {
            this.expected = (sequence + 1) >>> 0
            this.agree(maxSegment, window)
            this.state = "syn-received"
            this.emit(Flag.syn | Flag.ack, this.una)
            this.next = (this.una + 1) >>> 0
            this.time(this.next)
            return this.arm()
        }
        const isForUs = (flags & Flag.ack) !== 0 && segment.acknowledgement === this.next
        if (flags & Flag.rst) {
            if (isForUs) this.close()
            return
        }
        if (!(flags & Flag.syn) || !isForUs) return
        this.expected = (sequence + 1) >>> 0
        this.agree(maxSegment, window)
        this.una = this.next
        this.measured()
        this.establish()
        this.emit(Flag.ack, this.next)
    }

    private agree(maxSegment: number | undefined, window: number): void {
        const { congestion } = this
        if (maxSegment) congestion.mss = Math.max(minMss, Math.min(congestion.mss, maxSegment))
        this.peerWindow = window
    }

    private establish(): void {
        this.state = "established"
        if (this.retries) this.timeout.openedLate()
        this.retries = 0
        this.options.events.cancel(this.retryTimer)
        this.opened(this)
        this.options.events.settle()
    }

    private isOpen(): boolean {
        return this.state === "established" || this.state === "close-wait"
    }

    private acknowledged({ acknowledgement, window, data }: Segment): void {
        const gained = ahead(acknowledgement, this.una)
        if (gained < 0) return
        this.peerWindow = window
        if (gained === 0) {
            const isDuplicate = this.next !== this.una && data.length === 0
            if (isDuplicate && this.congestion.duplicate(this.una, this.next)) this.resend()
            return this.push()
        }
        if (this.state === "syn-received") {
            this.una = (this.una + 1) >>> 0
            this.measured()
            this.establish()
        }
        const bytes = Math.min(ahead(acknowledgement, this.una), this.buffer.length)
        this.buffer = this.buffer.subarray(bytes)
        this.una = acknowledgement
        while (this.segmentEnds.length && ahead(this.segmentEnds[0]!, this.una) <= 0) this.segmentEnds.shift()
        if (this.timed && ahead(acknowledgement, this.timed.upTo) >= 0) this.measured()
        this.retries = 0
        if (this.congestion.acknowledged(acknowledgement, bytes)) this.resend()
        this.arm()
        if (this.finSent && this.una === this.next) this.finished()
        this.push()
    }

    /** The peer has acknowledged our FIN. */
    private finished(): void {
        if (this.state === "last-ack") this.close()
        else if (this.hasEnded) this.linger()
    }

    /** Passes data on in order; early segments wait. */
    private take(segment: Segment): void {
        if (this.state === "closed") return
        const offset = ahead(segment.sequence, this.expected)
        if (offset > 0) {
            if (offset < receiveWindow) this.waiting.keep(segment)
            return this.acknowledge()
        }
        const { data, flags } = segment
        if (!this.receiver && this.early.length >= maxUnread) return // nobody reads yet: later
        const fresh = data.subarray(Math.min(-offset, data.length))
        this.expected = (this.expected + fresh.length) >>> 0
        if (fresh.length) this.deliver(fresh)
        const hasFin = (flags & Flag.fin) !== 0
        const isAtFin = ahead(segment.sequence + data.length, this.expected) === 0
        if (hasFin && isAtFin && !this.hasEnded) {
            this.expected = (this.expected + 1) >>> 0
            this.acknowledge()
            return this.otherEnded()
        }
        if (fresh.length === 0 || ++this.unacked >= 2) this.acknowledge()
        else if (this.ackTimer === undefined)
            this.ackTimer = this.options.events.schedule(() => this.acknowledge(), ackDelayMs)
        const next = this.waiting.take(this.expected)
        if (next) this.take(next)
    }

    private deliver(bytes: Uint8Array): void {
        if (this.receiver) this.receiver.data(bytes)
        else this.early.push(bytes)
        this.options.events.settle()
    }

    private otherEnded(): void {
        this.hasEnded = true
        this.receiver?.closed()
        this.options.events.settle()
        if (this.state === "established" || this.state === "syn-received") {
            this.state = "close-wait"
            // Streams are closed as a whole; half-open ones are not used.
            this.end()
        } else if (this.una === this.next) this.linger()
    }

    private linger(): void {
        this.state = "time-wait"
        this.options.events.cancel(this.retryTimer)
        this.retryTimer = this.options.events.schedule(() => this.close(), timeWaitMs)
    }

    private close(): void {
        const wasOpening = this.state === "syn-sent" || this.state === "syn-received"
        const tells = !this.hasEnded
        this.hasEnded = true
        this.forget()
        if (wasOpening) this.opened(undefined)
        else if (tells) this.receiver?.closed()
        this.options.events.settle()
    }

    // Sending

    /** Sends what the windows allow. */
    private push(): void {
        if (this.state === "syn-sent" || this.state === "syn-received") return
        const { congestion } = this
        for (;;) {
            const sent = ahead(this.next, this.una)
            if (this.finSent) return
            const window = Math.floor(Math.min(this.peerWindow, congestion.window))
            const left = Math.min(congestion.mss, this.buffer.length - sent)
            const size = Math.min(left, window - sent)
            // A partial segment waits for a larger window (RFC 9293 §3.8.6.2.1).
            if (size > 0 && (size === left || sent === 0)) {
                const data = this.buffer.slice(sent, sent + size)
                this.emit(Flag.ack | Flag.psh, this.next, data)
                this.next = (this.next + size) >>> 0
                this.segmentEnds.push(this.next)
                this.time(this.next)
                this.arm()
                continue
            }
            if (this.finQueued && sent === this.buffer.length) this.sendFin()
            else if (this.buffer.length && sent === 0) this.arm() // probe the closed window
            return
        }
    }

    private sendFin(): void {
        this.finSent = true
        this.state = this.state === "close-wait" ? "last-ack" : "fin-wait"
        this.emit(Flag.fin | Flag.ack, this.next)
        this.next = (this.next + 1) >>> 0
        this.arm()
    }

    /** Retransmits the oldest segment. */
    private resend(): void {
        this.timed = undefined // RFC 6298 §3: which of the two is acknowledged is unknown
        if (this.state === "syn-sent") return this.emit(Flag.syn, this.una)
        if (this.state === "syn-received") return this.emit(Flag.syn | Flag.ack, this.una)
        // Keep the original segment boundaries: the same bytes are a retransmission, other bytes at the same place look
        // like an error.
        const [end] = this.segmentEnds
        const whole = end === undefined ? this.congestion.mss : ahead(end, this.una)
        const size = Math.min(whole, this.buffer.length)
        if (size === 0 && this.finSent) this.emit(Flag.fin | Flag.ack, this.una)
        else this.emit(Flag.ack | Flag.psh, this.una, this.buffer.slice(0, size || 0))
        if (ahead(this.next, this.una) < size) {
            this.next = (this.una + size) >>> 0
            this.segmentEnds.push(this.next)
        }
    }

    /** (Re)starts the retransmission timer while there is unacknowledged data. */
    private arm(): void {
        const { events } = this.options
        events.cancel(this.retryTimer)
        if (this.una === this.next && this.buffer.length === 0) return
        this.retryTimer = events.schedule(() => this.expired(), this.timeout.ms)
    }

    private expired(): void {
        if (++this.retries > maxRetries) return this.close()
        this.congestion.expired(this.una, this.next, this.retries === 1)
        this.timeout.expired()
        this.resend()
        this.arm()
    }

    private time(upTo: number): void {
        this.timed ??= { upTo, sinceMs: this.options.events.now() }
    }

    private measured(): void {
        if (!this.timed) return
        this.timeout.measured(this.options.events.now() - this.timed.sinceMs)
        this.timed = undefined
    }

    private acknowledge(): void {
        this.emit(Flag.ack, this.next)
    }

    private emit(flags: number, sequence: number, data = new Uint8Array(0)): void {
        if (flags & Flag.ack) {
            this.options.events.cancel(this.ackTimer)
            this.ackTimer = undefined
            this.unacked = 0
        }
        emit(this.options, this.ends, {
            sequence,
            acknowledgement: flags & Flag.ack ? this.expected : 0,
            flags,
            window: receiveWindow,
            ...(flags & Flag.syn ? { maxSegment: this.congestion.mss } : {}),
            data,
        })
    }
}
