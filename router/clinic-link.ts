import type { Delivery, DeliveryResult } from "../wire/batch.ts"
import type { RouterKeys } from "../wire/keys.ts"

/** The way to the clinic. Either method rejects where the clinic cannot be reached or does not answer in time. */
export interface ClinicLink {
    /** Hands over a batch; what the results do not name, or name twice, was not taken. */
    deliver(batch: Delivery[], signal?: AbortSignal): Promise<DeliveryResult[]>
    /** The keys of all motes whose readings this router may take; the same array where nothing has changed since. */
    keys(signal?: AbortSignal): Promise<RouterKeys[]>
    /** Calls `listener` with the clinic's time, Unix time in milliseconds, whenever it answers. Absent: it is our clock. */
    onTime?(listener: (time: number) => void): void
    /** Tells the clinic with all that is asked from now on when this router's store was made, Unix time in milliseconds. */
    storeIsSince?(time: number): void
    /** Gives up the connection; nothing is asked afterwards. */
    close?(): Promise<void>
}
