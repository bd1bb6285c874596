import { sql } from "kysely"
import type { Access } from "./access.ts"

/** Days; null: for good. */
export interface StoredPeriods {
    envelopes: number | null
    readings: number | null
    minutes: number | null
    hours: number | null
}

/** A version of what a ward has decided, or (`""`) the hospital; `madeAt` is unix ms. */
export interface StoredRetentionRule {
    ward: string
    version: number
    /** Null: the ward goes by the hospital's again, and the hospital keeps everything. */
    periods: StoredPeriods | null
    author: string
    madeAt: number
}

/** Rows that were removed, by kind. */
export interface RemovedCounts {
    envelopes: number
    readings: number
    minutes: number
    hours: number
}

/** `at`: retention's own time; `finishedAt`: when it was last through with everything, by that time. Unix ms. */
export interface StoredRetentionState {
    at: number
    finishedAt: number | null
    /** Since the last report. */
    removed: RemovedCounts
}

const kinds = ["envelopes", "readings", "minutes", "hours"] as const

export class RetentionTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** All versions, the oldest first. */
    async rules(): Promise<StoredRetentionRule[]> {
        const rows = await this.access.db
            .selectFrom("retention_rule")
            .selectAll()
            .orderBy("ward")
            .orderBy("version")
            .execute()
        return rows.map(({ ward, version, is_own, author, made_at, ...periods }) => ({
            ...{ ward, version, author, madeAt: made_at },
            periods: is_own === 1 ? periods : null,
        }))
    }

    async addRule({ ward, version, periods, author, madeAt }: StoredRetentionRule): Promise<void> {
        const { envelopes = null, readings = null, minutes = null, hours = null } = periods ?? {}
        await this.access.db
            .insertInto("retention_rule")
            .values({
                ...{ ward, version, is_own: periods === null ? 0 : 1, author, made_at: madeAt },
                ...{ envelopes, readings, minutes, hours },
            })
            .execute()
        this.access.changed("retention_rule")
    }

    async state(): Promise<StoredRetentionState | undefined> {
        const row = await this.access.db.selectFrom("retention_state").selectAll().executeTakeFirst()
        if (!row) return undefined
        const { at, finished_at, envelopes, readings, minutes, hours } = row
        return { at, finishedAt: finished_at, removed: { envelopes, readings, minutes, hours } }
    }

    async setTime(at: number): Promise<void> {
        await this.access.db
            .insertInto("retention_state")
            .values({ id: 1, at, finished_at: null, envelopes: 0, readings: 0, minutes: 0, hours: 0 })
            .onConflict(conflict => conflict.column("id").doUpdateSet({ at }))
            .execute()
    }

    async finish(finishedAt: number): Promise<void> {
        await this.access.db.updateTable("retention_state").set({ finished_at: finishedAt }).execute()
    }

    /** Counts what was removed, in the transaction that removes it. */
    async count(removed: Partial<RemovedCounts>): Promise<void> {
        await this.access.db
            .updateTable("retention_state")
            .set(Object.fromEntries(kinds.map(kind => [kind, sql`${sql.ref(kind)} + ${removed[kind] ?? 0}`])))
            .execute()
    }

    /** So much has been reported. */
    async reported(removed: RemovedCounts): Promise<void> {
        await this.count(Object.fromEntries(kinds.map(kind => [kind, -removed[kind]])))
    }
}
