import { Endpoint } from "./endpoint"

/** What an envelope is for; docs/wire.md, "Envelope". Its first byte is this and `firstType`. */
export const enum Purpose {
    vitals = 0,
    alarm = 1,
    config = 2,
    command = 3,
}

/** The outcome of sending an envelope. */
export interface Answer {
    /** A CoAP response code (RFC 7252 §12.1.2); 0 if there was none. An acknowledgement alone is not a response. */
    code: number
    /** Time in seconds after which a busy router may be tried again, if it gave one. */
    maxAgeS?: number
    /** The router's maximum size, if it gave one. */
    maxBytes?: number
}

/**
 * Executes what the clinic has sealed: a configuration (`config`), or a command by its name.
 * @returns the refusal, from `makeRefusal`; undefined if it was executed
 */
export type Take = (name: string, sealed: Buffer) => Promise<Buffer | undefined>

/**
 * A protocol that delivers envelopes to a router. One transport owns the mote's only socket; one envelope is in flight
 * at a time.
 */
export interface Transport {
    isOpen(): boolean
    /** Closes any open connection and opens a new one. @returns whether that succeeded */
    open(endpoint: Endpoint): Promise<boolean>
    /**
     * Sends an envelope and waits until `accept` takes a receipt, or the router refuses. Data that `accept` does not
     * take is ignored.
     */
    post(purpose: Purpose, envelope: Buffer, timeoutMs: number, accept: (receipt: Buffer) => boolean): Promise<Answer>
    /**
     * Whether the router is reachable. If nothing else shows it, sends a ping and waits `timeoutMs` for the response.
     */
    ping(timeoutMs: number): Promise<boolean>
    /** Announces that the mote disconnects, and closes when both ends have what they are owed. */
    release(): Promise<void>
    /** Closes at once. */
    close(): void
}
