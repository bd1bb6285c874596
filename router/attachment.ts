import type { Clock } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import type { Ingest } from "./ingest.ts"
import type { MoteKeyring } from "./keyring.ts"
import type { RelayedMote } from "./relay/relayed-mote.ts"

/** What an attachment needs from its router. */
export interface AttachmentParts {
    clock: Clock
    random: (bytes: number) => Uint8Array
    ingest: Ingest
    keyring: MoteKeyring
    log: Log
}

/** Makes an attachment for one router. */
export type Attach = (parts: AttachmentParts) => Attachment

/** Connects motes to the router over one protocol: CoAP, the router's own MQTT broker, or an external one. */
export interface Attachment {
    readonly protocol: "coap" | "mqtt"
    /** The `eui`s of the motes that are online over this protocol. */
    readonly online: string[]
    has(eui: string): boolean
    /** The mote for clients' requests; undefined if it is not connected here or its protocol has no requests. */
    relayed(eui: string): RelayedMote | undefined
    /** Handles new keys, a new configuration or a new command for the mote. */
    changed(eui: string): void
    /** Ends the connections of a revoked mote. */
    dismiss(eui: string): void
    /** Completes pending requests, then ends all connections. */
    close(): void | Promise<void>
}
