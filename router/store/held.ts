/** A number of envelopes and their bytes. */
export class Amount {
    rows = 0
    bytes = 0

    add(rows: number, bytes: number): void {
        this.rows += rows
        this.bytes += bytes
    }
}

/** The amount in the outbox by mote, in the order of the motes' turns. */
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

    rowsOf(kid: Uint8Array): number {
        return this.byMote.get(hex(kid))?.rows ?? 0
    }

    /** The kids of the motes with envelopes, in hex and in the order of their turns. */
    get motes(): string[] {
        return [...this.byMote.keys()]
    }

    /** Moves a mote to the end after its turn. */
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
