import type { Delivery } from "../../wire/batch.ts"
import type { RouterKeys } from "../../wire/keys.ts"
import type { Start } from "../replay.ts"

/** An envelope for the outbox, and the mote that sealed it. */
export type Accepted = Omit<Delivery, "id"> & { kid: Uint8Array }

/** An envelope in the outbox. */
export type Queued = Delivery & { kid: Uint8Array }

/** What is now known of one start of a mote. */
export interface SeenStart {
    kid: Uint8Array
    start: Start
}

/** An envelope that the clinic refused. */
export interface DeadLetter extends Queued {
    reason: string
}

/**
 * Everything a router must not forget: the outbox, replay windows, keys and dead letters. A method that writes is one
 * transaction, which is durable when it returns, and throws where it cannot be.
 */
export interface RouterStore {
    /** Envelopes that wait for the clinic, and their bytes. */
    readonly outboxLength: number
    readonly outboxBytes: number
    /** Envelopes that the clinic refused, and their bytes. */
    readonly refusedLength: number
    readonly refusedBytes: number
    /** Bytes of one mote's envelopes in the outbox. */
    outboxBytesOf(kid: Uint8Array): number

    /** Puts envelopes into the outbox and brings the replay windows up to date. */
    append(accepted: Accepted[], seen: SeenStart[], forgotten?: SeenStart[]): void
    /**
     * What goes out next: alarms before readings, within either the motes in turn, of each mote the oldest first. Not more
     * than so many envelopes, nor than so many bytes unless one envelope alone has more.
     */
    next(maxEnvelopes: number, maxBytes: number): Queued[]
    /** Takes envelopes out of the outbox: those that are safe at the clinic, and those that become dead letters. */
    settle(safe: Queued[], refused: { delivery: Queued; reason: string }[]): void

    /** Dead letters, the oldest first, from after the one with this id on. */
    deadLetters(afterId: number, max: number): DeadLetter[]
    /** Deletes so many dead letters, the oldest first; returns how many there were to delete. */
    dropDeadLetters(max: number): number
    /** Puts the dead letters back into the outbox, behind what waits there. */
    retryRefused(): void

    /** What was seen of a mote, in ascending order of its boots. */
    starts(kid: Uint8Array): Start[]

    /** In the order in which they were given. */
    keys(): RouterKeys[]
    /** From now on these are the keys, and no others. */
    replaceKeys(keys: RouterKeys[]): void

    /** A fact about the store itself, undefined where it was never noted. */
    meta(name: string): string | undefined
    setMeta(name: string, value: string): void

    close(): void
}
