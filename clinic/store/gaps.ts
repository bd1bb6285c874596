import { prepare, type Access } from "./access.ts"
import type { StartKey } from "./starts.ts"

/** Numbers from `first` to `last` that did not arrive. */
export interface GapRange {
    first: number
    last: number
    /** When it was first seen, unix ms by the clinic's clock; 0: before that was noted. */
    openedAt: number
}

const around = prepare<StartKey & { seq: number }, GapRange>((db, { mote, boot, salt, seq }) =>
    db
        .selectFrom("gap")
        .select(["first", "last", "opened_at as openedAt"])
        .where("mote", "=", mote)
        .where("boot", "=", boot)
        .where("salt", "=", salt)
        .where("first", "<=", seq)
        .orderBy("first", "desc")
        .limit(1),
)

export class GapTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add({ mote, boot, salt }: StartKey, { first, last, openedAt }: GapRange): Promise<void> {
        await this.access.db.insertInto("gap").values({ mote, boot, salt, first, last, opened_at: openedAt }).execute()
        this.access.changed("gap")
    }

    /** The one that `seq` is missing from, if any. */
    async around(start: StartKey, seq: number): Promise<GapRange | undefined> {
        const { rows } = await around(this.access, { ...start, seq })
        const [gap] = rows
        return gap && gap.last >= seq ? gap : undefined
    }

    async remove({ mote, boot, salt }: StartKey, first: number): Promise<void> {
        await this.access.db
            .deleteFrom("gap")
            .where(({ and }) => and({ mote, boot, salt, first }))
            .execute()
        this.access.changed("gap")
    }

    /** How many numbers of a mote are missing, in gaps that opened after `after`. */
    async missing(mote: number, after = -1): Promise<number> {
        const { count } = await this.access.db
            .selectFrom("gap")
            .select(({ fn, eb }) => fn.sum<number | null>(eb(eb("last", "-", eb.ref("first")), "+", 1)).as("count"))
            .where("mote", "=", mote)
            .where("opened_at", ">", after)
            .executeTakeFirstOrThrow()
        return count ?? 0
    }

    /** The motes with gaps that were opened after `after` and not after `until`, the number that is missing, and when the last opened. */
    async lasting(after: number, until: number): Promise<{ mote: number; missing: number; openedAt: number }[]> {
        return await this.access.db
            .selectFrom("gap")
            .select(({ fn, eb }) => [
                "mote",
                fn.sum<number>(eb(eb("last", "-", eb.ref("first")), "+", 1)).as("missing"),
                fn.max<number>("opened_at").as("openedAt"),
            ])
            .where("opened_at", ">", after)
            .where("opened_at", "<=", until)
            .groupBy("mote")
            .execute()
    }

    /** The newest starts first. */
    async ofMote(mote: number, limit: number): Promise<(Omit<StartKey, "mote"> & Omit<GapRange, "openedAt">)[]> {
        return await this.access.db
            .selectFrom("gap")
            .select(["boot", "salt", "first", "last"])
            .where("mote", "=", mote)
            .orderBy("boot", "desc")
            .orderBy("salt")
            .orderBy("first")
            .limit(limit)
            .execute()
    }
}
