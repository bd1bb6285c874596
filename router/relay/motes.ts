import type { CoapConnection } from "../coap/connection.ts"

/** A mote and its current connection. */
export interface ConnectedMote {
    readonly eui: string
    readonly connection: CoapConnection
    /** The time of its first envelope on this connection, as Unix time in milliseconds. */
    readonly since: number
    /** The time of its latest envelope on this connection, as Unix time in milliseconds. */
    lastEnvelopeAt: number
}

export interface MotesListener {
    connected?(mote: ConnectedMote): void
    /** A new envelope arrived, including the first one of the connection. */
    envelopeReceived?(mote: ConnectedMote): void
    /** The mote's connection closed, or the mote uses another one now. */
    disconnected?(mote: ConnectedMote): void
}

/**
 * Maps motes to connections. A connection belongs to the mote whose new authentic envelope arrived on it last. A
 * replayed envelope does not count, so nobody can receive a mote's requests by replaying its envelopes.
 */
export class Motes {
    private readonly byEui = new Map<string, ConnectedMote>()
    private readonly byConnection = new Map<CoapConnection, ConnectedMote>()
    private readonly listeners = new Set<MotesListener>()

    /** Records that a new envelope of the mote arrived on this connection. */
    envelopeReceived(eui: string, connection: CoapConnection, now: number): void {
        const mote = this.at(eui, connection) ?? this.connect(eui, connection, now)
        mote.lastEnvelopeAt = now
        for (const listener of this.listeners) listener.envelopeReceived?.(mote)
    }

    closed(connection: CoapConnection): void {
        const mote = this.byConnection.get(connection)
        if (mote) this.remove(mote)
    }

    find(eui: string): ConnectedMote | undefined {
        return this.byEui.get(eui)
    }

    /** Returns all connected motes, sorted by `eui`. */
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
        const replaced = [this.byEui.get(eui), this.byConnection.get(connection)]
        for (const mote of replaced) if (mote) this.remove(mote)
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
