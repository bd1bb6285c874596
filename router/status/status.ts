import { elapsedMs, type Clock } from "../../host/clock.ts"
import { eui as euiOf } from "../../wire/keys.ts"
import type { DeliveryStatus, MoteStatus, RouterStatus } from "../browser/messages.ts"
import type { Attachment } from "../attachment.ts"
import type { Clinic, Clinics } from "../clinics/clinics.ts"
import type { Keyrings } from "../clinics/keyrings.ts"
import type { Downlink } from "../relay/downlink.ts"
import type { Motes } from "../relay/motes.ts"
import type { Waiting } from "../relay/waiting.ts"
import type { DeadLetter, RouterStore } from "../store/store.ts"
import type { Traffic } from "./traffic.ts"

/** Counting the dead letters reads them: not more often than this. */
const lettersMs = 10_000
/** Of the oldest dead letters. */
const lettersRead = 256

/** Looks at the parts of a router for its page. */
export class Status {
    private readonly o: StatusParts
    private letters: { at: number; counts: RouterStatus["deadLetters"]; euis: string[] } | undefined

    constructor(o: StatusParts) {
        this.o = o
    }

    now(failure: string | undefined): RouterStatus {
        const { clock, clinics, keyring } = this.o
        const now = elapsedMs(clock)
        return {
            failure: failure ?? null,
            motes: this.euis().map(eui => this.moteStatus(eui, now)),
            clinics: clinics.all.map(clinic => this.clinicStatus(clinic, now)),
            conflicts: keyring.conflicts,
            ownerless: clinics.ownerless,
            deadLetters: this.deadLetters(now),
        }
    }

    private clinicStatus({ name, loop, waiting, motes }: Clinic, now: number): DeliveryStatus {
        const { clock, keyring } = this.o
        const { rows, bytes } = waiting()
        const { state, reason, oldestReceivedAt, retryAt } = loop
        this.deadLetters(now)
        return {
            ...{ name, state, reason: reason ?? null, envelopes: rows, bytes, motes: motes() },
            oldestMs: oldestReceivedAt === undefined ? null : Math.max(0, clock.now() - oldestReceivedAt),
            retryInMs: retryAt === undefined ? null : Math.max(0, retryAt - now),
            deadLetters: this.letters!.euis.filter(eui => keyring.ownerOf(eui) === name).length,
        }
    }

    private euis(): string[] {
        const { attachments, traffic, waiting } = this.o
        return [...new Set([...attachments.flatMap(({ online }) => online), ...traffic.motes, ...waiting.motes])].sort()
    }

    private moteStatus(eui: string, now: number): MoteStatus {
        const { clock, attachments, motes, traffic, waiting, downlink, store } = this.o
        const connected = motes.find(eui)
        const sent = traffic.of(eui)
        const ago = (at: number | undefined) => (at === undefined ? null : now - at)
        return {
            eui,
            transport: attachments.find(attachment => attachment.has(eui))?.protocol ?? null,
            address: connected?.connection.peer ?? null,
            connectedMs: connected ? Math.max(0, clock.now() - connected.since) : null,
            silentMs: ago(sent?.storedAt),
            stored: sent?.stored ?? 0,
            duplicate: sent?.duplicate ?? 0,
            perMinute: traffic.perMinute(eui),
            refused: { ...sent?.refused },
            refusedAgoMs: ago(sent?.refusedAt),
            outboxBytes: store.outboxBytesOf(Buffer.from(eui, "hex")),
            waiting: waiting.of(eui).map(({ what, payload, since, expiresAt }) => ({
                what,
                bytes: payload.length,
                ageMs: now - since,
                expiresInMs: expiresAt === undefined ? null : expiresAt - now,
                outcome: downlink.outcome(eui, payload) ?? null,
            })),
        }
    }

    private deadLetters(now: number): RouterStatus["deadLetters"] {
        if (this.letters && now - this.letters.at < lettersMs) return this.letters.counts
        const { store } = this.o
        const motes = new Map<string, string[]>()
        const letters = store.refusedLength === 0 ? [] : oldest(store)
        for (const { reason, kid } of letters) motes.set(reason, [...(motes.get(reason) ?? []), euiOf(kid)])
        const counts = [...motes].map(([reason, euis]) => ({ reason, count: euis.length, motes: [...new Set(euis)] }))
        this.letters = { at: now, counts, euis: letters.map(({ kid }) => euiOf(kid)) }
        return counts
    }
}

/** Empty where the store cannot be read: that is said elsewhere. */
function oldest(store: RouterStore): DeadLetter[] {
    try {
        return store.deadLetters(0, lettersRead)
    } catch {
        return []
    }
}

interface StatusParts {
    clock: Clock
    keyring: Keyrings
    motes: Motes
    attachments: readonly Attachment[]
    traffic: Traffic
    waiting: Waiting
    downlink: Downlink
    clinics: Clinics
    store: RouterStore
}
