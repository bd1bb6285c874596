import type { Purpose } from "../../../wire/envelope.ts"

/** The maximum number of envelopes per turn of a mote, about a minute of its readings. */
const turnEnvelopes = 8
/** The maximum size of a turn. A single envelope may be larger. */
const turnBytesMax = 4096
const none = -1
const firstCapacity = 1024

/** Where an envelope is: the segment, and the offset of its record's body there. */
export interface Place {
    id: number
    segment: number
    at: number
    /** The length of the envelope. */
    length: number
}

/** The envelopes of one mote and purpose that wait, the oldest first. */
interface Queue {
    head: number
    tail: number
    rows: number
    bytes: number
}

/**
 * What waits in the outbox: 27 bytes of memory per envelope, in arrays, so that a full outbox fits into a small machine. It gives
 * out envelopes in turns: alarms before readings, motes in turn, the oldest of each mote first.
 */
export class Queues {
    rows = 0
    bytes = 0
    private readonly byMote: Record<Purpose, Map<string, Queue>> = { alarm: new Map(), vitals: new Map() }
    private ids = new Float64Array(firstCapacity)
    private segments = new Uint32Array(firstCapacity)
    private offsets = new Uint32Array(firstCapacity)
    private lengths = new Uint16Array(firstCapacity)
    /** The next of the same queue, or of the free slots. */
    private nexts = new Int32Array(firstCapacity)
    private gone = new Uint8Array(firstCapacity)
    private used = 0
    private free = none

    /** Adds an envelope at the end of its mote's queue, or at its front. Returns its slot. */
    add(kid: string, purpose: Purpose, place: Place, isFront = false): number {
        const slot = this.newSlot()
        this.ids[slot] = place.id
        this.segments[slot] = place.segment
        this.offsets[slot] = place.at
        this.lengths[slot] = place.length
        this.nexts[slot] = none
        this.gone[slot] = 0
        const queues = this.byMote[purpose]
        const queue = queues.get(kid)
        if (!queue) queues.set(kid, { head: slot, tail: slot, rows: 1, bytes: place.length })
        else {
            if (isFront) {
                this.nexts[slot] = queue.head
                queue.head = slot
            } else {
                this.nexts[queue.tail] = slot
                queue.tail = slot
            }
            queue.rows++
            queue.bytes += place.length
        }
        this.rows++
        this.bytes += place.length
        return slot
    }

    /** Removes an envelope. Returns false if it is not there any more. */
    remove(kid: string, purpose: Purpose, slot: number, id: number): boolean {
        const queue = this.byMote[purpose].get(kid)
        if (!queue || this.ids[slot] !== id || this.gone[slot]) return false
        const length = this.lengths[slot]!
        this.gone[slot] = 1
        this.rows--
        this.bytes -= length
        queue.rows--
        queue.bytes -= length
        while (queue.head !== none && this.gone[queue.head]) {
            const { head } = queue
            queue.head = this.nexts[head]!
            this.nexts[head] = this.free
            this.free = head
        }
        if (queue.head === none) this.byMote[purpose].delete(kid)
        return true
    }

    place(slot: number): Place {
        return {
            id: this.ids[slot]!,
            segment: this.segments[slot]!,
            at: this.offsets[slot]!,
            length: this.lengths[slot]!,
        }
    }

    /** Tells whether an envelope still waits in a slot. */
    has(slot: number, id: number): boolean {
        return this.ids[slot] === id && !this.gone[slot]
    }

    /** Says where an envelope is now. */
    move(slot: number, segment: number, at: number): void {
        this.segments[slot] = segment
        this.offsets[slot] = at
    }

    rowsOf(kid: string): number {
        return (this.byMote.alarm.get(kid)?.rows ?? 0) + (this.byMote.vitals.get(kid)?.rows ?? 0)
    }

    bytesOf(kid: string): number {
        return (this.byMote.alarm.get(kid)?.bytes ?? 0) + (this.byMote.vitals.get(kid)?.bytes ?? 0)
    }

