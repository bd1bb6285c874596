import { prepare, type Access } from "./access.ts"

/** One start of a mote. */
export interface StartKey {
    mote: number
    boot: number
    salt: Uint8Array
}

interface StartData {
    newestSeq: number
    newestAt: number
}

const find = prepare<StartKey, StartData>((db, { mote, boot, salt }) =>
    db
        .selectFrom("start")
        .select(["newest_seq as newestSeq", "newest_at as newestAt"])
        .where("mote", "=", mote)
        .where("boot", "=", boot)
        .where("salt", "=", salt),
)
const update = prepare<StartKey & StartData, unknown>((db, { mote, boot, salt, newestSeq, newestAt }) =>
    db
        .updateTable("start")
        .set(({ eb }) => ({ stored: eb("stored", "+", 1), newest_seq: newestSeq, newest_at: newestAt }))
        .where("mote", "=", mote)
        .where("boot", "=", boot)
        .where("salt", "=", salt),
)

export class StartTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async get(key: StartKey): Promise<StartData | undefined> {
        return (await find(this.access, key)).rows[0]
    }

    /** The first envelope of a start. */
    async add({ mote, boot, salt }: StartKey, { newestSeq, newestAt }: StartData): Promise<void> {
        await this.access.db
            .insertInto("start")
            .values({ mote, boot, salt, stored: 1, newest_seq: newestSeq, newest_at: newestAt })
            .execute()
        this.access.changed("start")
    }

    /** One more envelope of a start. */
    async count(key: StartKey, data: StartData): Promise<void> {
        await update(this.access, { ...key, ...data })
        this.access.changed("start")
    }

    async summary(mote: number): Promise<{ stored: number; newestAt: number | null }> {
        const { stored, newestAt } = await this.access.db
            .selectFrom("start")
            .select(({ fn }) => [
                fn.sum<number | null>("stored").as("stored"),
                fn.max<number | null>("newest_at").as("newestAt"),
            ])
            .where("mote", "=", mote)
            .executeTakeFirstOrThrow()
        return { stored: stored ?? 0, newestAt }
    }
}
