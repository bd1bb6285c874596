import type { Store } from "./store/store.ts"

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
export interface Supply {
    /** When the newest envelope arrived at a router, unix ms. */
    newestAt: number | null
    /** Envelopes stored, and numbers missing below the newest of each start. */
    stored: number
    missing: number
    /** The missing ones by range, newest start first, at most `maxGaps`. */
    gaps: Gap[]
    /** Readings that the mote itself reported as dropped. */
    lost: number
    /** Envelopes that are authentic and still could not be used as they are. */
    problems: { count: number; newest: string | null }
    /** Percent. */
    battery: number | null
}

export const maxGaps = 100

interface StartRow {
    boot: number
    salt: Uint8Array
    stored: number
    newestSeq: number
    newestAt: number
}

/** What arrived from one mote and what did not (wire.md, "Replay"): nothing disappears silently. */
export async function supply(store: Store, mote: { id: number; patient: number }): Promise<Supply> {
    const starts = await store.all<StartRow>(
        `SELECT boot, salt, stored, newest_seq AS "newestSeq", newest_at AS "newestAt"
         FROM start WHERE mote = ? ORDER BY boot DESC, salt`,
        mote.id,
    )
    const gaps: Gap[] = []
    for (const start of starts)
        if (missing(start) > 0 && gaps.length < maxGaps)
            gaps.push(...(await gapsOf(store, mote.id, start, maxGaps - gaps.length)))
    const [problems] = await store.all<{ count: number }>(
        "SELECT COUNT(*) AS count FROM envelope WHERE mote = ? AND problem IS NOT NULL",
        mote.id,
    )
    const [newest] = await store.all<{ problem: string }>(
        "SELECT problem FROM envelope WHERE mote = ? AND problem IS NOT NULL ORDER BY id DESC LIMIT 1",
        mote.id,
    )
    const [lost] = await store.all<{ lost: number | null }>(
        `SELECT SUM(value) AS lost FROM measurement
         WHERE patient = ? AND name = 'lost' AND mote = ? AND problem IS NULL`,
        ...[mote.patient, mote.id],
    )
    const [battery] = await store.all<{ value: number }>(
        `SELECT value FROM measurement WHERE patient = ? AND name = 'batt' AND mote = ? AND problem IS NULL
         ORDER BY time DESC, id DESC LIMIT 1`,
        ...[mote.patient, mote.id],
    )
    return {
        newestAt: starts.length > 0 ? Math.max(...starts.map(start => start.newestAt)) : null,
        stored: starts.reduce((sum, start) => sum + start.stored, 0),
        missing: starts.reduce((sum, start) => sum + missing(start), 0),
        gaps,
        lost: lost?.lost ?? 0,
        problems: { count: problems?.count ?? 0, newest: newest?.problem ?? null },
        battery: battery?.value ?? null,
    }
}

/** `seq` counts from 0 within a start. */
function missing(start: StartRow): number {
    return start.newestSeq + 1 - start.stored
}

async function gapsOf(store: Store, mote: number, start: StartRow, limit: number): Promise<Gap[]> {
    const rows = await store.all<{ first: number; last: number }>(
        `SELECT previous + 1 AS first, seq - 1 AS last FROM (
             SELECT seq, COALESCE(LAG(seq) OVER (ORDER BY seq), -1) AS previous
             FROM envelope WHERE mote = ? AND boot = ? AND salt = ?
         ) AS pairs WHERE seq > previous + 1 ORDER BY seq LIMIT ?`,
        ...[mote, start.boot, start.salt, limit],
    )
    const salt = Buffer.from(start.salt).toString("hex")
    return rows.map(({ first, last }) => ({ boot: start.boot, salt, from: first, to: last }))
}
