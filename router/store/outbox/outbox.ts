import { readdirSync, renameSync } from "node:fs"
import { makeFolder } from "../../../host/files.ts"
import type { Purpose } from "../../../wire/envelope.ts"
import type { OfMotes, Queued } from "../store.ts"
import { Queues, type Place } from "./queues.ts"
import {
    decodeBody,
    envelopeIn,
    envelopeRecord,
    framed,
    headerBytes,
    intactLength,
    kidKeyIn,
    knownGeneration,
    plausibleLength,
    recordBytes,
    releasedRecord,
    scan,
    settledRecords,
    type EnvelopeRecord,
    type Released,
} from "./record.ts"
import { FileSegment, MemorySegment, segmentNumber, type Segment } from "./segment.ts"

/** A segment that has more is full. */
export const segmentBytes = 16 * 2 ** 20
/** The maximum number of delivered envelopes of which the log does not know. After a crash they are delivered again. */
const maxUnwritten = 256
/** Envelopes are delivered from memory while the outbox has fewer bytes of newer ones. */
const cachedBytes = 4 * 2 ** 20
/** The log is compacted when it has so many bytes more than twice what waits. */
const slackBytes = 4 * segmentBytes

/** A position in the log. */
export interface Position {
    segment: number
    at: number
}

/** Something in the log that is no record, or no longer the one that was written. */
export interface Fault {
    file: string
    at: number
    bytes: number
    /** It was the last write, and may just have been interrupted. */
    isTail: boolean
}

/** What the log has of an envelope besides its id and purpose. */
type Contents = Pick<Queued, "kid" | "receivedAt" | "envelope">

/** One write at the end of a segment. */
interface Write {
    records: EnvelopeRecord[]
    /** Envelopes of an older segment. */
    moved: { slot: number; id: number; body: Buffer }[]
    settled: Buffer[]
    bytes: Buffer
    /** The segment's end before it. */
    start: number
}

/** What a start has to do again to the replay windows, in order. */
export type Replay = { record: { kid: Uint8Array; generation: number; envelope: Uint8Array } } | { release: Released }

/**
 * The outbox: a log of segments, with the order of what waits in memory. Envelopes, and what became of them, are added at the end
 * of the newest segment. Several envelopes share one sync of the disk. A segment is deleted when nothing in it and in older
 * ones waits. `append` calls must not overlap.
 */
export class Outbox {
    private readonly folder: string | undefined
    private readonly report: (fault: Fault) => void
    private readonly segments = new Map<number, Segment>()
    private readonly live = new Map<number, number>()
    private readonly damaged = new Set<number>()
    private readonly queues = new Queues()
    private readonly slots = new WeakMap<Queued, number>()
    /** Envelopes by slot, the oldest first. */
    private readonly cache = new Map<number, Contents & { id: number }>()
    private cacheBytes = 0
    private unwritten: Buffer[] = []
    private settledIds: number[] = []
    private nextId = 1
    private current: Segment | undefined
    private isBroken = false
    /** An append is at work. */
    private isBusy = false
    /** Segments below this one may be deleted: the replay windows of their envelopes are stored elsewhere. */
    private covered = Infinity
    private lastNumber = 0

    /** The log's files are older than `since`, or missing. */
    isIncomplete = false

    private constructor(folder: string | undefined, report: (fault: Fault) => void) {
        this.folder = folder
        this.report = report
    }

    static inMemory(): Outbox {
        return new Outbox(undefined, () => {})
    }

    /**
     * Opens the log in a folder, which it makes if necessary. Throws UserError or an error of the file system.
     * @param o.replayed called with what the replay windows may not have: what was written at `o.since` or later
     * @param o.report called for damage in the log. The file is kept
     */
    static open(
        folder: string,
        o: { since: Position; replayed: (change: Replay) => void; report: (fault: Fault) => void },
    ): Outbox {
        makeFolder(folder)
        const outbox = new Outbox(folder, o.report)
        outbox.covered = o.since.segment
        outbox.lastNumber = o.since.segment
        const names = readdirSync(folder).filter(name => segmentNumber(name) !== undefined)
        // From the newest on, because what was settled is written behind it.
        const settled = new SettledIds()
        const replays: Replay[][] = []
        for (const name of names.sort().reverse())
            replays.push(outbox.load(name, name === names.at(0), settled, o.since))
        for (const changes of replays.reverse()) for (const change of changes) o.replayed(change)
        const newest = names[0] === undefined ? undefined : segmentNumber(names[0])
        outbox.current = newest === undefined ? undefined : outbox.segments.get(newest)
        outbox.isIncomplete = (newest ?? 0) < o.since.segment
        outbox.nextId = settled.maxId + 1
        outbox.removeEmpty()
        return outbox
    }

