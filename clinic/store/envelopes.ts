import { prepare, type Access } from "./access.ts"

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

type Key = Pick<NewEnvelope, "mote" | "boot" | "salt" | "seq">

const insert = prepare<NewEnvelope, { id: number }>((db, e) =>
    db
        .insertInto("envelope")
        .values({
            ...{ mote: e.mote, boot: e.boot, salt: e.salt, seq: e.seq, purpose: e.purpose },
            ...{ received_at: e.receivedAt, stored_at: e.storedAt, router: e.router },
            ...{ bytes: e.bytes, problem: e.problem, clock_offset: e.clockOffset },
        })
        .onConflict(conflict => conflict.doNothing())
        .returning("id"),
)

export class EnvelopeTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** The id, or undefined where there is one of that mote with this nonce. */
    async add(envelope: NewEnvelope): Promise<number | undefined> {
        const { rows } = await insert(this.access, envelope)
        this.access.changed("envelope")
        return rows[0]?.id
    }

    /** One that was added in this transaction, and should not have been. */
    async withdraw(id: number): Promise<void> {
        await this.access.db.deleteFrom("envelope").where("id", "=", id).execute()
    }

    async bytesOf({ mote, boot, salt, seq }: Key): Promise<Uint8Array | undefined> {
        const found = await this.access.db
            .selectFrom("envelope")
            .select("bytes")
            .where(({ and }) => and({ mote, boot, salt, seq }))
            .executeTakeFirst()
        return found?.bytes
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
