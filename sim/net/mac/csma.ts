import { PacketError } from "../bytes.ts"
import {
    decodeFrame,
    encodeAck,
    encodeFrame,
    fcsBytes,
    maxFrameBytes,
    type Frame,
    type LinkAddress,
} from "./ieee802154.ts"
import type { Events } from "../../time/events.ts"
import type { Radio, RadioOwner } from "../../radio/air.ts"

/* Unslotted CSMA/CA with acknowledgements (IEEE 802.15.4-2006 §7.5.1.4 and §7.5.6), with the figures of Contiki. */

/** macMinBE, macMaxBE. */
const minExponent = 3
const maxExponent = 5
/** macMaxBE may be up to 8; retries go so far, since many that have just disturbed each other would do so again. */
const maxRetryExponent = 8
const maxBackoffs = 5
const maxRetries = 7
/** aUnitBackoffPeriod: 20 symbols. */
const backoffMs = 0.32
/** Clear channel assessment takes 8 symbols, the way from receiving to sending 12. */
const ccaMs = 0.128
const turnaroundMs = 0.192
const ackDelayMs = 0.384
/** An acknowledgement is 11 bytes on the air; some more is granted. */
const ackWaitMs = ackDelayMs + 11 * 0.032 + 0.128
const maxQueue = 16
/** A frame with the number of the last one of its sender is a repetition, if it is no older; so in Contiki. */
const repetitionMs = 20_000
const knownSenders = 32

export interface Outgoing {
    destination: LinkAddress
    payload: Uint8Array
    /** Asked when its turn comes; false: nobody needs it any more, and it is given up unsent. */
    isWanted?(): boolean
    /**
     * What became of it: after so many transmissions it was acknowledged (or needed no acknowledgement), or was given up;
     * 0 where that is not for want of an acknowledgement.
     */
    done(delivered: boolean, transmissions: number): void
}

interface Waiting extends Outgoing {
    frame: Uint8Array
    sequence: number
    isBroadcast: boolean
    transmissions: number
    /** Transmissions, and those that were not even begun because the channel was never clear. */
    attempts: number
}

/** The payload of a frame for us, or for all. */
export type Receive = (frame: Frame, rssiDbm: number) => void

/** The bytes of payload that a frame between two nodes with 64-bit addresses has room for. */
export const maxPayloadBytes = maxFrameBytes - fcsBytes - 3 - 2 - 8 - 8

/** The MAC layer of a node: a queue of frames, one under way. */
export class Csma implements RadioOwner {
    readonly address: LinkAddress
    private readonly events: Events
    private readonly random: () => number
    private readonly radio: Radio
    private readonly pan: number
    private readonly receive: Receive
    private readonly queue: Waiting[] = []
    private sequence: number
    private timer: unknown
    private awaited: number | undefined
    private isAcknowledging = false
    private isStopped = false
    /** The last sequence number of each sender: a repeated frame means that its acknowledgement was lost. */
    private readonly recent = new Map<string, { sequence: number; atMs: number }>()

    constructor(o: {
        events: Events
        random: () => number
        radio: Radio
        address: LinkAddress
        pan: number
        receive: Receive
    }) {
        this.events = o.events
        this.random = o.random
        this.radio = o.radio
        this.address = o.address
        this.pan = o.pan
        this.receive = o.receive
        this.sequence = Math.floor(o.random() * 256)
        o.radio.owner = this
        o.radio.on()
    }

    /** Frames that the queue has room for. */
    get room(): number {
        return maxQueue - this.queue.length
    }

    /** Queues a frame; where the queue is full it is given up at once. */
    send(outgoing: Outgoing): void {
        if (this.isStopped || this.queue.length >= maxQueue) return outgoing.done(false, 0)
        const isBroadcast = outgoing.destination.length === 2
        const sequence = (this.sequence = (this.sequence + 1) & 0xff)
        const frame = encodeFrame({
            type: "data",
            ackRequest: !isBroadcast,
            sequence,
            pan: this.pan,
            destination: outgoing.destination,
            source: this.address,
            payload: outgoing.payload,
        })
        this.queue.push({
            ...outgoing,
            frame,
            sequence,
            isBroadcast,
            transmissions: 0,
            attempts: 0,
        })
        if (this.queue.length === 1) this.begin()
    }

