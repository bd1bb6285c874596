import type { Clock } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import type { ByteStream } from "../host/stream.ts"
import type { Place } from "./admission.ts"
import type { Attach, Attachment, AttachmentParts } from "./attachment.ts"
import type { ClinicLink } from "./clinic-link.ts"
import { blockwise } from "./coap/block.ts"
import { dispatch } from "./coap/dispatch.ts"
import type { Server } from "./coap/requester.ts"
import { ClinicTime, type MachineTime } from "./clinic-time.ts"
import { DeliveryLoop } from "./delivery.ts"
import { defaultMaxOutboxBytes, Ingest, type IngestCounts } from "./ingest.ts"
import { Keyring } from "./keyring.ts"
import { CoapAttachment } from "./relay/coap-attachment.ts"
import { directory } from "./relay/directory.ts"
import { Motes } from "./relay/motes.ts"
import { Relay } from "./relay/relay.ts"
import { moteResources } from "./resources.ts"
import type { RouterStore } from "./store/store.ts"

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
    /** Answers CoAP requests, whatever brings them. */
    readonly serve: Server
    private readonly store: RouterStore
    private readonly delivery: DeliveryLoop
    private readonly coap: CoapAttachment
    private readonly attachments: Attachment[]

    /**
     * Takes over `store` for reading and writing, but does not close it.
     * @param o.attach other ways than CoAP by which motes are attached
     */
    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        store: RouterStore
        clinic: ClinicLink
        log: Log
        attach?: Attach[]
        maxConnections?: number
        maxOutboxBytes?: number
        /** What the clinic refused may take so much. */
        maxDeadLetterBytes?: number
        /** What one mote may send in a minute. */
        moteBytesPerMinute?: number
        /** The machine's time, where its clock may be wrong. */
        machine?: MachineTime
    }) {
        const { clock, random, store, clinic, log, maxConnections } = o
        this.store = store
        this.keyring = new Keyring({ clock, store, clinic, log })
        const { maxDeadLetterBytes, moteBytesPerMinute, machine } = o
        this.delivery = new DeliveryLoop({
            ...{ clock, random, store, clinic, log },
            ...(maxDeadLetterBytes !== undefined && { maxDeadLetterBytes }),
        })
        const time = new ClinicTime({ clock, store, clinic, log, ...(machine && { machine }) })
        this.ingest = new Ingest({
            clock,
            store,
            keyring: this.keyring,
            time,
            ...(moteBytesPerMinute !== undefined && { moteBytesPerMinute }),
            maxOutboxBytes: o.maxOutboxBytes ?? defaultMaxOutboxBytes,
            log,
            onStored: () => this.delivery.wake(),
        })
        const parts: AttachmentParts = { clock, random, ingest: this.ingest, keyring: this.keyring, log }
        const serve: Server = (request, requester) => this.serve(request, requester)
        this.coap = new CoapAttachment(parts, {
            motes: this.motes,
            serve,
            ...(maxConnections !== undefined && { maxConnections }),
        })
        this.attachments = [this.coap, ...(o.attach ?? []).map(attach => attach(parts))]
        this.relay = new Relay(this.attachments)
        const resources = { ...moteResources(this.ingest), ...directory(this.motes, this.relay) }
        this.serve = blockwise(dispatch(resources, this.relay.proxy))
        this.keyring.subscribe(eui => {
            const isKnown = this.keyring.find(eui) !== undefined
            for (const attachment of this.attachments)
                if (isKnown) attachment.changed(eui)
                else attachment.dismiss(eui)
        })
        const { refusedLength: envelopes, refusedBytes: bytes } = store
        if (envelopes > 0)
            log.warn(
                { envelopes, bytes },
                "there are dead letters, which the clinic refused: `vitalmote router dead-letters list` shows them",
            )
        this.delivery.wake()
    }

    /** Serves CoAP over TCP on a connection. */
    accept(stream: ByteStream, place?: Place): void {
        this.coap.accept(stream, place)
    }

    /** A place for a connection that is still being made, by TLS; undefined where there is none. */
    admit(peer: string, drop: () => void): Place | undefined {
        return this.coap.admit(peer, drop)
    }

    stats(): RouterStats {
        const mqtt = this.attachments.filter(({ protocol }) => protocol === "mqtt")
        return {
            ...this.ingest.counts,
            connections: this.coap.size,
            mqttMotes: new Set(mqtt.flatMap(({ online }) => online)).size,
            outbox: this.store.outboxLength,
            outboxBytes: this.store.outboxBytes,
            refusedByClinic: this.store.refusedLength,
            refusedByClinicBytes: this.store.refusedBytes,
        }
    }

    /** Answers what was asked, says goodbye to every mote and stops delivering. */
    async close(): Promise<void> {
        this.ingest.commit()
        this.delivery.close()
        this.keyring.close()
        await Promise.all(this.attachments.map(async attachment => await attachment.close()))
    }
}
