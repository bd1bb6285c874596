import type { Selectable } from "kysely"
import type { Access } from "./access.ts"
import { listed, prepareRows } from "./rows.ts"
import type { Schema } from "./schema.ts"

export interface NewEnvelope {
    mote: number
    boot: number
    salt: Uint8Array
    seq: number
    purpose: string
    receivedAt: number
    storedAt: number
    router: number
    bytes: Uint8Array
    problem: string | null
    clockOffset: number
}

/** What no two envelopes have in common: the nonce, and whose it is. */
export type EnvelopeKey = Pick<NewEnvelope, "mote" | "boot" | "salt" | "seq">

type NewRow = Omit<Selectable<Schema["envelope"]>, "id">

const key = { mote: "integer", boot: "integer", salt: "bytes", seq: "integer" } as const
const columns = {
    ...key,
    ...({ purpose: "text", received_at: "integer", stored_at: "integer", router: "integer" } as const),
    ...({ bytes: "bytes", problem: "text", clock_offset: "integer" } as const),
}
const insert = prepareRows<NewRow, EnvelopeKey & { id: number }>(columns, rows => {
    const names = listed(Object.keys(columns))
    // WHERE: without it SQLite takes ON CONFLICT for a condition of the join.
    return `INSERT INTO envelope (${names}) SELECT ${names} FROM ${rows} WHERE true
        ON CONFLICT DO NOTHING RETURNING id, ${listed(Object.keys(key))}`
})
const bytesOf = prepareRows<
    { mote: number; boot: number; salt: Uint8Array; seq: number },
    EnvelopeKey & { bytes: Uint8Array }
>(
    key,
    rows => `SELECT e.mote, e.boot, e.salt, e.seq, e.bytes FROM ${rows} CROSS JOIN envelope AS e
        WHERE e.mote = k.mote AND e.boot = k.boot AND e.salt = k.salt AND e.seq = k.seq`,
)

const withdraw = prepareRows<{ id: number }>(
    { id: "integer" },
    rows => `DELETE FROM envelope WHERE id IN (SELECT id FROM ${rows})`,
)

export class EnvelopeTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** Those that are new, of different keys, with their ids; of the others there are envelopes already. */
    async add(envelopes: readonly NewEnvelope[]): Promise<(EnvelopeKey & { id: number })[]> {
        if (envelopes.length === 0) return []
        const added = await insert(
            this.access,
            envelopes.map(({ receivedAt, storedAt, clockOffset, ...row }) => ({
                ...row,
                ...{ received_at: receivedAt, stored_at: storedAt, clock_offset: clockOffset },
            })),
        )
        this.access.changed("envelope")
        return added
    }

    /** Some that were added in this transaction, and should not have been. */
    async withdraw(ids: readonly number[]): Promise<void> {
        await withdraw(
            this.access,
            ids.map(id => ({ id })),
        )
    }

    /** Those that are stored. */
    async bytesOf(keys: readonly EnvelopeKey[]): Promise<(EnvelopeKey & { bytes: Uint8Array })[]> {
        return await bytesOf(
            this.access,
            keys.map(({ mote, boot, salt, seq }) => ({ mote, boot, salt, seq })),
        )
    }

    async newestId(): Promise<number> {
        const { newest } = await this.access.db
            .selectFrom("envelope")
            .select(({ fn }) => fn.max<number | null>("id").as("newest"))
            .executeTakeFirstOrThrow()
        return newest ?? 0
    }

    /** The account that delivered it. */
    async routerOf(id: number): Promise<number | undefined> {
        const found = await this.access.db
            .selectFrom("envelope")
            .select("router")
            .where("id", "=", id)
            .executeTakeFirst()
        return found?.router
    }

    /** When the last one was stored, unix ms; null where there is none. */
    async newestStoredAt(): Promise<number | null> {
        const newest = await this.access.db
            .selectFrom("envelope")
            .select("stored_at as storedAt")
            .orderBy("id", "desc")
            .limit(1)
            .executeTakeFirst()
        return newest?.storedAt ?? null
    }

    /** The motes of which envelopes were stored after that one, each with the router that brought the last, and the newest id now. */
    async motesSince(id: number): Promise<{ newest: number; heard: { mote: number; router: number }[] }> {
        const rows = await this.access.db
            .selectFrom("envelope")
            .select(({ fn }) => ["mote", "router", fn.max<number>("id").as("newest")])
            .where("id", ">", id)
            .groupBy(["mote", "router"])
            .execute()
        return {
            newest: Math.max(id, ...rows.map(({ newest }) => newest)),
            heard: rows.sort((a, b) => a.newest - b.newest),
        }
    }

    /** Those after that id, in order: whose they are, and whether they have a problem. */
    async since(id: number, limit: number): Promise<{ id: number; mote: number; isFlawed: boolean }[]> {
        const rows = await this.access.db
            .selectFrom("envelope")
            .select(["id", "mote", "problem"])
            .where("id", ">", id)
            .orderBy("id")
            .limit(limit)
            .execute()
        return rows.map(({ problem, ...row }) => ({ ...row, isFlawed: problem !== null }))
    }

    /** How many of a mote's have a problem, and what the newest one's is. */
    async problemsOf(mote: number): Promise<{ count: number; newest: string | null }> {
        const ofMote = this.access.db.selectFrom("envelope").where("mote", "=", mote).where("problem", "is not", null)
        const { count } = await ofMote.select(({ fn }) => fn.countAll<number>().as("count")).executeTakeFirstOrThrow()
        const newest = await ofMote.select("problem").orderBy("id", "desc").limit(1).executeTakeFirst()
        return { count, newest: newest?.problem ?? null }
    }
}
