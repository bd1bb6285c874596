import { slice, type Block } from "../coap/block.ts"
import { message, Code, type CoapMessage } from "../coap/message.ts"
import { OptionNumber, uintOption } from "../coap/options.ts"
import { addressOf } from "../address.ts"
import type { Notifier, Requester } from "../coap/requester.ts"

/** The maximum number of observers of one resource of a mote. */
export const maxObservers = 64
/** The maximum number of those from one address. */
export const maxObserversOfAddress = 16
/** The modulus of sequence numbers, RFC 7641 §3.4. */
const sequenceNumbers = 2 ** 24

/** An observer, and the block size of its notifications. */
export interface Observer {
    requester: Requester
    token: Uint8Array
    block2: Block | undefined
}

/** One registration at a mote, and the observers that receive its notifications (RFC 7641). */
export class Observation {
    /** The latest response or notification of the mote. */
    latest: CoapMessage | undefined
    /** Observers and their notifiers. A notifier is undefined while it is being made. */
    private readonly observers = new Map<Observer, Notifier | undefined>()
    private readonly abandoned: () => void
    private sequence = 0
    private isOver = false

    /** @param abandoned called once, when the last observer has left */
    constructor(abandoned: () => void) {
        this.abandoned = abandoned
    }

    /**
     * Adds an observer and returns its first response. If there is no room, the response has no Observe option. A
     * client that registers again with the same token refreshes its registration (RFC 7641 §4.1), without a moment in
     * which nobody observes.
     */
    join(observer: Observer, first: CoapMessage): CoapMessage {
        this.latest ??= first
        if (this.isOver || !this.hasRoomFor(observer)) return this.latest
        let isGone = false
        this.observers.set(observer, undefined)
        const notifier = observer.requester.addObserver(observer.token, () => {
            isGone = true
            this.leave(observer)
        })
        if (!isGone) this.observers.set(observer, notifier)
        return this.numbered(this.latest)
    }

    /** Forwards a notification to all observers. */
    notify(notification: CoapMessage): void {
        this.latest = notification
        this.sequence = (this.sequence + 1) % sequenceNumbers
        const numbered = this.numbered(notification)
        for (const [{ requester, block2 }, notifier] of this.observers)
            notifier?.send(slice(numbered, block2, requester))
    }

    /** Ends the observation with a last response, by default that the mote has disconnected. */
    end(last = message(Code.ServiceUnavailable, { payload: Buffer.from("the mote has disconnected") })): void {
        const observers = [...this.observers]
        this.isOver = true
        this.observers.clear()
        for (const [{ requester, block2 }, notifier] of observers) {
            notifier?.send(slice(last, block2, requester))
            notifier?.end()
        }
    }

    /** Tells whether there is room for the observer. One client cannot take all of it. */
    private hasRoomFor({ requester, token }: Observer): boolean {
        const address = addressOf(requester.peer)
        let ofAddress = 0
        for (const other of this.observers.keys()) {
            if (other.requester === requester && Buffer.compare(other.token, token) === 0) return true
            if (addressOf(other.requester.peer) === address) ofAddress++
        }
        return this.observers.size < maxObservers && ofAddress < maxObserversOfAddress
    }

    private leave(observer: Observer): void {
        this.observers.delete(observer)
        if (this.isOver || this.observers.size > 0) return
        this.isOver = true
        this.abandoned()
    }

    private numbered(response: CoapMessage): CoapMessage {
        const observe = uintOption(OptionNumber.Observe, this.sequence)
        return { ...response, options: [...response.options, observe] }
    }
}
