import type { Events } from "../time/events.ts"
import type { Medium, Place, Position, Reception } from "./medium.ts"

/** IEEE 802.15.4 at 2.4 GHz: 250 kbit/s. */
export const byteMs = 0.032
/** Preamble, start-of-frame delimiter and length in front of each frame. */
export const synchronisationBytes = 6

export type RadioState = "off" | "listen" | "receive" | "transmit"

/**
 * A radio locks on a frame after its preamble and delimiter (4 + 1 bytes); a frame that starts later is not received.
 */
const lockMs = 5 * byteMs

/** Events that a radio reports to its owner. */
export interface RadioOwner {
    /** A frame was received completely. */
    received(frame: Uint8Array, rssiDbm: number): void
}

/** Observes the air for captures, timelines and statistics. */
export interface AirObserver {
    sent?(from: Radio, frame: Uint8Array, startMs: number, endMs: number): void
    received?(to: Radio, from: Radio, frame: Uint8Array, rssiDbm: number): void
    /** A frame that would have been heard was too weak, or was lost in a collision. */
    lost?(to: Radio, from: Radio, frame: Uint8Array, collided: boolean): void
    state?(radio: Radio, state: RadioState): void
}

interface HeardFrame {
    from: Radio
    sinceMs: number
    reception: Reception
    isReceiving: boolean
    isSpoilt: boolean
}

/** One radio on the air. It receives one frame at a time; overlapping frames collide, except for the capture effect. */
export class Radio implements Place {
    readonly id: number
    position: Position
    state: RadioState = "off"
    /** Time in each state in ms, up to the last change. */
    readonly spentMs: Record<RadioState, number> = { off: 0, listen: 0, receive: 0, transmit: 0 }
    owner: RadioOwner | undefined
    /** Its transmissions are noise, not frames. */
    sendsNoise = false
    /** Frames in the air at this radio. */
    readonly hearing: HeardFrame[] = []
    private changedMs: number
    readonly air: Air

    constructor(air: Air, id: number, position: Position) {
        this.air = air
        this.id = id
        this.position = position
        this.changedMs = air.events.now()
    }

    on(): void {
        if (this.state === "off") this.change("listen")
    }

    /** Turns the radio off; a transmission in progress is cut short. */
    off(): void {
        this.air.cut(this)
        for (const one of this.hearing) one.isReceiving = false
        this.change("off")
    }

    /** Clear channel assessment: true if nothing is heard. */
    isClear(): boolean {
        return this.state !== "transmit" && this.hearing.length === 0
    }

    /** Transmits a frame, whatever else is in the air. @param done called when its last bit is sent */
    transmit(frame: Uint8Array, done: () => void): void {
        this.air.transmit(this, frame, done)
    }

    change(state: RadioState): void {
        if (state === this.state) return
        this.settle()
        this.state = state
        this.air.observer.state?.(this, state)
    }

    /** Adds the time in the current state up to now. */
    settle(): void {
        const now = this.air.events.now()
        this.spentMs[this.state] += now - this.changedMs
        this.changedMs = now
    }
}

interface Transmission {
    from: Radio
    end: unknown
    listeners: Radio[]
}

/** The air shared by all radios. */
export class Air {
    readonly events: Events
    readonly observer: AirObserver
    medium: Medium
    private readonly radios: Radio[] = []
    private readonly random: () => number
    private readonly transmissions = new Map<Radio, Transmission>()

    constructor(o: { events: Events; random: () => number; medium: Medium; observer?: AirObserver }) {
        this.events = o.events
        this.random = o.random
        this.medium = o.medium
        this.observer = o.observer ?? {}
    }

    add(id: number, position: Position): Radio {
        const radio = new Radio(this, id, position)
        this.radios.push(radio)
        return radio
    }

    /** Removes a radio for good. */
    remove(radio: Radio): void {
        radio.off()
        const at = this.radios.indexOf(radio)
        if (at >= 0) this.radios.splice(at, 1)
    }

    transmit(from: Radio, frame: Uint8Array, done: () => void): void {
        const { events, observer, random } = this
        this.cut(from) // a new transmission replaces the current one
        const startMs = events.now()
        const endMs = startMs + (synchronisationBytes + frame.length) * byteMs
        observer.sent?.(from, frame, startMs, endMs)
        from.change("transmit")
        for (const one of from.hearing) one.isReceiving = false
        const { txRatio = 1 } = this.medium
        const leaves = txRatio >= 1 || random() < txRatio
        const listeners: Radio[] = []
        for (const to of this.radios) {
            if (to === from) continue
            const reception = this.medium.reception(from, to)
            if (!reception) continue
            this.begin(from, to, reception, leaves, frame)
            listeners.push(to)
        }
        const end = events.schedule(() => {
            this.transmissions.delete(from)
            from.change("listen")
            for (const to of listeners) this.finish(from, to, frame)
            done()
        }, endMs - startMs)
        this.transmissions.set(from, { from, end, listeners })
    }

    /** Ends a transmission because its sender lost power: nobody receives the rest. */
    cut(from: Radio): void {
        const transmission = this.transmissions.get(from)
        if (!transmission) return
        this.transmissions.delete(from)
        this.events.cancel(transmission.end)
        for (const to of transmission.listeners) this.forget(from, to)
    }

    private begin(from: Radio, to: Radio, reception: Reception, leaves: boolean, frame: Uint8Array): void {
        const { probability } = reception
        const arrives =
            to.state === "listen" || to.state === "receive"
                ? leaves && (probability >= 1 || (probability > 0 && this.random() < probability))
                : false
        const { captureDb = Infinity } = this.medium
        const sinceMs = this.events.now()
        let isSpoilt = false
        for (const other of to.hearing) {
            const strongerDb = reception.rssiDbm - other.reception.rssiDbm
            const isTooLate = other.isReceiving && sinceMs - other.sinceMs > lockMs
            if (strongerDb < captureDb || isTooLate) isSpoilt = true
            if (-strongerDb < captureDb) other.isSpoilt = true
        }
        to.hearing.push({ from, sinceMs, reception, isReceiving: arrives, isSpoilt })
        if (arrives && !isSpoilt) to.change("receive")
        else if (probability > 0 && to.state !== "off" && to.state !== "transmit" && !arrives)
            this.observer.lost?.(to, from, frame, false)
    }

    private finish(from: Radio, to: Radio, frame: Uint8Array): void {
        const heard = this.forget(from, to)
        if (!heard?.isReceiving) return
        if (heard.isSpoilt) return this.observer.lost?.(to, from, frame, true)
        this.observer.received?.(to, from, frame, heard.reception.rssiDbm)
        to.owner?.received(frame, heard.reception.rssiDbm)
    }

    private forget(from: Radio, to: Radio): HeardFrame | undefined {
        const at = to.hearing.findIndex(one => one.from === from)
        const [heard] = to.hearing.splice(at, 1)
        if (to.state === "receive" && !to.hearing.some(({ isReceiving }) => isReceiving)) to.change("listen")
        return heard
    }
}
