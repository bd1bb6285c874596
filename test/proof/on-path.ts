import type { ByteStream, StreamReceiver } from "../../host/stream.ts"
import { encodeFrame, FrameReader } from "../../router/coap/frame.ts"
import { Code, codeClass, message, type CoapMessage } from "../../router/coap/message.ts"
import { OptionNumber, uintOption } from "../../router/coap/options.ts"
import { pipe } from "../../sim/time/pipe.ts"
import type { VirtualClock } from "../../sim/time/clock.ts"

/** What somebody on the path does to one message, and to the bytes around it. */
export const deeds = [
    "pass",
    "drop",
    "delay",
    "duplicate",
    "reorder",
    "flip",
    "truncate",
    "splice",
    "replay receipt",
    "forge receipt",
    "answer empty",
    "answer refused",
    "answer busy",
    "replay configuration",
    "forge configuration",
    "replay command",
    "cut",
] as const
export type Deed = (typeof deeds)[number]

const responses: Partial<Record<Deed, number>> = {
    "answer empty": Code.Changed,
    "answer refused": Code.Forbidden,
    "answer busy": Code.ServiceUnavailable,
}

/** One who sees everything and can do everything to what is on the wire, but has no key. */
export class Attacker {
    /** As long as false, all passes. */
    isActive = true
    readonly receipts: Uint8Array[] = []
    readonly envelopes: Uint8Array[] = []
    readonly configurations: CoapMessage[] = []
    readonly commands: CoapMessage[] = []
    private readonly clock: VirtualClock
    private readonly next: () => { deed: Deed; number: number }

    /** @param next what to do to the next message, and a number for whatever that needs */
    constructor(clock: VirtualClock, next: () => { deed: Deed; number: number }) {
        this.clock = clock
        this.next = next
    }

    /** The connection of a mote, through the attacker, to `router`. */
    between(router: ByteStream): ByteStream {
        const [near, inner] = pipe(this.clock, 5)
        new Direction(this, this.clock, this.next, inner, router, inner)
        new Direction(this, this.clock, this.next, router, inner, inner)
        return near
    }

    /** Offers all envelopes seen so far on a connection of one's own. */
    replayTo(router: ByteStream): void {
        router.listen({ data: () => {}, closed: () => {} })
        router.write(encodeFrame(message(Code.CSM)))
        for (const [i, payload] of this.envelopes.entries()) {
            const options = [
                { number: OptionNumber.UriPath, value: Buffer.from(i % 2 ? "vitals" : "alarms") },
                uintOption(OptionNumber.ContentFormat, 17),
            ]
            router.write(encodeFrame(message(Code.POST, { token: Uint8Array.of(i & 255), options, payload })))
        }
    }

    /** Remembers what may be of use later. */
    note(seen: CoapMessage, isFromMote: boolean): void {
        const copy = { ...seen, payload: Uint8Array.from(seen.payload) }
        if (isFromMote && seen.code === Code.POST) this.envelopes.push(copy.payload)
        else if (seen.code === Code.PUT) this.configurations.push(copy)
        else if (seen.code === Code.POST || seen.code === Code.DELETE) this.commands.push(copy)
        else if (seen.code === Code.Changed && seen.payload.length > 20) this.receipts.push(copy.payload)
    }
}

/** What goes one way through the attacker's hands. */
class Direction implements StreamReceiver {
    private readonly attacker: Attacker
    private readonly clock: VirtualClock
    private readonly next: () => { deed: Deed; number: number }
    private readonly from: ByteStream
    private readonly to: ByteStream
    /** The end that leads to the mote. */
    private readonly mote: ByteStream
    private readonly reader = new FrameReader(1 << 16)
    private held: Uint8Array[] = []
    private isOver = false
    private last: Uint8Array = new Uint8Array()

    constructor(
        attacker: Attacker,
        clock: VirtualClock,
        next: () => { deed: Deed; number: number },
        from: ByteStream,
        to: ByteStream,
        mote: ByteStream,
    ) {
        this.attacker = attacker
        this.clock = clock
        this.next = next
        this.from = from
        this.to = to
        this.mote = mote
        from.listen(this)
    }

    data(bytes: Uint8Array): void {
        for (const seen of this.reader.push(bytes)) {
            this.attacker.note(seen, this.from === this.mote)
            const isSignal = codeClass(seen.code) === 7
            const frame = encodeFrame(seen)
            if (isSignal || !this.attacker.isActive) this.pass(frame)
            else this.meddle(seen, frame)
            this.last = frame
        }
    }

    closed(): void {
        if (this.isOver) return
        this.isOver = true
        this.to.end()
    }

    private pass(frame: Uint8Array): void {
        this.to.write(frame)
        for (const held of this.held.splice(0)) this.to.write(held)
    }

    private meddle(seen: CoapMessage, frame: Uint8Array): void {
        const { deed, number } = this.next()
        const { receipts, configurations, commands } = this.attacker
        const isRequest = codeClass(seen.code) === 0
        /** In the name of the other end. */
        const answer = (code: number, payload: Uint8Array, options = [uintOption(12, 17)]) =>
            this.from.write(encodeFrame(message(code, { token: seen.token, payload, options })))
        switch (deed) {
            case "pass":
                return this.pass(frame)
            case "drop":
                return
            case "delay":
                this.clock.setTimeout(() => this.to.write(frame), (number % 40) * 500)
                return
            case "duplicate":
                this.pass(frame)
                return this.to.write(frame)
            case "reorder":
                this.held.push(frame)
                return
            case "flip": {
                const flipped = Uint8Array.from(frame)
                flipped[number % frame.length]! ^= 1 << ((number >> 8) % 8)
                return this.pass(flipped)
            }
            case "truncate":
                this.to.write(frame.subarray(0, number % frame.length))
                return this.end()
            case "splice": {
                const at = number % frame.length
                const tail = this.last.subarray(Math.min(at, this.last.length))
                return this.pass(Buffer.concat([frame.subarray(0, at), tail]))
            }
            case "replay receipt":
                if (isRequest && receipts.length > 0) answer(Code.Changed, receipts[number % receipts.length]!)
                else this.pass(frame)
                return
            case "forge receipt":
                if (isRequest && receipts.length > 0) {
                    const forged = Uint8Array.from(receipts[number % receipts.length]!)
                    forged[(number >> 3) % forged.length]! ^= 1 << (number % 8)
                    answer(Code.Changed, forged)
                } else this.pass(frame)
                return
            case "answer empty":
            case "answer refused":
            case "answer busy": {
                if (!isRequest) return this.pass(frame)
                const options = deed === "answer busy" ? [uintOption(OptionNumber.MaxAge, number % 90)] : []
                return answer(responses[deed]!, new Uint8Array(), options)
            }
            case "replay configuration":
            case "replay command":
            case "forge configuration": {
                this.pass(frame)
                const old = deed === "replay command" ? commands : configurations
                const chosen = old[number % Math.max(1, old.length)]
                if (!chosen) return
                const payload = Uint8Array.from(chosen.payload)
                if (deed === "forge configuration") payload[number % payload.length]! ^= 1
                this.mote.write(encodeFrame({ ...chosen, payload, token: Uint8Array.of(number & 255) }))
                return
            }
            case "cut":
                this.pass(frame)
                return this.end()
        }
    }

    private end(): void {
        this.isOver = true
        this.from.destroy()
        this.to.destroy()
    }
}
