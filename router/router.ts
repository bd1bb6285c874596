import { elapsedMs, type Clock } from "../host/clock.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"
import type { ByteStream } from "../host/stream.ts"
import type { Place } from "./admission.ts"
import type { Attach, Attachment, AttachmentParts } from "./attachment.ts"
import type { ClinicLink } from "./clinic-link.ts"
import { blockwise } from "./coap/block.ts"
import { maxEnvelopeBytes } from "../wire/envelope.ts"
import { dispatch } from "./coap/dispatch.ts"
import { Code, message } from "./coap/message.ts"
import type { Server } from "./coap/requester.ts"
import { ClinicTime, type MachineTime } from "./clinic-time.ts"
import { defaultMaxOutboxBytes, Ingest, type IngestCounts } from "./ingest.ts"
import { Clinics, timeOf } from "./clinics/clinics.ts"
import { Keyrings, type NamedClinic } from "./clinics/keyrings.ts"
import { CoapAttachment } from "./relay/coap-attachment.ts"
import { directory } from "./relay/directory.ts"
import { Motes } from "./relay/motes.ts"
import { Replays } from "./replays.ts"
import { Relay } from "./relay/relay.ts"
import { Waiting } from "./relay/waiting.ts"
import { moteResources, networkResource } from "./resources.ts"
import type { Network, RouterStatus } from "./browser/messages.ts"
import { Status } from "./status/status.ts"
import { Traffic } from "./status/traffic.ts"
import type { RouterStore } from "./store/store.ts"

export interface RouterStats extends IngestCounts {
    /** The number of CoAP connections. */
    connections: number
    /** The number of motes that are online over MQTT. */
    mqttMotes: number
    /** The number of envelopes that wait for delivery. */
    outbox: number
    /** The bytes of those envelopes. */
    outboxBytes: number
    /** The number of dead letters, which are envelopes that the clinic refused. */
    refusedByClinic: number
    /** The bytes of the dead letters. */
    refusedByClinicBytes: number
}

/** Anybody may ask for a probe of the disk: not more often than this. */
const probeMs = 5_000

/**
 * The border router, independent of real clocks and sockets. It accepts motes' envelopes, stores them and delivers them
 * to the clinic. It can detect a forgery but cannot decrypt a reading.
 */
export class Router {
    /** Accepts envelopes, also from transports other than CoAP. */
    readonly ingest: Ingest
    readonly keyring: Keyrings
    /** The motes on CoAP connections. */
    readonly motes = new Motes()
    readonly relay: Relay
    /** Handles CoAP requests from any transport. */
    readonly serve: Server
    private readonly store: RouterStore
    private readonly clock: Clock
    private probed: { at: number; failure: string | undefined } | undefined
    private readonly clinics: Clinics
    private readonly coap: CoapAttachment
    private readonly attachments: Attachment[]
    private readonly look: Status

