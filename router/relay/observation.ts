import { slice, type Block } from "../coap/block.ts"
import { message, Code, type CoapMessage } from "../coap/message.ts"
import { OptionNumber, uintOption } from "../coap/options.ts"
import { addressOf } from "../address.ts"
import type { Notifier, Requester } from "../coap/requester.ts"

/** Observers of one resource of a mote, and of those how many may come from one address. */
export const maxObservers = 64
export const maxObserversOfAddress = 16
/** RFC 7641 §3.4. */
const sequenceNumbers = 2 ** 24

/** Who observes, and how its notifications are to be cut. */
export interface Observer {
    requester: Requester
    token: Uint8Array
    block2: Block | undefined
}

/** One registration at a mote, and everybody whom its notifications are passed on to (RFC 7641). */
export class Observation {
    /** The newest that the mote said. */
    latest: CoapMessage | undefined
    /** With their notifiers; undefined while one is being made. */
    private readonly observers = new Map<Observer, Notifier | undefined>()
    private readonly left: () => void
    private sequence = 0
    private isOver = false

    /** `left` is called once, when the last observer has gone. */
    constructor(left: () => void) {
        this.left = left
    }

    /**
     * Adds an observer; returns its first response. Where that cannot be it is told what is, and no more. Who registers
     * again under the same token refreshes what it has (RFC 7641 §4.1): there is no moment at which nobody observes.
     */
    join(observer: Observer, first: CoapMessage): CoapMessage {
        this.latest ??= first
        if (this.isOver || !this.hasRoomFor(observer)) return this.latest
        let isGone = false
        this.observers.set(observer, undefined)
        const notifier = observer.requester.notifier(observer.token, () => {
            isGone = true
            this.leave(observer)
        })
        if (!isGone) this.observers.set(observer, notifier)
        return this.numbered(this.latest)
    }

    /** Passes a notification on. */
    notify(notification: CoapMessage): void {
        this.latest = notification
        this.sequence = (this.sequence + 1) % sequenceNumbers
        const numbered = this.numbered(notification)
        for (const [{ requester, block2 }, notifier] of this.observers)
            notifier?.send(slice(numbered, block2, requester))
    }

    /** Passes the last response on: one that is no notification, or that the mote is gone. Nothing comes after it. */
    end(last = message(Code.ServiceUnavailable, { payload: Buffer.from("the mote is gone") })): void {
        const observers = [...this.observers]
        this.isOver = true
        this.observers.clear()
        for (const [{ requester, block2 }, notifier] of observers) {
            notifier?.send(slice(last, block2, requester))
            notifier?.end()
        }
    }

    /** One client does not take all places. */
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
        this.left()
    }

    private numbered(response: CoapMessage): CoapMessage {
        const observe = uintOption(OptionNumber.Observe, this.sequence)
        return { ...response, options: [...response.options, observe] }
    }
}
