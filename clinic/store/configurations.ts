import { sql } from "kysely"
import { prepare, type Access } from "./access.ts"

/** One version of a mote's configuration; `settings` and `reason` are JSON. */
export interface StoredConfiguration {
    version: number
    settings: string
    author: string
    madeAt: number
    state: string
    reason: string | null
    answeredAt: number | null
}

export interface NewConfiguration {
    mote: number
    version: number
    settings: string
    author: string
    madeAt: number
    sealed: Uint8Array
    sealedNext: Uint8Array | null
    state: string
}

export interface SealedConfiguration {
    mote: number
    version: number
    state: string
    sealed: Uint8Array
    sealedNext: Uint8Array | null
}

const columns = [
    "version",
    "settings",
    "author",
    "made_at as madeAt",
    "state",
    "reason",
    "answered_at as answeredAt",
] as const

/** Asked for every mote of a ward. */
const get = prepare<{ mote: number; version: number }, StoredConfiguration>((db, { mote, version }) =>
    db.selectFrom("configuration").select(columns).where("mote", "=", mote).where("version", "=", version),
)

export class ConfigurationTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add({ madeAt, sealedNext, ...row }: NewConfiguration): Promise<StoredConfiguration> {
        const added = await this.access.db
            .insertInto("configuration")
            .values({ ...row, made_at: madeAt, sealed_next: sealedNext })
            .returning(columns)
            .executeTakeFirstOrThrow()
        this.access.changed("configuration")
        return added
    }

    async get(mote: number, version: number): Promise<StoredConfiguration | undefined> {
        return (await get(this.access, { mote, version })).rows[0]
    }

    /** The newest first. */
    async newest(mote: number, limit: number): Promise<StoredConfiguration[]> {
        return await this.access.db
            .selectFrom("configuration")
            .select(columns)
            .where("mote", "=", mote)
            .orderBy("version", "desc")
            .limit(limit)
            .execute()
    }

    /** Every mote's newest version as it was sealed. */
    async newestSealed(): Promise<SealedConfiguration[]> {
        return await this.access.db
            .selectFrom("configuration as c")
            .select(["mote", "version", "state", "sealed", "sealed_next as sealedNext"])
            .where(
                "version",
                "=",
                sql<number>`(SELECT MAX(version) FROM configuration WHERE configuration.mote = c.mote)`,
            )
            .execute()
    }

    async setState(
        mote: number,
        version: number,
        o: { state: string; reason: string | null; answeredAt: number },
    ): Promise<void> {
        await this.access.db
            .updateTable("configuration")
            .set({ state: o.state, reason: o.reason, answered_at: o.answeredAt })
            .where("mote", "=", mote)
            .where("version", "=", version)
            .where("state", "!=", o.state)
            .execute()
        this.access.changed("configuration")
    }

    async replaceState(mote: number, from: string, to: string): Promise<void> {
        await this.access.db
            .updateTable("configuration")
            .set({ state: to })
            .where("mote", "=", mote)
            .where("state", "=", from)
            .execute()
        this.access.changed("configuration")
    }

    async setNextSeal(mote: number, version: number, sealedNext: Uint8Array): Promise<void> {
        await this.access.db
            .updateTable("configuration")
            .set({ sealed_next: sealedNext })
            .where("mote", "=", mote)
            .where("version", "=", version)
            .execute()
        this.access.changed("configuration")
    }

    /** What was sealed for the next secret is what counts; the rest stays as it is. */
    async takeNextSeal(mote: number): Promise<void> {
        await this.access.db
            .updateTable("configuration")
            .set(({ ref }) => ({ sealed: ref("sealed_next").$notNull(), sealed_next: null }))
            .where("mote", "=", mote)
            .where("sealed_next", "is not", null)
            .execute()
        this.access.changed("configuration")
    }
}
