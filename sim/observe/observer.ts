import type { Ipv6Packet } from "../net/ipv6.ts"
import type { Radio, RadioState } from "../radio/air.ts"

/** A reading that a clinic has stored. */
export interface ArrivedReading {
    mote: number
    /** When it was measured, and when the clinic had it, unix ms. */
    measuredMs: number
    arrivedMs: number
    /** The mote did not know the time yet: `measuredMs` was counted back from when the envelope arrived. */
    relative: boolean
    /** By the numbers of the envelopes, nothing was measured between this and the one before, whatever the times say. */
    continues: boolean
    values: ReadonlyMap<string, number>
}

/** The beginning of an alarm that a clinic has stored. */
export interface ArrivedAlarm {
    mote: number
    kind: string
    /** When the mote raised it, and when the clinic had it, unix ms. */
    raisedMs: number
    arrivedMs: number
}

/** Whoever wants to know what happens in a simulation: captures, statistics, reports, the live view. */
export interface Observer {
    sent?(from: Radio, frame: Uint8Array, startMs: number, endMs: number): void
    received?(to: Radio, from: Radio, frame: Uint8Array, rssiDbm: number): void
    /** A frame that would have been heard: too weak, or in a collision. */
    lost?(to: Radio, from: Radio, frame: Uint8Array, collided: boolean): void
    state?(radio: Radio, state: RadioState): void
    /** A node has another rank, parent or route. */
    routed?(node: number): void
    /** A packet that could not go on. */
    dropped?(node: number, packet: Ipv6Packet, reason: string): void
    log?(mote: number, line: string): void
    powered?(mote: number, isOn: boolean): void
    arrived?(reading: ArrivedReading): void
    alarmed?(alarm: ArrivedAlarm): void
}

/** One observer that tells many; more may join while it runs. */
export class Observers implements Required<Observer> {
    private readonly list: Observer[] = []

    add(observer: Observer): void {
        this.list.push(observer)
    }

    remove(observer: Observer): void {
        const at = this.list.indexOf(observer)
        if (at >= 0) this.list.splice(at, 1)
    }

    sent(from: Radio, frame: Uint8Array, startMs: number, endMs: number): void {
        for (const one of this.list) one.sent?.(from, frame, startMs, endMs)
    }

    received(to: Radio, from: Radio, frame: Uint8Array, rssiDbm: number): void {
        for (const one of this.list) one.received?.(to, from, frame, rssiDbm)
    }

    lost(to: Radio, from: Radio, frame: Uint8Array, collided: boolean): void {
        for (const one of this.list) one.lost?.(to, from, frame, collided)
    }

    state(radio: Radio, state: RadioState): void {
        for (const one of this.list) one.state?.(radio, state)
    }

    routed(node: number): void {
        for (const one of this.list) one.routed?.(node)
    }

    dropped(node: number, packet: Ipv6Packet, reason: string): void {
        for (const one of this.list) one.dropped?.(node, packet, reason)
    }

    log(mote: number, line: string): void {
        for (const one of this.list) one.log?.(mote, line)
    }

    powered(mote: number, isOn: boolean): void {
        for (const one of this.list) one.powered?.(mote, isOn)
    }

    arrived(reading: ArrivedReading): void {
        for (const one of this.list) one.arrived?.(reading)
    }

    alarmed(alarm: ArrivedAlarm): void {
        for (const one of this.list) one.alarmed?.(alarm)
    }
}
