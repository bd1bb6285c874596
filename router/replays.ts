import { WireError } from "../wire/cbor.ts"
import { parseEnvelope, type Envelope } from "../wire/envelope.ts"
import { eui, type RouterKeys } from "../wire/keys.ts"
import type { MoteKeyring } from "./keyring.ts"
import { ReplayWindow, windowKeyOf, type Verdict } from "./replay.ts"
import type { Changes, Queued, RouterStore, SeenStart } from "./store/store.ts"

/** The maximum number of envelopes in the outbox that are remembered per mote with their tags, the newest. */
export const maxPending = 64
const tagBytes = 8

/**
 * The verdict on an envelope. `contested` means that the outbox has another envelope with this nonce, so somebody besides the
 * mote has its key `up mac`. `undecided` means that this may be so.
 */
export type Judgement = Verdict | "contested" | "undecided"

/** An authentic envelope, and the keys that made its MAC. */
export interface Authentic {
    envelope: Envelope
    keys: Pick<RouterKeys, "generation">
    eui: string
}

/** An envelope in the outbox: what is unique in its nonce, and its tag. */
interface Pending {
    nonce: string
    tag: string
    /** The clinic has stored another envelope with this nonce. */
    isDecided: boolean
}

interface MoteReplays {
    /** The windows by generation of the secret. */
    windows: Map<number, ReplayWindow>
    /** The newest envelopes in the outbox. */
    pending: Pending[]
    /** The number of envelopes in the outbox that are not in `pending`. */
    unremembered: number
}

/**
 * The replay windows of all motes. A router cannot tell which of two envelopes with one nonce is the mote's, because another
 * router, which also has the key `up mac`, can make one. So it keeps both for the clinic, which can tell by the inner
 * tag. A nonce whose only envelope the clinic refuses as altered is free again. Once the clinic has stored an envelope,
 * others with its nonce are duplicates.
 */
export class Replays {
    private readonly store: RouterStore
    private readonly keyring: MoteKeyring
    private readonly motes = new Map<string, MoteReplays>()

    constructor(o: { store: RouterStore; keyring: MoteKeyring }) {
        this.store = o.store
        this.keyring = o.keyring
    }

    judge(entry: Authentic): Judgement {
        const { boot, seq, salt } = entry.envelope
        const verdict = this.windowOf(entry).judge(boot, hex(salt), seq)
        if (verdict !== "duplicate") return verdict
        const { pending, unremembered } = this.moteOf(entry.envelope.kid, entry.eui)
        const nonce = nonceOf(entry.envelope)
        const same = pending.filter(other => other.nonce === nonce)
        const tag = tagOf(entry.envelope.bytes)
        if (same.some(other => other.isDecided || other.tag === tag)) return "duplicate"
        if (same.length > 0) return "contested"
        return unremembered > 0 ? "undecided" : "duplicate"
    }

    /**
     * Records a `fresh` or `contested` envelope for the outbox. Returns its updated start, and the start that made room. `undo`
     * is for an envelope that could not be stored.
     */
    record(entry: Authentic): { seen?: SeenStart; forgotten?: SeenStart; undo(): void } {
        const { kid, boot, salt, seq, bytes } = entry.envelope
        const mote = this.moteOf(kid, entry.eui)
        const added = { nonce: nonceOf(entry.envelope), tag: tagOf(bytes), isDecided: false }
        mote.pending.push(added)
        const crowdedOut = mote.pending.length > maxPending ? mote.pending.shift() : undefined
        if (crowdedOut) mote.unremembered++
        const undoPending = () => {
            mote.pending.splice(mote.pending.indexOf(added), 1)
            if (!crowdedOut) return
            mote.pending.unshift(crowdedOut)
            mote.unremembered--
        }
        const window = this.windowOf(entry)
        const saltHex = hex(salt)
        if (window.judge(boot, saltHex, seq) === "duplicate") return { undo: undoPending }
        const { start, forgotten, undo } = window.record(boot, saltHex, seq)
        const key = windowKey(entry)
        return {
            seen: { kid: key, start },
            ...(forgotten && { forgotten: { kid: key, start: forgotten } }),
            undo: () => {
                undo()
                undoPending()
            },
        }
    }