    /** Power off: nothing more happens. */
    stop(): void {
        this.isStopped = true
        this.events.cancel(this.timer)
        this.queue.length = 0
        this.radio.owner = undefined
        this.radio.off()
    }

    received(bytes: Uint8Array, rssiDbm: number): void {
        let frame: Frame
        try {
            frame = decodeFrame(bytes)
        } catch (error) {
            if (error instanceof PacketError) return
            throw error
        }
        if (frame.type === "ack") {
            if (this.awaited === frame.sequence) this.acknowledged()
            return
        }
        if (frame.type !== "data" || !frame.destination || !frame.source) return
        if (frame.pan !== this.pan) return
        const isForUs = sameAddress(frame.destination, this.address)
        if (!isForUs && frame.destination.length !== 2) return
        if (isForUs && frame.ackRequest) this.acknowledge(frame.sequence)
        if (!this.isRepeated(frame)) this.receive(frame, rssiDbm)
    }

    /** An acknowledgement goes before everything else, without looking whether the channel is clear. */
    private acknowledge(sequence: number): void {
        if (this.isAcknowledging) return
        this.isAcknowledging = true
        this.events.schedule(() => {
            if (this.isStopped) return
            this.radio.transmit(encodeAck(sequence), () => (this.isAcknowledging = false))
        }, ackDelayMs)
    }

    private isRepeated(frame: Frame): boolean {
        const source = Buffer.from(frame.source!).toString("latin1")
        const { sequence } = frame
        const atMs = this.events.now()
        const last = this.recent.get(source)
        // Taken out and put in again, so that the sender silent longest comes first.
        this.recent.delete(source)
        this.recent.set(source, { sequence, atMs })
        for (const longest of this.recent.keys()) {
            if (this.recent.size <= knownSenders) break
            this.recent.delete(longest)
        }
        return last?.sequence === sequence && atMs - last.atMs <= repetitionMs
    }

    /** The first frame of the queue begins, or begins again: later each time, since others may be out of step with us. */
    private begin(): void {
        const waiting = this.queue[0]!
        if (waiting.isWanted?.() === false) return this.finish(false)
        const exponent = Math.min(maxRetryExponent, minExponent + waiting.attempts++)
        this.backOff(exponent, 0)
    }

    private backOff(exponent: number, backoffs: number): void {
        const units = Math.floor(this.random() * (1 << exponent))
        this.timer = this.events.schedule(
            () => {
                if (this.isAcknowledging) this.backOff(exponent, backoffs)
                else if (this.radio.isClear()) {
                    this.timer = this.events.schedule(() => this.transmit(), turnaroundMs)
                } else if (backoffs + 1 >= maxBackoffs) this.failed(true)
                else this.backOff(exponent < maxExponent ? exponent + 1 : exponent, backoffs + 1)
            },
            units * backoffMs + ccaMs,
        )
    }

    private transmit(): void {
        const waiting = this.queue[0]!
        if (this.isAcknowledging) {
            waiting.attempts--
            return this.begin()
        }
        waiting.transmissions++
        this.radio.transmit(waiting.frame, () => {
            if (this.isStopped) return
            if (waiting.isBroadcast) return this.finish(true)
            this.awaited = waiting.sequence
            this.timer = this.events.schedule(() => this.failed(), ackWaitMs)
        })
    }

    private acknowledged(): void {
        this.events.cancel(this.timer)
        this.finish(true)
    }

    private failed(isBusy = false): void {
        this.awaited = undefined
        const waiting = this.queue[0]!
        if (!waiting.isBroadcast && waiting.attempts <= maxRetries) return this.begin()
        // That others speak all the time says nothing of the link (so also Contiki's statistics of links).
        if (isBusy) waiting.transmissions = 0
        this.finish(false)
    }

    private finish(delivered: boolean): void {
        this.awaited = undefined
        const { done, transmissions } = this.queue[0]!
        // It keeps its place meanwhile: what is sent in there queues up behind it.
        done(delivered, transmissions)
        this.queue.shift()
        if (this.queue.length) this.begin()
    }
}

function sameAddress(a: LinkAddress, b: LinkAddress): boolean {
    if (a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
    return true
}
