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

/* Unslotted CSMA/CA with acknowledgements (IEEE 802.15.4-2006 §7.5.1.4 and §7.5.6), with the constants of Contiki. */

/** macMinBE and macMaxBE. */
const minExponent = 3
const maxExponent = 5
/**
 * Backoff exponent limit of retransmissions; macMaxBE may be up to 8. Nodes whose frames have just collided would
 * otherwise collide again.
 */
const maxRetryExponent = 8
const maxBackoffs = 5
const maxRetries = 7
/** aUnitBackoffPeriod: 20 symbols. */
const backoffMs = 0.32
/** Clear channel assessment takes 8 symbols, the turnaround from receive to transmit 12. */
const ccaMs = 0.128
const turnaroundMs = 0.192
const ackDelayMs = 0.384
/** An acknowledgement is 11 bytes on the air; the rest is margin. */
const ackWaitMs = ackDelayMs + 11 * 0.032 + 0.128
const maxQueue = 16
/** A frame with the same sequence number as its sender's last is a duplicate within this time, as in Contiki. */
const repetitionMs = 20_000
const knownSenders = 32

export interface Outgoing {
    destination: LinkAddress
    payload: Uint8Array
    /** Called before transmission; false drops the frame unsent. */
    isWanted?(): boolean
    /**
     * Reports the outcome: delivered (or no acknowledgement needed) after this many transmissions, or given up.
     * `transmissions` is 0 if a missing acknowledgement was not the reason.
     */
    done(delivered: boolean, transmissions: number): void
}

interface Waiting extends Outgoing {
    frame: Uint8Array
    sequence: number
    isBroadcast: boolean
    transmissions: number
    /** Attempts, including those that found the channel busy throughout. */
    attempts: number
}

/** Called with each frame for this node or for all. */
export type Receive = (frame: Frame, rssiDbm: number) => void

/** Payload bytes of a frame between two nodes with 64-bit addresses. */
export const maxPayloadBytes = maxFrameBytes - fcsBytes - 3 - 2 - 8 - 8

/** The MAC layer of a node: a queue of frames, of which the first is being transmitted. */
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
    /** The last sequence number of each sender. A duplicate means that its acknowledgement was lost. */
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

    /** Number of frames that fit into the queue. */
    get room(): number {
        return maxQueue - this.queue.length
    }

    /** Queues a frame. A full queue rejects it at once. */
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

    /** Stops for good: power off. */
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

    /** Sends an acknowledgement before everything else, without clear channel assessment. */
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
        // Reinserted, so that the sender silent for longest is first.
        this.recent.delete(source)
        this.recent.set(source, { sequence, atMs })
        for (const longest of this.recent.keys()) {
            if (this.recent.size <= knownSenders) break
            this.recent.delete(longest)
        }
        return last?.sequence === sequence && atMs - last.atMs <= repetitionMs
    }

    /**
     * Starts the first frame of the queue, or retries it with a larger backoff, because other nodes may not be in step.
     */
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
        // A busy channel says nothing about the link; Contiki's link statistics ignore it, too.
        if (isBusy) waiting.transmissions = 0
        this.finish(false)
    }

    private finish(delivered: boolean): void {
        this.awaited = undefined
        const { done, transmissions } = this.queue[0]!
        // The frame keeps its place during `done`: frames sent from there queue behind it.
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