    /**
     * Takes in the clinic's results for envelopes that are about to leave the outbox, and returns what that changes.
     * @param safe those that the clinic has stored
     */
    settled(safe: Queued[], refused: { delivery: Queued; reason: string }[]): Changes {
        const changes: Changes = { seen: [], forgotten: [], released: [] }
        const altered = refused.filter(({ reason }) => reason === "altered")
        for (const { delivery } of altered) this.moteOf(delivery.kid, eui(delivery.kid))
        for (const delivery of safe) for (const other of this.leave(delivery).others) other.isDecided = true
        for (const { delivery, reason } of refused) {
            const { left, others } = this.leave(delivery)
            const isOnly = others.length === 0 && !left?.isDecided
            if (isOnly && reason === "altered") this.release(delivery, changes)
        }
        // Only now, as one start may have lost several of its numbers.
        const isEmpty = ({ start }: SeenStart) => start.runs.length === 0 && start.floor === 0
        const { seen, released } = changes
        return { seen: seen.filter(change => !isEmpty(change)), forgotten: seen.filter(isEmpty), released }
    }

    /** Removes an envelope from those in the outbox. Returns it and the others with its nonce. */
    private leave({ kid, envelope }: Queued): { left?: Pending; others: Pending[] } {
        const mote = this.motes.get(eui(kid))
        if (!mote) return { others: [] }
        const tag = tagOf(envelope)
        const at = mote.pending.findIndex(other => other.tag === tag)
        if (at < 0) {
            mote.unremembered--
            return { others: [] }
        }
        const [left] = mote.pending.splice(at, 1) as [Pending]
        return { left, others: mote.pending.filter(({ nonce }) => nonce === left.nonce) }
    }

    /** Frees a nonce in the window of each generation that has it. */
    private release({ kid, envelope: bytes }: Queued, changes: Changes): void {
        const name = eui(kid)
        const envelope = parsed(bytes)
        if (!envelope) return
        for (const keys of this.keyring.findAll(name)) {
            const entry = { envelope, keys, eui: name }
            const { boot, salt, seq } = envelope
            const start = this.windowOf(entry).release(boot, hex(salt), seq)
            if (!start) continue
            changes.released.push({ kid, generation: keys.generation ?? 0, boot, salt: hex(salt), seq })
            changes.seen.push({ kid: windowKey(entry), start })
        }
    }

    private windowOf(entry: Authentic): ReplayWindow {
        const { windows } = this.moteOf(entry.envelope.kid, entry.eui)
        const { generation = 0 } = entry.keys
        let window = windows.get(generation)
        if (!window) windows.set(generation, (window = new ReplayWindow(this.store.starts(windowKey(entry)))))
        return window
    }

    private moteOf(kid: Uint8Array, name: string): MoteReplays {
        let mote = this.motes.get(name)
        if (!mote) {
            const { newest, others } = this.store.waitingOf(kid, maxPending)
            mote = { windows: new Map(), pending: [], unremembered: others }
            for (const bytes of newest) {
                const envelope = parsed(bytes)
                if (envelope) mote.pending.push({ nonce: nonceOf(envelope), tag: tagOf(bytes), isDecided: false })
                else mote.unremembered++
            }
            this.motes.set(name, mote)
        }
        return mote
    }
}

function windowKey({ envelope, keys: { generation = 0 } }: Authentic): Uint8Array {
    return windowKeyOf(envelope.kid, generation)
}

/** Returns undefined for an envelope that an earlier version has stored. */
function parsed(bytes: Uint8Array): Envelope | undefined {
    try {
        return parseEnvelope(bytes)
    } catch (error) {
        if (error instanceof WireError) return undefined
        throw error
    }
}

/** What is unique in a nonce: all but its type. */
function nonceOf({ nonce }: Envelope): string {
    return latin1(nonce.subarray(1))
}

/** The tag is the last field of an envelope. */
function tagOf(envelope: Uint8Array): string {
    return latin1(envelope.subarray(envelope.length - tagBytes))
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
    return Buffer.from(buffer, byteOffset, length).toString("latin1")
}

function hex({ buffer, byteOffset, length }: Uint8Array): string {
    return Buffer.from(buffer, byteOffset, length).toString("hex")
}
