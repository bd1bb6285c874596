import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { AuditFilter } from "../store/audit.ts"
import { StoreFailure } from "../store/failure.ts"
import type { Store, Tables } from "../store/store.ts"
import { hashOf, noHash, toEvent, toRow, type AuditEvent } from "./event.ts"
import { headText, isSealed, seal, sealingKey, type Head } from "./head.ts"

export type NumberedEvent = AuditEvent & { id: number }

interface Events {
    events: readonly AuditEvent[]
    /** The change that is over with this. */
    begun: number | undefined
}

interface Waiting extends Events {
    resolve: () => void
    reject: (error: unknown) => void
}

/** In one transaction at most; the rest waits for the next. */
const maxTogether = 200
/** Kept in memory while the disk takes nothing; beyond it they are counted. */
const maxKept = 10_000

/** The record of who looked at and changed what: a chain of hashes that only grows. */
export class Audit {
    private readonly o: { store: Store; clock: Clock; log: Log }
    private readonly key: Uint8Array
    private waiting: Waiting[] = []
    private writing: Promise<void> | undefined
    private kept: Events[] = []
    private lost = 0

    /** @param o.key the clinic's own */
    constructor(o: { store: Store; clock: Clock; log: Log; key: Uint8Array }) {
        this.o = o
        this.key = sealingKey(o.key)
    }

    /**
     * Once, before anybody is served: says that the record goes on, and of what changes were under way when it ended.
     * @param anchor what had been written down of it
     */
    async open(anchor?: Head): Promise<void> {
        if (anchor && !(await this.has(anchor)))
            await this.record([this.own("broken", { expected: headText(anchor), found: "another one" })])
        const living = await this.o.store.living()
        await this.close(process => !living.has(process))
        await this.record([this.own("start")])
    }

    /** Says of what changes were under way in other processes on the database that have ended. */
    async closeEnded(): Promise<void> {
        const { store } = this.o
        if ((await store.audit.begun()).every(({ process }) => process === store.process)) return
        const living = await store.living()
        await this.close(process => process !== store.process && !living.has(process))
    }

    private async close(isEnded: (process: number) => boolean): Promise<void> {
        for (const { id, event, process } of await this.o.store.audit.begun())
            if (isEnded(process)) await this.record([{ ...(JSON.parse(event) as AuditEvent), outcome: "unknown" }], id)
    }

    /** Resolves when these are in the record, durably; rejects where the store takes nothing. */
    async record(events: readonly AuditEvent[], begun?: number): Promise<void> {
        await new Promise<void>((resolve, reject) => {
            this.waiting.push({ events, begun, resolve, reject })
            this.writing ??= this.write()
        })
    }

    /** Resolves when everything that `record` was given by now is there, or could not be. */
    async settled(): Promise<void> {
        await this.writing
    }

    /** Notes durably that a change is about to be made; it has to be ended by `record`. */
    async begin(event: AuditEvent): Promise<number> {
        return await this.o.store.audit.begin(JSON.stringify(event), this.o.store.process)
    }

    /** In memory until the disk takes it again, and in the log at once: for what nothing may hold up, or what is done already. */
    keep(events: readonly AuditEvent[], begun?: number): void {
        for (const { at, user, credential, subject, action, outcome, patients } of events)
            this.o.log.error(
                { at, user, credential, subject, action, outcome, patients: patients.join(" ") },
                "an audit event cannot be stored and is kept in memory",
            )
        if (this.kept.length < maxKept) this.kept.push({ events, begun })
        else this.lost += events.length
    }

    /** What could not be written, again. */
    async retry(): Promise<void> {
        if (this.kept.length === 0) return
        const { kept, lost } = this
        this.kept = []
        this.lost = 0
        if (lost > 0) kept.push({ events: [this.own("lost", { events: lost })], begun: undefined })
        for (const [i, { events, begun }] of kept.entries())
            try {
                await this.record(events, begun)
            } catch (error) {
                this.kept.unshift(...kept.slice(i))
                if (error instanceof StoreFailure) return
                throw error
            }
    }

    /** Undefined while there is nothing. */
    async head(): Promise<Head | undefined> {
        return await this.o.store.audit.head()
    }

    /** To be written where it cannot be changed: where the chain ends now. Undefined while there is nothing. */
    async anchor(): Promise<string | undefined> {
        const head = await this.head()
        if (head) this.o.log.info({ head: headText(head) }, "audit record")
        return head && headText(head)
    }

    /** The newest first. */
    async search(filter: AuditFilter): Promise<NumberedEvent[]> {
        return (await this.o.store.audit.search(filter)).map(numbered)
    }

    async get(id: number): Promise<NumberedEvent | undefined> {
        const row = await this.o.store.audit.get(id)
        return row && numbered(row)
    }

    /** What the clinic itself has to say. */
    own(action: AuditEvent["action"], detail: AuditEvent["detail"] = null): AuditEvent {
        return {
            ...{ at: Math.trunc(this.o.clock.now()), account: null, user: null, role: null, credential: null },
            ...{ address: null, subject: "clinic", action, outcome: "done", patients: [], request: null, detail },
        }
    }

    /** One transaction after the other, each with all that waits. */
    private async write(): Promise<void> {
        while (this.waiting.length > 0) {
            const some = this.waiting.splice(0, maxTogether)
            try {
                await this.o.store.transaction(async t => {
                    await this.append(
                        some.flatMap(({ events }) => events),
                        t,
                    )
                    for (const { begun } of some) if (begun !== undefined) await t.audit.end(begun)
                })
                for (const { resolve } of some) resolve()
            } catch (error) {
                for (const { reject } of some) reject(error)
            }
        }
        this.writing = undefined
    }

    private async has({ count, hash }: Head): Promise<boolean> {
        const row = await this.o.store.audit.get(count)
        return row !== undefined && Buffer.from(row.hash).equals(hash)
    }

    private async append(events: readonly AuditEvent[], t: Tables): Promise<void> {
        const last = (await t.audit.last()) ?? { id: 0, hash: noHash }
        const head = await t.audit.head()
        let { id, hash } = last
        const add = async (event: AuditEvent) => {
            const row = toRow(++id, event)
            hash = hashOf(row, hash)
            await t.audit.add({ ...row, hash }, event.patients.length > 0 ? (JSON.parse(row.patients) as number[]) : [])
        }
        // What was cut off would pass for never written, once the head was put anew over what is left.
        const isWhole = head
            ? isSealed(head, this.key) && head.count === id && Buffer.from(head.hash).equals(hash)
            : id === 0
        if (!isWhole) {
            const found = { found: headText({ count: id, hash }), expected: head ? headText(head) : "none" }
            this.o.log.error(found, "the audit record was changed outside of the clinic")
            await add(this.own("broken", found))
        }
        for (const event of events) await add(event)
        await t.audit.putHead(seal({ count: id, hash }, this.key))
    }
}

function numbered(row: Parameters<typeof toEvent>[0]): NumberedEvent {
    const { hash: _, ...event } = { hash: undefined, ...toEvent(row) }
    return { ...event, id: row.id }
}