    /** What waits of these motes. */
    ofMotes(isOf: (kid: string) => boolean): { rows: number; bytes: number } {
        const sum = { rows: 0, bytes: 0 }
        for (const queues of Object.values(this.byMote))
            for (const [kid, queue] of queues)
                if (isOf(kid)) {
                    sum.rows += queue.rows
                    sum.bytes += queue.bytes
                }
        return sum
    }

    /**
     * The slots of the next batch. `take` gets each, and says whether it counts: an envelope may turn out to be lost.
     * @param isOf only of these motes
     */
    next(
        maxEnvelopes: number,
        maxBytes: number,
        take: (slot: number, kid: string, purpose: Purpose) => boolean,
        isOf?: (kid: string) => boolean,
    ): void {
        let rows = 0
        let bytes = 0
        for (const purpose of ["alarm", "vitals"] as const) {
            const queues = this.byMote[purpose]
            const chosen = isOf ? [...queues].filter(([kid]) => isOf(kid)) : [...queues]
            const cursors = new Map(chosen.map(([kid, { head }]) => [kid, head]))
            while (cursors.size > 0)
                for (const [kid, cursor] of cursors) {
                    let slot = cursor
                    let turnRows = 0
                    let turnBytes = 0
                    while (slot !== none && turnRows < turnEnvelopes) {
                        const length = this.lengths[slot]!
                        const following = this.nexts[slot]!
                        if (!this.gone[slot]) {
                            if (turnRows > 0 && turnBytes + length > turnBytesMax) break
                            if (rows === maxEnvelopes || (rows > 0 && bytes + length > maxBytes)) return
                            if (take(slot, kid, purpose)) {
                                rows++
                                bytes += length
                                turnRows++
                                turnBytes += length
                            }
                        }
                        slot = following
                    }
                    if (slot === none) cursors.delete(kid)
                    else cursors.set(kid, slot)
                    this.served(queues, kid)
                }
        }
    }

    /** The slots of the newest `max` envelopes of one mote, the oldest of them first. */
    newestOf(kid: string, max: number): number[] {
        const newest: number[] = []
        for (const queues of Object.values(this.byMote)) {
            const slots: number[] = []
            for (let slot = queues.get(kid)?.head ?? none; slot !== none; slot = this.nexts[slot]!) {
                if (this.gone[slot]) continue
                slots.push(slot)
                if (slots.length > 2 * max) slots.splice(0, max)
            }
            newest.push(...slots)
        }
        return newest.sort((a, b) => this.ids[a]! - this.ids[b]!).slice(-max)
    }

    /** The slots of all envelopes of a segment, with mote and purpose. */
    *inSegment(segment: number): Generator<{ slot: number; kid: string; purpose: Purpose }> {
        for (const purpose of ["alarm", "vitals"] as const)
            for (const [kid, { head }] of this.byMote[purpose])
                for (let slot = head; slot !== none; slot = this.nexts[slot]!)
                    if (this.segments[slot] === segment && !this.gone[slot]) yield { slot, kid, purpose }
    }

    /** Moves a mote to the end after its turn. */
    private served(queues: Map<string, Queue>, kid: string): void {
        const queue = queues.get(kid)
        if (!queue) return
        queues.delete(kid)
        queues.set(kid, queue)
    }

    private newSlot(): number {
        if (this.free !== none) {
            const slot = this.free
            this.free = this.nexts[slot]!
            return slot
        }
        if (this.used === this.ids.length) this.grow()
        return this.used++
    }

    private grow(): void {
        const capacity = 2 * this.ids.length
        const grown = <A extends Float64Array | Uint32Array | Uint16Array | Int32Array | Uint8Array>(
            array: A,
            larger: A,
        ): A => {
            larger.set(array)
            return larger
        }
        this.ids = grown(this.ids, new Float64Array(capacity))
        this.segments = grown(this.segments, new Uint32Array(capacity))
        this.offsets = grown(this.offsets, new Uint32Array(capacity))
        this.lengths = grown(this.lengths, new Uint16Array(capacity))
        this.nexts = grown(this.nexts, new Int32Array(capacity))
        this.gone = grown(this.gone, new Uint8Array(capacity))
    }
}
