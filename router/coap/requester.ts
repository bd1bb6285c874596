import type { CoapMessage } from "./message.ts"

/** Who asks, whatever carries the messages. One object an endpoint, for as long as it is known. */
export interface Requester {
    /** For logs: `192.0.2.7:49152`. */
    readonly peer: string
    /** The largest message that it takes, header and token included. */
    readonly maxMessageBytes: number
    /**
     * Opens the way for more responses to the request with this token (RFC 7641 §4.2). `gone` is called once, when nobody
     * takes them any more, unless `end` came first; an earlier one for the same token ends so.
     */
    notifier(token: Uint8Array, gone: () => void): Notifier
    /** The requester wants no more of them: as if it were gone. */
    forget(token: Uint8Array): void
    /** An authentic envelope of this mote came from here, which nobody had brought before. */
    envelopeAccepted(eui: string): void
}

export interface Notifier {
    /** Sends one more response; its token is set here. */
    send(response: CoapMessage): void
    /** No more of them. */
    end(): void
}

/** Answers a request; the token of what it returns is set by the transport. */
export type Server = (request: CoapMessage, requester: Requester) => CoapMessage | Promise<CoapMessage>