    get rows(): number {
        return this.queues.rows
    }

    get bytes(): number {
        return this.queues.bytes
    }

    /** The size of the log's files. */
    get fileBytes(): number {
        let bytes = 0
        for (const { end } of this.segments.values()) bytes += end
        return bytes
    }

    /** The end of the log. */
    get position(): Position {
        return { segment: this.current?.number ?? this.lastNumber, at: this.current?.end ?? 0 }
    }

    rowsOf(kid: Uint8Array): number {
        return this.queues.rowsOf(keyOf(kid))
    }

    /** What waits of these motes, by default of all. */
    ofMotes(isOf?: OfMotes): { rows: number; bytes: number } {
        const chosen = byKey(isOf)
        return chosen ? this.queues.ofMotes(chosen) : { rows: this.rows, bytes: this.bytes }
    }

    bytesOf(kid: Uint8Array): number {
        return this.queues.bytesOf(keyOf(kid))
    }

    /** The newest envelopes of a mote, the oldest of them first. */
    newestOf(kid: Uint8Array, max: number): Uint8Array[] {
        return this.queues.newestOf(keyOf(kid), max).flatMap(slot => this.read(slot)?.envelope ?? [])
    }

    /**
     * Adds envelopes. They are durable, and in the outbox, when it returns or resolves. If it throws or rejects, the outbox is as
     * before.
     */
    append(envelopes: Omit<EnvelopeRecord, "id">[]): Promise<void> | void {
        const segment = this.writable()
        const write = this.prepare(envelopes, segment)
        this.isBusy = true
        let appended: Promise<void> | void
        try {
            appended = segment.append(write.bytes)
        } catch (error) {
            this.failed(write)
            throw error
        }
        if (!appended) return this.done(write, segment)
        return appended.then(
            () => this.done(write, segment),
            (error: unknown) => {
                this.failed(write)
                throw error
            },
        )
    }

    /** The same, while nothing else happens. */
    appendNow(envelopes: Omit<EnvelopeRecord, "id">[]): void {
        const segment = this.writable()
        const write = this.prepare(envelopes, segment)
        try {
            segment.add(write.bytes)
            segment.sync()
        } catch (error) {
            this.failed(write)
            throw error
        }
        this.done(write, segment)
    }

    private prepare(envelopes: Omit<EnvelopeRecord, "id">[], segment: Segment): Write {
        const records = envelopes.map((envelope, i) => ({ ...envelope, id: this.nextId + i }))
        const moved = this.toMove(segment)
        const settled = this.takeUnwritten()
        const bodies = [...moved.map(({ body }) => body), ...records.map(envelopeRecord), ...settled]
        return { records, moved, settled, bytes: framed(bodies, segment.number), start: segment.end }
    }

    private done({ records, moved, bytes, start }: Write, segment: Segment): void {
        this.isBusy = false
        this.nextId += records.length
        let at = start
        for (const { slot, id, body } of moved) {
            this.relocate(slot, id, segment.number, at + headerBytes)
            at += headerBytes + body.length
        }
        for (const { kid, purpose, id, envelope } of records) {
            const { length } = envelope
            const place = { id, segment: segment.number, at: at + headerBytes, length }
            const slot = this.queues.add(keyOf(kid), purpose, place)
            this.count(segment.number, 1)
            const bodyAt = at - start + headerBytes
            this.remember(slot, id, envelopeIn(bytes, bodyAt, recordBytes(length) - headerBytes))
            at += recordBytes(length)
        }
        this.removeEmpty()
    }

    private failed({ settled }: Write): void {
        this.isBusy = false
        this.isBroken = true
        this.unwritten.unshift(...settled)
    }

    /** Says that the replay windows are stored as of this position. */
    cover({ segment }: Position): void {
        this.covered = segment
        if (!this.isBusy) this.removeEmpty()
    }

    /** The next batch. It leaves out what the disk has changed, and reports it. */
    next(maxEnvelopes: number, maxBytes: number, isOf?: OfMotes): Queued[] {
        const batch: Queued[] = []
        const lost: [slot: number, kid: string, purpose: Purpose][] = []
        const take = (slot: number, kid: string, purpose: Purpose) => {
            const queued = this.read(slot)
            if (queued) {
                batch.push({ id: this.queues.place(slot).id, purpose, ...queued })
                this.slots.set(batch.at(-1)!, slot)
            } else lost.push([slot, kid, purpose])
            return queued !== undefined
        }
        this.queues.next(maxEnvelopes, maxBytes, take, byKey(isOf))
        for (const [slot, kid, purpose] of lost) this.drop(slot, kid, purpose, this.queues.place(slot))
        return batch
    }

