import type { CoapMessage } from "./message.ts"

/** The endpoint that sends a request, over any transport. There is one object per endpoint while it is known. */
export interface Requester {
    /** Its name for logs, such as `192.0.2.7:49152`. */
    readonly peer: string
    /** The largest message that it accepts, including header and token. */
    readonly maxMessageBytes: number
    /**
     * Registers an observer for the request with this token (RFC 7641 §4.2). An earlier one with the same token is
     * cancelled. `cancelled` is called once, when the observer deregisters or disappears, unless `end` was called
     * before.
     */
    addObserver(token: Uint8Array, cancelled: () => void): Notifier
    /** Cancels the observer with this token. */
    cancelObserver(token: Uint8Array): void
    /** Reports that a new authentic envelope of this mote arrived from this endpoint. */
    envelopeAccepted(eui: string): void
}

export interface Notifier {
    /** Sends a notification and sets its token. */
    send(response: CoapMessage): void
    /** Ends the observation without calling `cancelled`. */
    end(): void
}

/** Handles a request and returns its response. The transport sets the token. */
export type Server = (request: CoapMessage, requester: Requester) => CoapMessage | Promise<CoapMessage>
