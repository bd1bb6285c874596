/** How many envelopes there are of something, and their bytes. */
export class Amount {
    rows = 0
    bytes = 0

    add(rows: number, bytes: number): void {
        this.rows += rows
        this.bytes += bytes
    }
}

/** What the outbox holds of each mote, the mote whose turn it is first. */
export class Turns {
    private readonly byMote = new Map<string, Amount>()

    add(kid: Uint8Array, rows: number, bytes: number): void {
        const name = hex(kid)
        const held = this.byMote.get(name) ?? new Amount()
        held.add(rows, bytes)
        if (held.rows > 0) this.byMote.set(name, held)
        else this.byMote.delete(name)
    }

    bytesOf(kid: Uint8Array): number {
        return this.byMote.get(hex(kid))?.bytes ?? 0
    }

    /** The motes that have something, in the order of their turns, in hex. */
    get motes(): string[] {
        return [...this.byMote.keys()]
    }

    /** This mote had its turn. */
    served(name: string): void {
        const held = this.byMote.get(name)
        if (!held) return
        this.byMote.delete(name)
        this.byMote.set(name, held)
    }
}

function hex(kid: Uint8Array): string {
    return Buffer.from(kid).toString("hex")
}
