import type { Sql, Store } from "../store/store.ts"

/** Envelopes that never arrived, of one start of a mote. */
export interface Gap {
    boot: number
    /** Hex. */
    salt: string
    /** First and last missing `seq`. */
    from: number
    to: number
}

/** How complete a mote's data is. */
export interface Completeness {
    /** When the newest envelope arrived at a router, unix ms. */
    newestAt: number | null
    /** Envelopes stored, and numbers missing below the newest of each start. */
    stored: number
    missing: number
    /** The missing ones by range, newest start first, at most `maxGaps`. */
    gaps: Gap[]
    /** Readings that arrived as part of a summary, for want of room in the mote. */
    summarized: number
    /** Readings that the mote itself reported as dropped. */
    lost: number
    /** Envelopes that are authentic and still could not be used as they are. */
    problems: { count: number; newest: string | null }
    /** Percent. */
    battery: number | null
}

const maxGaps = 100

/**
 * Notes that an envelope was stored for the first time: it opens a gap where it skips numbers, and closes or splits the
 * one that it was missing from. So a gap costs nothing to look up, however much is stored. `arrivedAt` in unix ms.
 */
export async function noteArrival(
    envelope: { mote: number; boot: number; salt: Uint8Array; seq: number },
    arrivedAt: number,
    sql: Sql,
): Promise<void> {
    const { seq } = envelope
    const start = [envelope.mote, envelope.boot, envelope.salt] as const
    const addGap = async (first: number, last: number) => {
        if (first > last) return
        await sql.run(
            "INSERT INTO gap (mote, boot, salt, first, last) VALUES (?, ?, ?, ?, ?)",
            ...[...start, first, last],
        )
    }
    const [known] = await sql.all<{ newestSeq: number; newestAt: number }>(
        `SELECT newest_seq AS "newestSeq", newest_at AS "newestAt" FROM start
         WHERE mote = ? AND boot = ? AND salt = ?`,
        ...start,
    )
    if (!known) {
        await sql.run(
            `INSERT INTO start (mote, boot, salt, stored, newest_seq, newest_at)
             VALUES (?, ?, ?, 1, ?, ?)`,
            ...[...start, seq, arrivedAt],
        )
        return await addGap(0, seq - 1)
    }
    await sql.run(
        `UPDATE start SET stored = stored + 1, newest_seq = ?, newest_at = ?
         WHERE mote = ? AND boot = ? AND salt = ?`,
        ...[Math.max(seq, known.newestSeq), Math.max(arrivedAt, known.newestAt), ...start],
    )
    if (seq > known.newestSeq) return await addGap(known.newestSeq + 1, seq - 1)
    const [gap] = await sql.all<{ first: number; last: number }>(
        `SELECT first, last FROM gap WHERE mote = ? AND boot = ? AND salt = ? AND first <= ?
         ORDER BY first DESC LIMIT 1`,
        ...[...start, seq],
    )
    if (!gap || gap.last < seq) return
    await sql.run("DELETE FROM gap WHERE mote = ? AND boot = ? AND salt = ? AND first = ?", ...[...start, gap.first])
    await addGap(gap.first, seq - 1)
    await addGap(seq + 1, gap.last)
}

/** What arrived from one mote and what did not (wire.md, "Replay"): nothing disappears silently. */
export async function completeness(store: Store, mote: { id: number; patient: number }): Promise<Completeness> {
    const [starts] = await store.all<{ stored: number | null; newestAt: number | null }>(
        `SELECT SUM(stored) AS stored, MAX(newest_at) AS "newestAt" FROM start WHERE mote = ?`,
        mote.id,
    )
    const [missing] = await store.all<{ count: number | null }>(
        "SELECT SUM(last - first + 1) AS count FROM gap WHERE mote = ?",
        mote.id,
    )
    const gaps = await store.all<Omit<Gap, "salt"> & { salt: Uint8Array }>(
        `SELECT boot, salt, first AS "from", last AS "to" FROM gap WHERE mote = ?
         ORDER BY boot DESC, salt, first LIMIT ?`,
        ...[mote.id, maxGaps],
    )
    const [problems] = await store.all<{ count: number }>(
        "SELECT COUNT(*) AS count FROM envelope WHERE mote = ? AND problem IS NOT NULL",
        mote.id,
    )
    const [newest] = await store.all<{ problem: string }>(
        "SELECT problem FROM envelope WHERE mote = ? AND problem IS NOT NULL ORDER BY id DESC LIMIT 1",
        mote.id,
    )
    const sum = async (name: "lost" | "count") => {
        const [row] = await store.all<{ sum: number | null }>(
            `SELECT SUM(value) AS sum FROM measurement
             WHERE patient = ? AND name = ? AND mote = ? AND problem IS NULL`,
            ...[mote.patient, name, mote.id],
        )
        return row?.sum ?? 0
    }
    const [battery] = await store.all<{ value: number }>(
        `SELECT value FROM measurement WHERE patient = ? AND name = 'batt' AND mote = ? AND problem IS NULL
         ORDER BY time DESC, id DESC LIMIT 1`,
        ...[mote.patient, mote.id],
    )
    return {
        newestAt: starts?.newestAt ?? null,
        stored: starts?.stored ?? 0,
        missing: missing?.count ?? 0,
        gaps: gaps.map(gap => ({ ...gap, salt: Buffer.from(gap.salt).toString("hex") })),
        summarized: await sum("count"),
        lost: await sum("lost"),
        problems: { count: problems?.count ?? 0, newest: newest?.problem ?? null },
        battery: battery?.value ?? null,
    }
}
