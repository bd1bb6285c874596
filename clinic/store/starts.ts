import type { Access } from "./access.ts"
import { listed, prepareRows } from "./rows.ts"

/** One start of a mote. */
export interface StartKey {
    mote: number
    boot: number
    salt: Uint8Array
}

/** What a batch adds to a start. */
export interface StartNews extends StartKey {
    /** Envelopes that were stored. */
    stored: number
    newestSeq: number
    /** When the one that was stored last arrived, and its id. */
    newestAt: number
    newestId: number
}

type Key = { mote: number; boot: number; salt: Uint8Array }

const key = { mote: "integer", boot: "integer", salt: "bytes" } as const
const find = prepareRows<Key, StartKey & Pick<StartNews, "newestSeq">>(
    key,
    rows => `SELECT s.mote, s.boot, s.salt, s.newest_seq AS "newestSeq" FROM ${rows} CROSS JOIN start AS s
        WHERE s.mote = k.mote AND s.boot = k.boot AND s.salt = k.salt`,
)
const columns = {
    ...key,
    ...({ stored: "integer", newest_seq: "integer", newest_at: "integer", newest_id: "integer" } as const),
}
const put = prepareRows<Key & { stored: number; newest_seq: number; newest_at: number; newest_id: number }>(
    columns,
    rows => {
        const names = listed(Object.keys(columns))
        return `INSERT INTO start (${names}) SELECT ${names} FROM ${rows} WHERE true
            ON CONFLICT (mote, boot, salt) DO UPDATE SET stored = start.stored + excluded.stored,
                newest_seq = excluded.newest_seq, newest_at = excluded.newest_at, newest_id = excluded.newest_id`
    },
)

export class StartTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** Those that there are. */
    async find(keys: readonly StartKey[]): Promise<(StartKey & Pick<StartNews, "newestSeq">)[]> {
        return await find(
            this.access,
            keys.map(({ mote, boot, salt }) => ({ mote, boot, salt })),
        )
    }

    /** New ones, and more envelopes of those that there are. */
    async put(news: readonly StartNews[]): Promise<void> {
        if (news.length === 0) return
        await put(
            this.access,
            news.map(({ newestSeq, newestAt, newestId, mote, boot, salt, stored }) => ({
                ...{ mote, boot, salt, stored },
                ...{ newest_seq: newestSeq, newest_at: newestAt, newest_id: newestId },
            })),
        )
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
