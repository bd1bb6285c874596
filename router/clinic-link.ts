import type { Delivery, DeliveryResult } from "../wire/batch.ts"
import type { RouterKeys } from "../wire/keys.ts"

/** The interface to the clinic. Requests reject if the clinic cannot be reached or does not respond in time. */
export interface ClinicLink {
    /** Delivers a batch. An envelope without exactly one result was not accepted. */
    deliver(batch: Delivery[], signal?: AbortSignal): Promise<DeliveryResult[]>
    /** Returns all keys that this router may hold. If nothing has changed, it is the same array as before. */
    keys(signal?: AbortSignal): Promise<RouterKeys[]>
    /**
     * Requests the keys of motes that have appeared at this router, at most `maxWanted`. Returns those of the motes that it
     * may serve. From then on they are among `keys`.
     */
    keysOf(kids: Uint8Array[], signal?: AbortSignal): Promise<RouterKeys[]>
    /**
     * Calls `listener` with the clinic's time (Unix time in milliseconds) at each response. Absent if clinic and router
     * share a clock.
     */
    onTime?(listener: (time: number) => void): void
    /**
     * Sets the time at which this router's store was created (Unix time in milliseconds), to be sent with every
     * request.
     */
    setStoreCreatedAt?(time: number): void
    /** Closes the connection. No requests follow. */
    close?(): Promise<void>
}