    /**
     * Reads and writes `store` but does not close it.
     * @param o.attach makes the attachments in addition to CoAP
     */
    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        store: RouterStore
        /** The clinic, or several. */
        clinic: ClinicLink | readonly NamedClinic[]
        log: Log
        attach?: Attach[]
        maxConnections?: number
        maxOutboxBytes?: number
        /** The limit for dead letters. */
        maxDeadLetterBytes?: number
        /** The rate limit of one mote. */
        moteBytesPerMinute?: number
        /** The machine's times, if its clock may be wrong. */
        machine?: MachineTime
        /** Called with the time that a commit of envelopes took. */
        onCommitted?: (ms: number) => void
        /** The radio network, if this router is its 6LoWPAN border router: served as `/rpl`. */
        network?: () => Network
    }) {
        const { clock, random, store, log, maxConnections } = o
        const clinics = "deliver" in o.clinic ? [{ name: "", link: o.clinic }] : o.clinic
        const maxOutboxBytes = o.maxOutboxBytes ?? defaultMaxOutboxBytes
        this.store = store
        this.clock = clock
        this.keyring = new Keyrings({ clock, store, clinics, log })
        const replays = new Replays({ store, keyring: this.keyring })
        const { maxDeadLetterBytes, moteBytesPerMinute, machine } = o
        this.clinics = new Clinics({
            ...{ clock, random, store, replays, keyrings: this.keyring, clinics, maxOutboxBytes, log },
            ...(maxDeadLetterBytes !== undefined && { maxDeadLetterBytes }),
        })
        const time = new ClinicTime({ clock, store, clinic: timeOf(clinics, clock), log, ...(machine && { machine }) })
        const traffic = new Traffic({ clock, isKnown: eui => this.keyring.find(eui) !== undefined })
        this.ingest = new Ingest({
            clock,
            store,
            keyring: this.keyring,
            replays,
            time,
            ...(moteBytesPerMinute !== undefined && { moteBytesPerMinute }),
            maxOutboxBytes,
            isShareUsed: (kid, bytes, part) => this.clinics.isShareUsed(kid, bytes, part),
            log,
            onStored: () => this.clinics.wake(),
            onCommitted: o.onCommitted,
            onResult: (envelope, result) => traffic.note(envelope, result),
        })
        const parts: AttachmentParts = { clock, random, ingest: this.ingest, keyring: this.keyring, log }
        const serve: Server = (request, requester) => this.serve(request, requester)
        const waiting = new Waiting(parts)
        this.coap = new CoapAttachment(parts, {
            motes: this.motes,
            waiting,
            serve,
            ...(maxConnections !== undefined && { maxConnections }),
        })
        this.attachments = [this.coap, ...(o.attach ?? []).map(attach => attach(parts))]
        this.relay = new Relay(this.attachments)
        this.look = new Status({
            ...{ clock, store, traffic, waiting, keyring: this.keyring, motes: this.motes },
            ...{ attachments: this.attachments, clinics: this.clinics, downlink: this.coap.downlink },
        })
        const resources = {
            ...moteResources(this.ingest),
            ...directory(this.motes, this.relay),
            ...(o.network && networkResource(o.network)),
        }
        const respond = blockwise(dispatch(resources, this.relay.proxy))
        const failures = new LogSummary("requests failed", { clock, log, level: "error" })
        this.serve = async (request, requester) => {
            try {
                return await respond(request, requester)
            } catch (error) {
                failures.count((error as Error).message)
                return message(Code.InternalServerError)
            }
        }
        this.keyring.subscribe(eui => {
            const isKnown = this.keyring.find(eui) !== undefined
            for (const attachment of this.attachments)
                if (isKnown) attachment.changed(eui)
                else attachment.dismiss(eui)
            if (!isKnown) traffic.forget(eui)
            // With the keys came the mote's clinic: what waits may go there.
            this.clinics.wake()
        })
        const { refusedLength: envelopes, refusedBytes: bytes } = store
        if (envelopes > 0)
            log.warn(
                { envelopes, bytes },
                "the clinic refused envelopes, now dead letters: `vitalmote router dead-letters list` shows them",
            )
        this.clinics.wake()
    }

    /** Serves CoAP over TCP on a connection. */
    accept(stream: ByteStream, place?: Place): void {
        this.coap.accept(stream, place)
    }

    /** Admits a connection before its TLS handshake. Returns undefined if there is no place. */
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

    /** What is to be seen of motes, delivery and dead letters at the moment. */
    status(): RouterStatus {
        return this.look.now(this.canStore())
    }

    /** Returns why no readings can be stored, or undefined if they can. Writes to the disk, at most every 5 s. */
    canStore(): string | undefined {
        const now = elapsedMs(this.clock)
        if (!this.probed || now - this.probed.at >= probeMs) this.probed = { at: now, failure: this.probe(now) }
        return this.probed.failure ?? (this.ingest.isOutboxFull ? "the outbox is full" : undefined)
    }

    /** Writes as much as an envelope takes. */
    private probe(now: number): string | undefined {
        try {
            this.store.setMeta("probe", String(now).padEnd(maxEnvelopeBytes))
            return undefined
        } catch {
            return "the store does not work"
        }
    }

    /** Completes pending requests, closes all connections and stops delivery. */
    async close(): Promise<void> {
        const stored = this.ingest.flush()
        this.clinics.close()
        this.keyring.close()
        await stored
        await Promise.all(this.attachments.map(async attachment => await attachment.close()))
    }
}
