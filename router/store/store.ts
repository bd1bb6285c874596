import type { Delivery } from "../../wire/batch.ts"
import type { RouterKeys } from "../../wire/keys.ts"
import type { Released } from "./outbox/record.ts"
import type { Start } from "../replay.ts"

/** An envelope for the outbox, and the mote that sealed it. */
export type Accepted = Omit<Delivery, "id"> & {
    kid: Uint8Array
    /** Of the secret that it used, 0 if absent. */
    generation?: number
}

/** What the clinic's results change in the replay windows. */
export interface Changes {
    seen: SeenStart[]
    forgotten: SeenStart[]
    /** The nonces that are free again. */
    released: Released[]
}

/** An envelope in the outbox. */
export type Queued = Delivery & { kid: Uint8Array }

/** Chooses motes by their `eui`. */
export type OfMotes = (eui: string) => boolean

/** One start of a mote with the sequence numbers seen so far. */
export interface SeenStart {
    kid: Uint8Array
    start: Start
}

/** An envelope that the clinic refused. */
export interface DeadLetter extends Queued {
    reason: string
}

/**
 * The router's durable state: the outbox, replay windows, keys and dead letters. What a method writes is durable when it
 * returns, or its promise resolves; if it fails, everything is as before.
 */
export interface RouterStore {
    /** The number of envelopes in the outbox. */
    readonly outboxLength: number
    /** The bytes of those envelopes. */
    readonly outboxBytes: number
    /** The number of dead letters. */
    readonly refusedLength: number
    /** The bytes of the dead letters. */
    readonly refusedBytes: number
    /** The bytes of one mote's envelopes in the outbox. */
    outboxBytesOf(kid: Uint8Array): number
    /** What waits in the outbox of these motes, by default of all. */
    outboxOf(isOf?: OfMotes): { rows: number; bytes: number }
    /** The newest `max` envelopes of one mote in the outbox, the oldest of them first, and how many others it has there. */
    waitingOf(kid: Uint8Array, max: number): { newest: Uint8Array[]; others: number }

    /**
     * Adds envelopes to the outbox and updates the replay windows, whose starts may only change again with the next call.
     * Throws or rejects if it fails. Calls must not overlap.
     */
    append(accepted: Accepted[], seen: SeenStart[], forgotten?: SeenStart[]): Promise<void> | void
    /** The `append` in progress. */
    readonly appending: Promise<void> | undefined
    /**
     * Returns the next batch: alarms before readings, motes in turn, and the oldest envelopes of each mote first. It
     * exceeds `maxBytes` only if a single envelope does.
     * @param isOf only of these motes
     */
    next(maxEnvelopes: number, maxBytes: number, isOf?: OfMotes): Queued[]
    /**
     * Removes envelopes from the outbox: the delivered ones, and the refused ones, which become dead letters. After a crash
     * soon afterwards they may be there again, and the clinic reports them as duplicates.
     * @param change called once the dead letters are durable, while the outbox still has everything
     */
    settle(safe: Queued[], refused: { delivery: Queued; reason: string }[], change?: () => Changes): void

    /** Returns the oldest dead letters with ids above `afterId`. */
    deadLetters(afterId: number, max: number): DeadLetter[]
    /** Deletes up to `max` dead letters, the oldest first, and returns how many it deleted. */
    dropDeadLetters(max: number): number
    /** Moves the dead letters to the end of the outbox. */
    retryRefused(): void

    /** Returns the starts of a mote, in ascending order of `boot`. */
    starts(kid: Uint8Array): Start[]

    /** Returns the keys in the order in which they were stored. */
    keys(): RouterKeys[]
    /** Replaces all keys of the motes with these `kid`. */
    changeKeys(kids: Uint8Array[], keys: RouterKeys[]): void

    /** Returns a fact about the store itself, or undefined if it was never recorded. */
    meta(name: string): string | undefined
    setMeta(name: string, value: string): void

    close(): void
}
