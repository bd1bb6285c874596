import type { Ipv6Packet } from "../net/ipv6.ts"
import type { Radio, RadioState } from "../radio/air.ts"

/** A reading stored by a clinic. */
export interface ArrivedReading {
    mote: number
    /** Time of measurement and of arrival at the clinic, in Unix ms. */
    measuredMs: number
    arrivedMs: number
    /** The mote did not know the time yet: `measuredMs` was counted back from the arrival of the envelope. */
    relative: boolean
    /** The envelope numbers show that no reading is missing before this one, whatever the times say. */
    continues: boolean
    values: ReadonlyMap<string, number>
}

/** The start of an alarm, stored by a clinic. */
export interface ArrivedAlarm {
    mote: number
    kind: string
    /** Time at which the mote raised it and of arrival at the clinic, in Unix ms. */
    raisedMs: number
    arrivedMs: number
}

/** Observes a simulation: captures, statistics, reports, the live view. */
export interface Observer {
    sent?(from: Radio, frame: Uint8Array, startMs: number, endMs: number): void
    received?(to: Radio, from: Radio, frame: Uint8Array, rssiDbm: number): void
    /** A frame that would have been heard was too weak, or was lost in a collision. */
    lost?(to: Radio, from: Radio, frame: Uint8Array, collided: boolean): void
    state?(radio: Radio, state: RadioState): void
    /** The rank, parent or routes of a node have changed. */
    routed?(node: number): void
    /** A packet was dropped. */
    dropped?(node: number, packet: Ipv6Packet, reason: string): void
    log?(mote: number, line: string): void
    powered?(mote: number, isOn: boolean): void
    arrived?(reading: ArrivedReading): void
    alarmed?(alarm: ArrivedAlarm): void
}

/** Passes events on to many observers, which may join at any time. */
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
