import type { Clock, Timer } from "../../host/clock.ts"
import type { ByteStream } from "../../host/stream.ts"
import { ACK, FIN, PSH, RST, SYN, type Segment } from "./packets.ts"

const ownWindow = 8192
const ownMss = 1460
const usualMss = 536
/** Frames get lost only where the mote has no buffer for them: what it does not acknowledge is sent again. */
const retransmitMs = 1000
const maxRetransmissions = 8

/** What goes to the mote; ports and addresses are the owner's. */
export type Send = (segment: Omit<Segment, "fromPort" | "toPort">) => void

/**
 * The other end of a mote's TCP connection (RFC 9293), in front of a byte stream: the link loses nothing, so there is no congestion
 * and nothing comes out of order.
 */
export class TcpEnd {
    private readonly clock: Clock
    private readonly send: Send
    private readonly closed: () => void
    private stream: ByteStream | undefined
    private state: "connecting" | "open" | "closed" = "connecting"
    /** Next byte that is expected from the mote. */
    private next: number
    /** First byte that the mote has not acknowledged. */
    private unacknowledged: number
    /** From there on, what is not acknowledged: sent and to be sent. */
    private queue = Buffer.alloc(0)
    private inFlight = 0
    private window: number
    private readonly mss: number
    private hasFinished = false
    private finSent = false
    private timer: Timer | undefined
    private retransmissions = 0

    constructor(clock: Clock, syn: Segment, initialSequence: number, send: Send, closed: () => void) {
        this.clock = clock
        this.send = send
        this.closed = closed
        this.next = (syn.sequence + 1) >>> 0
        this.unacknowledged = initialSequence
        this.window = syn.window
        this.mss = Math.min(syn.mss ?? usualMss, ownMss)
    }

    /** The stream behind is there. */
    open(stream: ByteStream): void {
        if (this.state === "closed") return stream.destroy()
        this.stream = stream
        this.state = "open"
        this.reply(SYN | ACK)
        this.unacknowledged = (this.unacknowledged + 1) >>> 0
        stream.listen({
            data: bytes => {
                this.queue = Buffer.concat([this.queue, bytes])
                this.flush()
            },
            closed: () => {
                this.hasFinished = true
                this.flush()
            },
        })
    }

    /** Nobody is there. */
    refuse(): void {
        if (this.state === "closed") return
        this.reply(RST | ACK)
        this.end()
    }

    receive(segment: Segment): void {
        if (this.state === "closed") return
        if (segment.flags & RST) return this.abort()
        if (segment.flags & SYN) {
            // The mote did not hear the answer.
            if (this.state === "open") this.answerAgain()
            return
        }
        if (this.state !== "open" || !(segment.flags & ACK)) return
        this.acknowledged(segment)
        this.take(segment)
        this.flush()
    }

    /** As when the router loses its power: nobody says goodbye. */
    abort(): void {
        this.stream?.destroy()
        this.end()
    }

    private acknowledged({ acknowledged, window }: Segment): void {
        this.window = window
        const count = (acknowledged - this.unacknowledged) >>> 0
        const outstanding = this.inFlight + (this.finSent ? 1 : 0)
        if (count === 0 || count > outstanding) return
        const bytes = Math.min(count, this.inFlight)
        this.queue = this.queue.subarray(bytes)
        this.inFlight -= bytes
        this.unacknowledged = acknowledged
        this.retransmissions = 0
        this.clock.clearTimeout(this.timer)
        this.timer = undefined
        if (count > bytes) this.end()
    }

    private take({ sequence, payload, flags }: Segment): void {
        if (sequence !== this.next) {
            if (payload.length || flags & FIN) this.reply(ACK)
            return
        }
        if (payload.length) {
            this.next = (this.next + payload.length) >>> 0
            this.stream!.write(Uint8Array.from(payload))
        }
        if (flags & FIN) {
            this.next = (this.next + 1) >>> 0
            this.stream!.end()
            this.hasFinished = true
        }
        if (payload.length || flags & FIN) this.reply(ACK)
    }

    private flush(): void {
        if (this.state !== "open") return
        while (this.inFlight < this.queue.length) {
            const size = Math.min(this.mss, this.queue.length - this.inFlight, this.window - this.inFlight)
            if (size <= 0) break
            this.transmit(this.inFlight, size)
            this.inFlight += size
        }
        if (this.hasFinished && !this.finSent && this.inFlight === this.queue.length) {
            this.finSent = true
            this.reply(FIN | ACK, this.inFlight)
        }
        const isWaiting = this.queue.length > 0 || (this.finSent && this.state === "open")
        if (isWaiting) this.timer ??= this.clock.setTimeout(() => this.retransmit(), retransmitMs)
    }

    private retransmit(): void {
        this.timer = undefined
        if (this.state !== "open") return
        if (++this.retransmissions > maxRetransmissions) return this.abort()
        // From the start again; where the window is shut, one byte asks whether it is open.
        this.inFlight = 0
        this.finSent = false
        if (this.window === 0 && this.queue.length) {
            this.transmit(0, 1)
            this.inFlight = 1
        }
        this.flush()
    }

    private transmit(offset: number, size: number): void {
        const payload = Buffer.from(this.queue.subarray(offset, offset + size))
        this.reply(PSH | ACK, offset, payload)
    }

    private answerAgain(): void {
        this.unacknowledged = (this.unacknowledged - 1) >>> 0
        this.reply(SYN | ACK)
        this.unacknowledged = (this.unacknowledged + 1) >>> 0
    }

    private reply(flags: number, offset = 0, payload = Buffer.alloc(0)): void {
        this.send({
            sequence: (this.unacknowledged + offset) >>> 0,
            acknowledged: this.next,
            flags,
            window: ownWindow,
            payload,
            ...(flags & SYN && { mss: ownMss }),
        })
    }

    private end(): void {
        if (this.state === "closed") return
        this.state = "closed"
        this.clock.clearTimeout(this.timer)
        this.closed()
    }
}
