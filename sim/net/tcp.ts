import type { ByteStream, StreamReceiver } from "../../host/stream.ts"
import type { Events } from "../events.ts"
import { defaultHopLimit } from "./node.ts"
import { formatAddress, NextHeader, type Ipv6Address, type Ipv6Packet } from "./ipv6.ts"
import { decodeSegment, encodeSegment, Flag, type Segment } from "./tcp-segment.ts"

/*
 * TCP (RFC 9293) for paths of several lossy hops: small segments, retransmission by RFC 6298, congestion control by
 * RFC 5681, delayed acknowledgements. No options but the maximum segment size, no urgent data.
 */

/** Data of a segment: with headers three 802.15.4 frames, so that one lost frame costs little. */
const defaultMss = 240
const receiveWindow = 4096
const initialRtoMs = 3000
const minRtoMs = 1000
const maxRtoMs = 60_000
const maxRetries = 8
const ackDelayMs = 200
const timeWaitMs = 30_000
const maxOutOfOrder = 16
const firstEphemeral = 49_152

type State =
    | "syn-sent"
    | "syn-received"
    | "established"
    | "fin-wait"
    | "close-wait"
    | "last-ack"
    | "time-wait"
    | "closed"

export interface TcpOptions {
    events: Events
    random: () => number
    send: (packet: Ipv6Packet) => void
    mss?: number
}

/** The TCP of one host. */
export class Tcp {
    readonly options: TcpOptions
    private readonly listeners = new Map<number, (stream: ByteStream) => void>()
    private readonly connections = new Map<string, Connection>()
    private nextPort: number

    constructor(options: TcpOptions) {
        this.options = options
        this.nextPort = firstEphemeral + Math.floor(options.random() * 16_000)
    }

    /** Accepts connections to a port. */
    listen(port: number, accept: (stream: ByteStream) => void): void {
        this.listeners.set(port, accept)
    }

    /** Opens a connection; rejects when nobody answers, or with a reset. */
    connect(source: Ipv6Address, destination: Ipv6Address, port: number): Promise<ByteStream> {
        const sourcePort = this.nextPort
        this.nextPort = sourcePort >= 65_535 ? firstEphemeral : sourcePort + 1
        return new Promise((resolve, reject) => {
            const ends = { source, destination, sourcePort, destinationPort: port }
            const connection = this.open(ends, stream =>
                stream ? resolve(stream) : reject(new Error("no connection")),
            )
            connection.synchronise()
        })
    }

    /** A packet with a segment in it. @throws PacketError */
    receive(packet: Ipv6Packet): void {
        const { source, destination, payload } = packet
        const segment = decodeSegment(payload, source, destination)
        const ends = {
            source: destination,
            destination: source,
            sourcePort: segment.destinationPort,
            destinationPort: segment.sourcePort,
        }
        const connection = this.connections.get(keyOf(ends))
        if (connection) return connection.receive(segment)
        const accept = this.listeners.get(segment.destinationPort)
        const isFirst = (segment.flags & (Flag.syn | Flag.ack | Flag.rst)) === Flag.syn
        if (accept && isFirst) this.open(ends, stream => stream && accept(stream)).receive(segment)
        else if (!(segment.flags & Flag.rst)) this.refuse(ends, segment)
    }

    /** The power is gone: nothing more is sent, nobody is told. */
    stop(): void {
        for (const connection of this.connections.values()) connection.forget()
        this.connections.clear()
        this.listeners.clear()
    }

    private open(ends: Ends, opened: (stream: ByteStream | undefined) => void): Connection {
        const key = keyOf(ends)
        const connection = new Connection(this.options, ends, opened, () =>
            this.connections.delete(key),
        )
        this.connections.set(key, connection)
        return connection
    }

    /** RFC 9293 §3.10.7.1: a segment that belongs to nothing is answered with a reset. */
    private refuse(ends: Ends, { flags, sequence, acknowledgement, data }: Segment): void {
        const hasAck = (flags & Flag.ack) !== 0
        const length = data.length + (flags & Flag.syn ? 1 : 0) + (flags & Flag.fin ? 1 : 0)
        emit(this.options, ends, {
            sequence: hasAck ? acknowledgement : 0,
            acknowledgement: hasAck ? 0 : (sequence + length) >>> 0,
            flags: hasAck ? Flag.rst : Flag.rst | Flag.ack,
            window: 0,
            data: new Uint8Array(0),
        })
    }
}