    /** Removes envelopes that `next` has returned. The log learns of it with the next write. */
    settle(settled: Queued[], released: Released[] = []): void {
        for (const nonce of released) this.unwritten.push(releasedRecord(nonce))
        for (const queued of settled) {
            const slot = this.slots.get(queued)
            if (slot === undefined) continue
            this.drop(slot, keyOf(queued.kid), queued.purpose, { ...this.queues.place(slot), id: queued.id })
        }
        if (this.settledIds.length >= maxUnwritten && !this.isBusy) this.flush()
        if (!this.isBusy) this.removeEmpty()
    }

    /** Writes what became of envelopes. If that fails, they are delivered again after a crash. */
    flush(): void {
        const bodies = this.takeUnwritten()
        if (bodies.length === 0) return
        try {
            const segment = this.writable()
            segment.add(framed(bodies, segment.number))
        } catch {
            this.isBroken = true
            this.unwritten.unshift(...bodies)
        }
    }

    close(): void {
        this.flush()
        for (const segment of this.segments.values()) segment.close()
        this.segments.clear()
    }

    /** The segment to write to. A new one follows a full one, and one that could not be written. */
    private writable(): Segment {
        const { current, folder } = this
        if (current && current.end < segmentBytes && !(this.isBroken && current.end > 0)) return current
        const number = Math.max(current?.number ?? 0, this.lastNumber) + 1
        const segment = folder === undefined ? new MemorySegment(number) : FileSegment.create(folder, number)
        this.segments.set(number, segment)
        this.current = segment
        this.isBroken = false
        return segment
    }

    private takeUnwritten(): Buffer[] {
        const bodies = [...this.unwritten, ...settledRecords(this.settledIds)]
        this.unwritten = []
        this.settledIds = []
        return bodies
    }

    /** The oldest segment's envelopes, to be written once more, if the log has become much longer than what waits. */
    private toMove(target: Segment): Write["moved"] {
        if (this.fileBytes <= 2 * this.bytes + slackBytes) return []
        const [oldest] = [...this.segments.keys()].sort((a, b) => a - b)
        if (oldest === undefined || oldest === target.number) return []
        return [...this.queues.inSegment(oldest)].flatMap(({ slot, kid, purpose }) => {
            const queued = this.read(slot)
            const place = this.queues.place(slot)
            const { id } = place
            if (!queued) this.drop(slot, kid, purpose, place)
            return queued
                ? [{ slot, id, body: envelopeRecord({ ...queued, purpose, id, generation: knownGeneration }) }]
                : []
        })
    }

    private relocate(slot: number, id: number, segment: number, at: number): void {
        if (!this.queues.has(slot, id)) return // it was settled meanwhile
        this.count(this.queues.place(slot).segment, -1)
        this.queues.move(slot, segment, at)
        this.count(segment, 1)
    }

    private drop(slot: number, kid: string, purpose: Purpose, { id, segment }: Place): void {
        if (!this.queues.remove(kid, purpose, slot, id)) return
        this.count(segment, -1)
        this.settledIds.push(id)
        const cached = this.cache.get(slot)
        if (!cached) return
        this.cache.delete(slot)
        this.cacheBytes -= cached.envelope.length
    }

    private remember(slot: number, id: number, contents: Contents): void {
        this.cache.set(slot, { id, ...contents })
        this.cacheBytes += contents.envelope.length
        if (this.cacheBytes <= cachedBytes) return
        // Many at once: to find the oldest in a map from which older ones were deleted takes time.
        for (const [oldest, cached] of this.cache) {
            if (this.cacheBytes <= cachedBytes / 2) break
            this.cache.delete(oldest)
            this.cacheBytes -= cached.envelope.length
        }
    }

    /** Reads an envelope; undefined, and a report, if the disk has changed it. */
    private read(slot: number): Contents | undefined {
        const { id, segment: number, at, length } = this.queues.place(slot)
        const cached = this.cache.get(slot)
        if (cached?.id === id) return { kid: cached.kid, receivedAt: cached.receivedAt, envelope: cached.envelope }
        const segment = this.segments.get(number)!
        const bytes = segment.read(at - headerBytes, recordBytes(length))
        const body = intactLength(bytes, 0, number)
        if (body !== undefined) return envelopeIn(bytes, headerBytes, body)
        this.damaged.add(number)
        this.report({ file: fileOf(segment), at: at - headerBytes, bytes: recordBytes(length), isTail: false })
        return undefined
    }

