import type { Selectable } from "kysely"
import type { Access } from "./access.ts"
import type { Schema } from "./schema.ts"

export type StoredAuditEvent = Selectable<Schema["audit"]>

export interface StoredHead {
    count: number
    hash: Uint8Array
    mac: Uint8Array
}

export interface AuditFilter {
    /** One of them. */
    patients?: readonly number[]
    user?: string
    /** One of them. */
    outcomes?: readonly string[]
    /** Unix ms; one of them has to hold. */
    ranges?: readonly { from: number; before: number }[]
    /** Older ones than this. */
    beforeId?: number
    limit: number
}

const columns = [
    ...["id", "at", "account", "user", "role", "credential", "address", "subject", "action", "outcome"],
    ...["patients", "request", "detail", "hash"],
] as const satisfies readonly (keyof StoredAuditEvent)[]

/** The audit record: events that are only ever added, whom they are about, the head of the chain, and changes under way. */
export class AuditTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** `patients` are those that `row.patients` lists. */
    async add(row: StoredAuditEvent, patients: readonly number[]): Promise<void> {
        await this.access.db.insertInto("audit").values(row).execute()
        for (let from = 0; from < patients.length; from += maxRows) {
            const some = patients.slice(from, from + maxRows).map(patient => ({ patient, audit: row.id }))
            await this.access.db.insertInto("audit_patient").values(some).execute()
        }
        this.access.changed("audit")
    }

    async head(): Promise<StoredHead | undefined> {
        return await this.access.db.selectFrom("audit_head").select(["count", "hash", "mac"]).executeTakeFirst()
    }

    async putHead(head: StoredHead): Promise<void> {
        await this.access.db
            .insertInto("audit_head")
            .values({ id: 1, ...head })
            .onConflict(conflict => conflict.column("id").doUpdateSet({ ...head }))
            .execute()
    }

    async last(): Promise<{ id: number; hash: Uint8Array } | undefined> {
        return await this.access.db
            .selectFrom("audit")
            .select(["id", "hash"])
            .orderBy("id", "desc")
            .limit(1)
            .executeTakeFirst()
    }

    /** In order, from the one after `id`. */
    async since(id: number, limit: number): Promise<StoredAuditEvent[]> {
        return await this.access.db
            .selectFrom("audit")
            .select(columns)
            .where("id", ">", id)
            .orderBy("id")
            .limit(limit)
            .execute()
    }

    /** Whom the index has for the events from `first` to `last`. */
    async indexed(first: number, last: number): Promise<{ audit: number; patient: number }[]> {
        return await this.access.db
            .selectFrom("audit_patient")
            .select(["audit", "patient"])
            .where("audit", ">=", first)
            .where("audit", "<=", last)
            .orderBy("audit")
            .orderBy("patient")
            .execute()
    }

    async get(id: number): Promise<StoredAuditEvent | undefined> {
        return await this.access.db.selectFrom("audit").select(columns).where("id", "=", id).executeTakeFirst()
    }

    /** The newest first. */
    async search({ patients, user, outcomes, ranges, beforeId, limit }: AuditFilter): Promise<StoredAuditEvent[]> {
        if (ranges?.length === 0 || patients?.length === 0 || outcomes?.length === 0) return []
        let query = this.access.db.selectFrom("audit").select(columns).orderBy("id", "desc").limit(limit)
        if (patients)
            query = query.where("id", "in", db =>
                db.selectFrom("audit_patient").select("audit").where("patient", "in", patients),
            )
        if (outcomes) query = query.where("outcome", "in", outcomes)
        if (user !== undefined) query = query.where("user", "=", user)
        if (beforeId !== undefined) query = query.where("id", "<", beforeId)
        if (ranges)
            query = query.where(({ and, or, eb }) =>
                or(
                    ranges.map(({ from, before }) =>
                        and([
                            ...(Number.isFinite(from) ? [eb("at", ">=", from)] : []),
                            ...(Number.isFinite(before) ? [eb("at", "<", before)] : []),
                        ]),
                    ),
                ),
            )
        return await query.execute()
    }

    /** A change that a process is about to make; returns its number. */
    async begin(event: string, process: number): Promise<number> {
        const { id } = await this.access.db
            .insertInto("audit_begun")
            .values({ event, process })
            .returning("id")
            .executeTakeFirstOrThrow()
        return id
    }

    async end(id: number): Promise<void> {
        await this.access.db.deleteFrom("audit_begun").where("id", "=", id).execute()
    }

    async begun(): Promise<{ id: number; event: string; process: number }[]> {
        return await this.access.db.selectFrom("audit_begun").select(["id", "event", "process"]).orderBy("id").execute()
    }
}

const maxRows = 200
