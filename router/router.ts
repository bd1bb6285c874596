import type { Clock } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import type { ByteStream } from "../host/stream.ts"
import type { ClinicLink } from "./clinic-link.ts"
import { blockwise } from "./coap/block.ts"
import { CoapConnection } from "./coap/connection.ts"
import { dispatch } from "./coap/dispatch.ts"
import type { Server } from "./coap/requester.ts"
import { lingerMs } from "./coap/session.ts"
import { DeliveryLoop } from "./delivery.ts"
import { defaultMaxOutboxBytes, Ingest, type IngestCounts } from "./ingest.ts"
import { Keyring } from "./keyring.ts"
import { directory } from "./relay/directory.ts"
import { Downlink } from "./relay/downlink.ts"
import { Motes } from "./relay/motes.ts"
import { Relay } from "./relay/relay.ts"
import { moteResources } from "./resources.ts"
import type { RouterStore } from "./store.ts"

/** CoAP connections at a time. */
export const defaultMaxConnections = 1024

export interface RouterStats extends IngestCounts {
    connections: number
    /** Motes that said by MQTT that they are on line. */
    mqttMotes: number
    /** Envelopes that wait for the clinic, and their bytes. */
    outbox: number
    outboxBytes: number
    /** Envelopes that the clinic refused, kept for whoever looks into it, and their bytes. */
    refusedByClinic: number
    refusedByClinicBytes: number
}

/**
 * The border router on any clock and any byte streams: takes motes' envelopes, keeps them, hands them to the clinic. It
 * can tell a forgery and cannot read one reading.
 */
export class Router {
    /** The way of an envelope; other transports than CoAP use it too. */
    readonly ingest: Ingest
    readonly keyring: Keyring
    /** The motes on CoAP connections, and how to reach them. */
    readonly motes = new Motes()
    readonly relay: Relay
    /** Says how many motes are on line by MQTT; to be set by whoever serves it. */
    countMqttMotes = () => 0
    /** Answers CoAP requests, whatever brings them. */
    readonly serve: Server
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly store: RouterStore
    private readonly log: Log
    private readonly maxConnections: number
    private readonly delivery: DeliveryLoop
    private readonly connections = new Set<CoapConnection>()
    /** Those among them that brought an authentic envelope. */
    private readonly trusted = new WeakSet<CoapConnection>()
    private closing: (() => void) | undefined

    /** Takes over `store` for reading and writing, but does not close it. */
    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        store: RouterStore
        clinic: ClinicLink
        log: Log
        maxConnections?: number
        maxOutboxBytes?: number
    }) {
        const { clock, store, clinic, log } = o
        this.clock = clock
        this.random = o.random
        this.store = store
        this.log = log
        this.maxConnections = o.maxConnections ?? defaultMaxConnections
        this.keyring = new Keyring({ clock, store, clinic, log })
        this.delivery = new DeliveryLoop({ clock, random: o.random, store, clinic, log })
        this.ingest = new Ingest({
            clock,
            store,
            keyring: this.keyring,
            maxOutboxBytes: o.maxOutboxBytes ?? defaultMaxOutboxBytes,
            log,
            onStored: () => this.delivery.wake(),
        })
        this.keyring.subscribe(eui => {
            if (!this.keyring.find(eui)) this.motes.find(eui)?.connection.release()
        })
        this.relay = new Relay({ clock, motes: this.motes })
        new Downlink({ clock, motes: this.motes, keyring: this.keyring, log })
        const resources = moteResources(this.ingest, (eui, requester) => {
            if (!(requester instanceof CoapConnection) || !this.connections.has(requester)) return
            this.trusted.add(requester)
            this.motes.brought(eui, requester, clock.now())
        })
        this.serve = blockwise(dispatch({ ...resources, ...directory(this.motes, this.relay) }, this.relay.proxy))
        const { refusedLength: envelopes, refusedBytes: bytes } = store
        if (envelopes > 0)
            log.warn(
                { envelopes, bytes },
                "the clinic refused envelopes: they are kept, --retry-refused offers them again",
            )
        this.delivery.wake()
    }

    /** Serves CoAP over TCP on a connection. */
    accept(stream: ByteStream): void {
        if (this.closing || (this.connections.size >= this.maxConnections && !this.makeRoom())) {
            this.log.debug({ peer: stream.peer }, "connection refused")
            stream.destroy()
            return
        }
        const connection = new CoapConnection({
            stream,
            clock: this.clock,
            random: this.random,
            serve: this.serve,
            onClose: () => this.closed(connection),
            log: this.log,
        })
        this.connections.add(connection)
        connection.start()
    }

    stats(): RouterStats {
        return {
            ...this.ingest.counts,
            connections: this.connections.size,
            mqttMotes: this.countMqttMotes(),
            outbox: this.store.outboxLength,
            outboxBytes: this.store.outboxBytes,
            refusedByClinic: this.store.refusedLength,
            refusedByClinicBytes: this.store.refusedBytes,
        }
    }

    /** Answers what was asked, sends a Release to every mote and stops delivering. */
    async close(): Promise<void> {
        this.ingest.commit()
        this.delivery.close()
        this.keyring.close()
        await new Promise<void>(resolve => {
            const impatient = this.clock.setTimeout(() => {
                for (const connection of this.connections) connection.destroy()
            }, 2 * lingerMs)
            this.closing = () => {
                if (this.connections.size > 0) return
                this.clock.clearTimeout(impatient)
                resolve()
            }
            for (const connection of this.connections) connection.release()
            this.closing()
        })
    }

    /** Gives up the oldest connection that never brought an envelope, so that strangers do not keep motes out. */
    private makeRoom(): boolean {
        for (const connection of this.connections) {
            if (this.trusted.has(connection)) continue
            this.log.debug({ peer: connection.peer }, "connection dropped for a newer one")
            this.closed(connection)
            connection.destroy()
            return true
        }
        return false
    }

    private closed(connection: CoapConnection): void {
        this.connections.delete(connection)
        this.motes.closed(connection)
        this.closing?.()
    }
}