interface Ends {
    source: Ipv6Address
    destination: Ipv6Address
    sourcePort: number
    destinationPort: number
}

function keyOf({ destination, sourcePort, destinationPort }: Ends): string {
    return `${Buffer.from(destination).toString("latin1")} ${destinationPort} ${sourcePort}`
}

function emit(
    { send }: TcpOptions,
    ends: Ends,
    segment: Omit<Segment, "sourcePort" | "destinationPort">,
): void {
    const { source, destination } = ends
    const payload = encodeSegment({ ...segment, ...ends }, source, destination)
    send({
        hopLimit: defaultHopLimit,
        source,
        destination,
        protocol: NextHeader.tcp,
        payload,
    })
}

/** Difference of two sequence numbers. */
function ahead(a: number, b: number): number {
    return (a - b) | 0
}

class Connection implements ByteStream {
    readonly peer: string
    private readonly options: TcpOptions
    private readonly ends: Ends
    private readonly opened: (stream: ByteStream | undefined) => void
    private readonly gone: () => void
    private state: State = "closed"
    private receiver: StreamReceiver | undefined
    private early: Uint8Array[] = []
    private hasEnded = false

    /** What is to be sent, from the oldest byte without acknowledgement on. */
    private buffer = new Uint8Array(0)
    private una: number
    private next: number
    private peerWindow = defaultMss
    private mss: number
    private finQueued = false
    private finSent = false
    private congestion: number
    private threshold = 65_535
    private duplicates = 0

    private expected = 0
    private readonly outOfOrder: Segment[] = []
    private ackTimer: unknown
    private unacked = 0

    private smoothedMs: number | undefined
    private variationMs = 0
    private rtoMs = initialRtoMs
    private retries = 0
    private retryTimer: unknown
    /** The round trip that is being measured: up to this number, since then. */
    private timed: { upTo: number; sinceMs: number } | undefined

    constructor(
        options: TcpOptions,
        ends: Ends,
        opened: (stream: ByteStream | undefined) => void,
        gone: () => void,
    ) {
        this.options = options
        this.ends = ends
        this.opened = opened
        this.gone = gone
        this.mss = options.mss ?? defaultMss
        this.congestion = 3 * this.mss
        this.una = this.next = Math.floor(options.random() * 0x1_0000_0000)
        this.peer = `[${formatAddress(ends.destination)}]:${ends.destinationPort}`
    }

    get backlog(): number {
        return this.buffer.length
    }

    // The stream

