import { prepare, type Access } from "./access.ts"

/** One start of a mote. */
export interface StartKey {
    mote: number
    boot: number
    salt: Uint8Array
}

interface StartData {
    newestSeq: number
    /** When the one that was stored last arrived, and its id. */
    newestAt: number
    newestId: number
}

const find = prepare<StartKey, Pick<StartData, "newestSeq">>((db, { mote, boot, salt }) =>
    db
        .selectFrom("start")
        .select("newest_seq as newestSeq")
        .where("mote", "=", mote)
        .where("boot", "=", boot)
        .where("salt", "=", salt),
)
const update = prepare<StartKey & StartData, unknown>((db, { mote, boot, salt, newestSeq, newestAt, newestId }) =>
    db
        .updateTable("start")
        .set(({ eb }) => ({
            ...{ stored: eb("stored", "+", 1), newest_seq: newestSeq },
            ...{ newest_at: newestAt, newest_id: newestId },
        }))
        .where("mote", "=", mote)
        .where("boot", "=", boot)
        .where("salt", "=", salt),
)

export class StartTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async get(key: StartKey): Promise<Pick<StartData, "newestSeq"> | undefined> {
        return (await find(this.access, key)).rows[0]
    }

    /** The first envelope of a start. */
    async add({ mote, boot, salt }: StartKey, { newestSeq, newestAt, newestId }: StartData): Promise<void> {
        const newest = { newest_seq: newestSeq, newest_at: newestAt, newest_id: newestId }
        await this.access.db
            .insertInto("start")
            .values({ mote, boot, salt, stored: 1, ...newest })
            .execute()
        this.access.changed("start")
    }

    /** One more envelope of a start. */
    async count(key: StartKey, data: StartData): Promise<void> {
        await update(this.access, { ...key, ...data })
        this.access.changed("start")
    }

    /** The id of the envelope of a mote that arrived last; undefined where there is none. */
    async newestEnvelope(mote: number): Promise<number | undefined> {
        const { newest } = await this.access.db
            .selectFrom("start")
            .select(({ fn }) => fn.max<number | null>("newest_id").as("newest"))
            .where("mote", "=", mote)
            .executeTakeFirstOrThrow()
        return newest ?? undefined
    }

    async summary(mote: number): Promise<{ stored: number; newestAt: number | null }> {
        const ofMote = this.access.db.selectFrom("start").where("mote", "=", mote)
        const { stored } = await ofMote
            .select(({ fn }) => fn.sum<number | null>("stored").as("stored"))
            .executeTakeFirstOrThrow()
        const newest = await ofMote
            .select("newest_at as newestAt")
            .orderBy("newest_id", "desc")
            .orderBy("newest_at", "desc")
            .limit(1)
            .executeTakeFirst()
        return { stored: stored ?? 0, newestAt: newest?.newestAt ?? null }
    }
}