    private count(segment: number, more: number): void {
        this.live.set(segment, (this.live.get(segment) ?? 0) + more)
    }

    /** Deletes the oldest segments in which nothing waits. A damaged one keeps its bytes under another name. */
    private removeEmpty(): void {
        for (const [number, segment] of [...this.segments].sort(([a], [b]) => a - b)) {
            if (segment === this.current || number >= this.covered || (this.live.get(number) ?? 0) > 0) return
            this.segments.delete(number)
            this.live.delete(number)
            if (this.damaged.has(number)) {
                segment.close()
                renameSync(fileOf(segment), `${fileOf(segment)}.damaged`)
            } else segment.remove()
        }
    }

    /** Reads a segment and returns its changes of the replay windows since `since`. */
    private load(name: string, isNewest: boolean, settled: SettledIds, since: Position): Replay[] {
        const segment = FileSegment.open(this.folder!, name)
        const { number } = segment
        this.segments.set(number, segment)
        const bytes = segment.read(0, segment.end)
        const changes: Replay[] = []
        const found: number[] = []
        const isReplayed = (at: number) => number > since.segment || (number === since.segment && at >= since.at)
        const visit = (at: number, length: number) => {
            const body = decodeBody(bytes, at, length)
            if (body.kind === "settled") settled.add(body.ids)
            else if (body.kind === "released") {
                if (isReplayed(at)) changes.push({ release: body.released })
            } else if (body.kind === "envelope") {
                settled.sees(body.id)
                found.push(at)
                if (isReplayed(at) && body.generation !== knownGeneration) {
                    const { kid, envelope } = envelopeIn(bytes, at, length)
                    changes.push({ record: { kid, generation: body.generation, envelope } })
                }
            }
        }
        const isWhole = !isNewest && !isReplayed(segment.end) && walk(bytes, visit)
        if (!isWhole) {
            changes.length = 0
            found.length = 0
            for (const { at, bytes: length, isTail } of scan(bytes, { from: 0, segment: number }, visit)) {
                this.report({ file: segment.file, at, bytes: length, isTail: isTail && isNewest })
                if (!isTail || !isNewest) this.damaged.add(number)
                else {
                    segment.end = at
                    segment.truncate()
                }
            }
        }
        for (const at of found.reverse()) {
            const body = decodeBody(bytes, at, bytes.readUInt32BE(at - headerBytes + 4))
            if (body.kind !== "envelope" || settled.has(body.id)) continue
            const { id, purpose, length } = body
            this.queues.add(kidKeyIn(bytes, at), purpose, { id, segment: number, at, length }, true)
            this.count(number, 1)
        }
        return changes
    }
}

/** Visits all records without their checksums. Returns false if they do not follow one another to the end. */
function walk(bytes: Buffer, visit: (at: number, length: number) => void): boolean {
    let at = 0
    while (at < bytes.length) {
        const length = plausibleLength(bytes, at)
        if (length === undefined) return false
        visit(at + headerBytes, length)
        at += headerBytes + length
    }
    return true
}

const chunkIds = 2 ** 16

/** The ids of envelopes that are settled, a bit for each. */
class SettledIds {
    maxId = 0
    private readonly chunks = new Map<number, Uint8Array>()

    sees(id: number): void {
        this.maxId = Math.max(this.maxId, id)
    }

    add(ids: number[]): void {
        for (const id of ids) {
            this.sees(id)
            const number = Math.floor(id / chunkIds)
            let chunk = this.chunks.get(number)
            if (!chunk) this.chunks.set(number, (chunk = new Uint8Array(chunkIds / 8)))
            const bit = id % chunkIds
            chunk[bit >>> 3]! |= 1 << (bit & 7)
        }
    }

    has(id: number): boolean {
        const chunk = this.chunks.get(Math.floor(id / chunkIds))
        const bit = id % chunkIds
        return chunk !== undefined && (chunk[bit >>> 3]! & (1 << (bit & 7))) !== 0
    }
}

function keyOf({ buffer, byteOffset, length }: Uint8Array): string {
    return Buffer.from(buffer, byteOffset, length).toString("latin1")
}

/** The same choice by the keys of the queues. */
function byKey(isOf: OfMotes | undefined): ((key: string) => boolean) | undefined {
    return isOf && (key => isOf(Buffer.from(key, "latin1").toString("hex")))
}

function fileOf(segment: Segment): string {
    return segment instanceof FileSegment ? segment.file : "memory"
}
