import { Endpoint } from "./endpoint"

/** docs/wire.md, "Envelope": a MAC that was made for one purpose never holds for another. */
export const enum Purpose {
    vitals = 0,
    alarm = 1,
}

/** What came of sending an envelope. */
export interface Answer {
    /** A CoAP response code (RFC 7252 §12.1.2); 0 where none came. An acknowledgement alone is no answer. */
    code: number
    /** Seconds that a busy router wants to be left alone, where it said so. */
    maxAgeS?: number
    /** The most that the router takes, where it said so. */
    maxBytes?: number
}

/**
 * Takes what the clinic has sealed, a configuration (`config`) or a command by its name, and does it.
 * @returns the refusal, as `makeRefusal` makes it; undefined where it is done
 */
export type Take = (name: string, sealed: Buffer) => Promise<Buffer | undefined>

/** How envelopes reach a router. One of them owns the mote's only socket; one envelope is under way at a time. */
export interface Transport {
    isOpen(): boolean
    /** Connects and says whether that worked; closes what was open before. */
    open(endpoint: Endpoint): Promise<boolean>
    /**
     * Sends an envelope and waits until `accept` takes what should be its receipt, or the router refuses; bytes that
     * `accept` does not take are passed over, as if they had not come.
     */
    post(purpose: Purpose, envelope: Buffer, timeoutMs: number, accept: (receipt: Buffer) => boolean): Promise<Answer>
    /** Whether the router is there; asks it where nothing else tells, and waits for its word as long as `timeoutMs`. */
    ping(timeoutMs: number): Promise<boolean>
    /** Says that the mote leaves by itself, and closes once both ends have what they are owed. */
    release(): Promise<void>
    /** Closes at once. */
    close(): void
}