    write(bytes: Uint8Array): void {
        if (this.finQueued || !this.isOpen()) return
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

    /** Begins to open it. */
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
            // RFC 5961: only at the very place that is expected.
            if (offset === 0) this.close()
            return
        }
        if (flags & Flag.syn) return this.acknowledge()
        if (flags & Flag.ack) this.acknowledged(segment)
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
        if (maxSegment) this.mss = Math.max(64, Math.min(this.mss, maxSegment))
        this.peerWindow = window
    }

    private establish(): void {
        this.state = "established"
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
        if (gained < 0 || ahead(acknowledgement, this.next) > 0) return
        this.peerWindow = window
        if (gained === 0) {
            const isDuplicate = this.next !== this.una && data.length === 0
            if (isDuplicate && ++this.duplicates === 3) this.fastRetransmit()
            return this.push()
        }
        this.duplicates = 0
        if (this.state === "syn-received") {
            this.una = (this.una + 1) >>> 0
            this.measured()
            this.establish()
        }
        const bytes = Math.min(ahead(acknowledgement, this.una), this.buffer.length)
        this.buffer = this.buffer.subarray(bytes)
        this.una = acknowledgement
        if (this.timed && ahead(acknowledgement, this.timed.upTo) >= 0) this.measured()
        this.retries = 0
        this.congestion +=
            this.congestion < this.threshold
                ? Math.min(bytes, this.mss)
                : Math.max(1, (this.mss * this.mss) / this.congestion)
        this.arm()
        if (this.finSent && this.una === this.next) this.finished()
        this.push()
    }

    /** Our end is closed at the other side, too. */
    private finished(): void {
        if (this.state === "last-ack") this.close()
        else if (this.hasEnded) this.linger()
    }

    /** Data in order go up, those that come early wait. */
    private take(segment: Segment): void {
        if (this.state === "closed") return
        const offset = ahead(segment.sequence, this.expected)
        if (offset > 0) {
            if (this.outOfOrder.length < maxOutOfOrder && offset < receiveWindow)
                this.outOfOrder.push(segment)
            return this.acknowledge()
        }
        const { data, flags } = segment
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
        this.takeWaiting()
    }

    private takeWaiting(): void {
        const at = this.outOfOrder.findIndex(({ sequence }) => ahead(sequence, this.expected) <= 0)
        if (at < 0 || this.state === "closed") return
        const [segment] = this.outOfOrder.splice(at, 1)
        this.take(segment!)
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
            // Streams here are closed as a whole: nobody goes on to send into a half.
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
        for (;;) {
            const sent = ahead(this.next, this.una)
            if (this.finSent) return
            const window = Math.min(this.peerWindow, this.congestion)
            const size = Math.min(this.mss, this.buffer.length - sent, window - sent)
            if (size > 0) {
                const data = this.buffer.slice(sent, sent + size)
                this.emit(Flag.ack | Flag.psh, this.next, data)
                this.next = (this.next + size) >>> 0
                this.time(this.next)
                this.arm()
                continue
            }
            if (this.finQueued && sent === this.buffer.length) this.sendFin()
            else if (this.buffer.length && sent === 0) this.arm() // a closed window is asked again
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

    private fastRetransmit(): void {
        this.halve()
        this.congestion = this.threshold
        this.resend()
    }

    private halve(): void {
        this.threshold = Math.max(ahead(this.next, this.una) / 2, 2 * this.mss)
    }

    /** The oldest segment again. */
    private resend(): void {
        this.timed = undefined // RFC 6298 §3: nobody knows which of the two is answered
        if (this.state === "syn-sent") return this.emit(Flag.syn, this.una)
        if (this.state === "syn-received") return this.emit(Flag.syn | Flag.ack, this.una)
        const size = Math.min(this.mss, this.buffer.length)
        if (size === 0 && this.finSent) this.emit(Flag.fin | Flag.ack, this.una)
        else this.emit(Flag.ack | Flag.psh, this.una, this.buffer.slice(0, size || 0))
        if (ahead(this.next, this.una) < size) this.next = (this.una + size) >>> 0
    }

    /** (Re)starts the retransmission timer while something is under way. */
    private arm(): void {
        const { events } = this.options
        events.cancel(this.retryTimer)
        if (this.una === this.next && this.buffer.length === 0) return
        this.retryTimer = events.schedule(() => this.expired(), this.rtoMs)
    }

    private expired(): void {
        if (++this.retries > maxRetries) return this.close()
        this.halve()
        this.congestion = this.mss
        this.duplicates = 0
        this.rtoMs = Math.min(maxRtoMs, 2 * this.rtoMs)
        this.resend()
        this.arm()
    }

    private time(upTo: number): void {
        this.timed ??= { upTo, sinceMs: this.options.events.now() }
    }

    /** RFC 6298 §2 */
    private measured(): void {
        if (!this.timed) return
        const ms = this.options.events.now() - this.timed.sinceMs
        this.timed = undefined
        if (this.smoothedMs === undefined) {
            this.smoothedMs = ms
            this.variationMs = ms / 2
        } else {
            this.variationMs += (Math.abs(ms - this.smoothedMs) - this.variationMs) / 4
            this.smoothedMs += (ms - this.smoothedMs) / 8
        }
        const rto = this.smoothedMs + 4 * this.variationMs
        this.rtoMs = Math.max(minRtoMs, Math.min(maxRtoMs, rto))
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
            ...(flags & Flag.syn ? { maxSegment: this.mss } : {}),
            data,
        })
    }
}
