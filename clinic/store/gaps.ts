import { prepare, type Access } from "./access.ts"
import { listed, prepareRows } from "./rows.ts"
import type { StartKey } from "./starts.ts"

/** Numbers from `first` to `last` that did not arrive. */
export interface GapRange {
    first: number
    last: number
    /** When it was first seen, unix ms by the clinic's clock; 0: before that was noted. */
    openedAt: number
}

type Key = { mote: number; boot: number; salt: Uint8Array }

const key = { mote: "integer", boot: "integer", salt: "bytes" } as const
const around = prepareRows<Key & { seq: number }, StartKey & GapRange>(
    { ...key, seq: "integer" },
    rows => `SELECT DISTINCT g.mote, g.boot, g.salt, g.first, g.last, g.opened_at AS "openedAt" FROM ${rows} CROSS JOIN gap AS g
        WHERE g.mote = k.mote AND g.boot = k.boot AND g.salt = k.salt AND g.last >= k.seq AND g.first = (
            SELECT MAX(b.first) FROM gap AS b
                WHERE b.mote = k.mote AND b.boot = k.boot AND b.salt = k.salt AND b.first <= k.seq)`,
)
const columns = { ...key, ...({ first: "integer", last: "integer", opened_at: "integer" } as const) }
const insert = prepareRows<Key & { first: number; last: number; opened_at: number }>(columns, rows => {
    const names = listed(Object.keys(columns))
    return `INSERT INTO gap (${names}) SELECT ${names} FROM ${rows}`
})
const remove = prepare<StartKey & { first: number }, unknown>((db, { mote, boot, salt, first }) =>
    db
        .deleteFrom("gap")
        .where("mote", "=", mote)
        .where("boot", "=", boot)
        .where("salt", "=", salt)
        .where("first", "=", first),
)

export class GapTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(gaps: readonly (StartKey & GapRange)[]): Promise<void> {
        if (gaps.length === 0) return
        await insert(
            this.access,
            gaps.map(({ mote, boot, salt, first, last, openedAt }) => ({
                ...{ mote, boot, salt, first, last, opened_at: openedAt },
            })),
        )
        this.access.changed("gap")
    }

    /** Those that these numbers are missing from. */
    async around(numbers: readonly (StartKey & { seq: number })[]): Promise<(StartKey & GapRange)[]> {
        return await around(
            this.access,
            numbers.map(({ mote, boot, salt, seq }) => ({ mote, boot, salt, seq })),
        )
    }

    async remove(start: StartKey, first: number): Promise<void> {
        await remove(this.access, { ...start, first })
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
