import type { Clock } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import type { Ingest } from "./ingest.ts"
import type { Keyring } from "./keyring.ts"
import type { RelayedMote } from "./relay/relayed-mote.ts"

/** What an attachment is made of. */
export interface AttachmentParts {
    clock: Clock
    random: (bytes: number) => Uint8Array
    ingest: Ingest
    keyring: Keyring
    log: Log
}

/** Makes an attachment for one router. */
export type Attach = (parts: AttachmentParts) => Attachment

/** A way by which motes are attached to the router: CoAP, the router's own MQTT broker, or somebody else's. */
export interface Attachment {
    readonly protocol: "coap" | "mqtt"
    /** The motes (`eui`) that are on line this way. */
    readonly online: string[]
    has(eui: string): boolean
    /** The mote as clients may use it; undefined where it is not here, or speaks a protocol that cannot ask it. */
    relayed(eui: string): RelayedMote | undefined
    /** The clinic has something new for the mote: keys, a configuration or a command. */
    changed(eui: string): void
    /** The mote is revoked: ends its connections. */
    dismiss(eui: string): void
    /** Answers what was asked, then ends all connections. */
    close(): void | Promise<void>
}
