import type { ByteStream } from "../../host/stream.ts"
import { Admission, type Place } from "../admission.ts"
import type { Attachment, AttachmentParts } from "../attachment.ts"
import { CoapConnection } from "../coap/connection.ts"
import type { Server } from "../coap/requester.ts"
import { lingerMs } from "../coap/session.ts"
import { Downlink } from "./downlink.ts"
import type { Motes } from "./motes.ts"
import { RelayedMote } from "./relayed-mote.ts"
import type { Waiting } from "./waiting.ts"

/** The default maximum number of CoAP connections. */
const defaultMaxConnections = 1024

/** The attachment of CoAP over TCP: its connections and the motes on them. */
export class CoapAttachment implements Attachment {
    readonly protocol = "coap"
    private readonly parts: AttachmentParts
    private readonly motes: Motes
    private readonly serve: Server
    private readonly admission: Admission
    readonly downlink: Downlink
    private readonly relays = new Map<string, RelayedMote>()
    private readonly connections = new Set<CoapConnection>()
    private closing: (() => void) | undefined

    /** @param o.serve handles the requests that arrive on the connections */
    constructor(parts: AttachmentParts, o: { motes: Motes; waiting: Waiting; serve: Server; maxConnections?: number }) {
        this.parts = parts
        this.motes = o.motes
        this.serve = o.serve
        this.admission = new Admission({ clock: parts.clock, max: o.maxConnections ?? defaultMaxConnections })
        this.downlink = new Downlink({ ...parts, waiting: o.waiting })
        this.motes.subscribe({
            connected: ({ eui, connection }) => this.relays.set(eui, new RelayedMote(parts.clock, connection)),
            envelopeReceived: mote => void this.downlink.sendPending(mote),
            disconnected: ({ eui }) => {
                this.relays.get(eui)?.close()
                this.relays.delete(eui)
            },
        })
    }

    get size(): number {
        return this.admission.size
    }

    get online(): string[] {
        return this.motes.list().map(({ eui }) => eui)
    }

    has(eui: string): boolean {
        return this.motes.find(eui) !== undefined
    }

    relayed(eui: string): RelayedMote | undefined {
        return this.relays.get(eui)
    }

    changed(eui: string): void {
        const mote = this.motes.find(eui)
        if (mote) void this.downlink.sendPending(mote)
    }

    dismiss(eui: string): void {
        this.motes.find(eui)?.connection.release()
    }

    admit(peer: string, drop: () => void): Place | undefined {
        return this.closing ? undefined : this.admission.admit(peer, drop)
    }

    /** Serves a connection. */
    accept(stream: ByteStream, place = this.admit(stream.peer, () => stream.destroy())): void {
        const { clock, random, log } = this.parts
        if (!place) {
            log.debug({ peer: stream.peer }, "connection refused")
            stream.destroy()
            return
        }
        const connection = new CoapConnection({
            ...{ stream, clock, random, log, serve: this.serve },
            onClose: () => {
                place.leave()
                this.connections.delete(connection)
                this.motes.closed(connection)
                this.closing?.()
            },
            onCsm: () => place.protocolConfirmed(),
            spend: cost => place.spend(cost),
            onEnvelope: eui => {
                place.login(eui)
                this.motes.envelopeReceived(eui, connection, clock.now())
            },
        })
        this.connections.add(connection)
        connection.start()
    }

    /** Sends Release to every peer and waits for them to disconnect. Cuts off those that do not within a time limit. */
    async close(): Promise<void> {
        const { clock } = this.parts
        await new Promise<void>(resolve => {
            const impatient = clock.setTimeout(() => {
                for (const connection of this.connections) connection.destroy()
            }, 2 * lingerMs)
            this.closing = () => {
                if (this.connections.size > 0) return
                clock.clearTimeout(impatient)
                resolve()
            }
            for (const connection of this.connections) connection.release()
            this.closing()
        })
    }
}
