import type { CoapConnection } from "../coap/connection.ts"

/** A mote that can be asked, as long as its connection lasts. */
export interface ConnectedMote {
    readonly eui: string
    readonly connection: CoapConnection
    /** When it brought the first and the newest envelope on this connection, unix ms. */
    readonly since: number
    lastEnvelopeAt: number
}

export interface MotesListener {
    connected?(mote: ConnectedMote): void
    /** An envelope came, the first one of the connection included. */
    brought?(mote: ConnectedMote): void
    /** Its connection is closed, or the mote is on another one now. */
    disconnected?(mote: ConnectedMote): void
}

/**
 * Which mote is at the other end of which connection: the one whose authentic envelope, brought by nobody before, came on
 * it last. So who plays back what a mote sent does not get asked in its place.
 */
export class Motes {
    private readonly byEui = new Map<string, ConnectedMote>()
    private readonly byConnection = new Map<CoapConnection, ConnectedMote>()
    private readonly listeners = new Set<MotesListener>()

    /** An envelope of the mote came on this connection, for the first time anywhere. */
    brought(eui: string, connection: CoapConnection, now: number): void {
        const mote = this.at(eui, connection) ?? this.connect(eui, connection, now)
        mote.lastEnvelopeAt = now
        for (const listener of this.listeners) listener.brought?.(mote)
    }

    closed(connection: CoapConnection): void {
        const mote = this.byConnection.get(connection)
        if (mote) this.remove(mote)
    }

    find(eui: string): ConnectedMote | undefined {
        return this.byEui.get(eui)
    }

    /** All of them, by their eui. */
    list(): ConnectedMote[] {
        return [...this.byEui.values()].sort((a, b) => (a.eui < b.eui ? -1 : 1))
    }

    subscribe(listener: MotesListener): void {
        this.listeners.add(listener)
    }

    private at(eui: string, connection: CoapConnection): ConnectedMote | undefined {
        const known = this.byEui.get(eui)
        return known?.connection === connection ? known : undefined
    }

    private connect(eui: string, connection: CoapConnection, now: number): ConnectedMote {
        const before = [this.byEui.get(eui), this.byConnection.get(connection)]
        for (const mote of before) if (mote) this.remove(mote)
        const mote = { eui, connection, since: now, lastEnvelopeAt: now }
        this.byEui.set(eui, mote)
        this.byConnection.set(connection, mote)
        for (const listener of this.listeners) listener.connected?.(mote)
        return mote
    }

    private remove(mote: ConnectedMote): void {
        this.byEui.delete(mote.eui)
        this.byConnection.delete(mote.connection)
        for (const listener of this.listeners) listener.disconnected?.(mote)
    }
}
