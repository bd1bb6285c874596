import type { Clock } from "../../host/clock.ts"
import { technicalKinds } from "../../wire/tables/alarm-kinds.ts"
import type { AlarmEvent } from "../../wire/alarms.ts"
import type { Mote } from "../motes/motes.ts"
import type { Sql, Store } from "../store/store.ts"

/** An alarm that a mote raised. Times are unix ms. */
export interface Alarm {
    id: number
    patient: number
    /** Of the mote. */
    kid: Uint8Array
    /** One of wire/tables/alarm-kinds.ts, or what a newer mote calls it. */
    kind: string
    /** SenML unit of the values; null where there are none. */
    unit: string | null
    raisedAt: number
    /** The time is an estimate: the mote had no clock, or was restarted since. */
    raisedAbout: boolean
    raisedValue: number | null
    /** Null while the mote has not said that it is over, however long nothing is heard. */
    clearedAt: number | null
    clearedAbout: boolean
    clearedValue: number | null
    storedAt: number
    acknowledgedAt: number | null
    /** User name. */
    acknowledgedBy: string | null
    /** Belongs on the screen: it is not over, or it is about the patient and nobody has acknowledged it. */
    isOpen: boolean
}

const columns = `a.id, a.patient, mote.kid, a.kind, a.unit, a.raised_at AS "raisedAt",
    a.raised_about AS "raisedAbout", a.raised_value AS "raisedValue", a.cleared_at AS "clearedAt",
    a.cleared_about AS "clearedAbout", a.cleared_value AS "clearedValue", a.stored_at AS "storedAt",
    a.acknowledged_at AS "acknowledgedAt", a.acknowledged_by AS "acknowledgedBy", a.is_open AS "isOpen"`
const tables = "alarm AS a JOIN mote ON mote.id = a.mote"
/** Of an end that came before its beginning, only the end is known. */
const isShown = "a.raised_at IS NOT NULL"
const setIsOpen = `is_open = CASE
    WHEN raised_at IS NULL THEN 0
    WHEN cleared_at IS NULL THEN 1
    WHEN acknowledged_at IS NULL AND kind NOT IN (${technicalKinds.map(kind => `'${kind}'`).join(", ")}) THEN 1
    ELSE 0 END`

/** The alarms of all motes: each once, however often and in whatever order the mote tells of it. */
export class Alarms {
    private readonly store: Store
    private readonly clock: Clock

    constructor(store: Store, clock: Clock) {
        this.store = store
        this.clock = clock
    }

    /** Takes one event; `generation` is that of the secret it came under (a mote without memory numbers anew). */
    async take(mote: Mote, generation: number, event: AlarmEvent, sql: Sql): Promise<void> {
        const { kind, time, value, unit } = event
        const about = event.relative || event.untimed ? 1 : 0
        const id = await this.idOf(mote, generation, event, sql)
        const phase = event.raised ? "raised" : "cleared"
        await sql.run(
            `UPDATE alarm SET ${phase}_at = ?, ${phase}_about = ?, ${phase}_value = ?, unit = COALESCE(unit, ?)
             WHERE id = ? AND (${phase}_at IS NULL OR ${phase}_about > ?)`,
            ...[time, about, value, unit, id, about],
        )
        await this.endOlder(mote, kind, sql)
        await sql.run(
            `UPDATE alarm SET ${setIsOpen} WHERE mote = ? AND kind = ? AND (is_open = 1 OR id = ?)`,
            ...[mote.id, kind, id],
        )
    }

    private async idOf(
        mote: Mote,
        generation: number,
        { kind, id: number, unit, raised }: AlarmEvent,
        sql: Sql,
    ): Promise<number> {
        // One that began under an earlier secret may end under this one.
        const isOlder = raised ? "1 = 0" : "cleared_at IS NULL AND is_open = 1"
        const [known] = await sql.all<{ id: number }>(
            `SELECT id FROM alarm WHERE mote = ? AND kind = ? AND number = ?
             AND (generation = ? OR (${isOlder})) ORDER BY generation DESC LIMIT 1`,
            ...[mote.id, kind, number, generation],
        )
        if (known) return known.id
        const [added] = await sql.all<{ id: number }>(
            `INSERT INTO alarm (mote, patient, kind, generation, number, unit, raised_about, cleared_about,
             stored_at, is_open) VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, 0) RETURNING id`,
            ...[mote.id, mote.patient, kind, generation, number, unit],
            Math.trunc(this.clock.now()),
        )
        return added!.id
    }

    /**
     * There is one of a kind at a time: what began before another one of its kind has ended, said or not. And of a revoked
     * mote nothing more is to be heard.
     */
    private async endOlder(mote: Mote, kind: string, sql: Sql): Promise<void> {
        const lasting = await sql.all<{ id: number; raisedAt: number }>(
            `SELECT id, raised_at AS "raisedAt" FROM alarm
             WHERE mote = ? AND kind = ? AND cleared_at IS NULL AND raised_at IS NOT NULL`,
            ...[mote.id, kind],
        )
        const [newest] = await sql.all<{ id: number; raisedAt: number }>(
            `SELECT id, raised_at AS "raisedAt" FROM alarm
             WHERE mote = ? AND kind = ? AND raised_at IS NOT NULL
             ORDER BY generation DESC, number DESC LIMIT 1`,
            ...[mote.id, kind],
        )
        for (const { id, raisedAt } of lasting) {
            const endedAt = id === newest?.id ? mote.revokedAt : newest!.raisedAt
            if (endedAt === null) continue
            await sql.run(
                "UPDATE alarm SET cleared_at = ?, cleared_about = 1 WHERE id = ?",
                ...[Math.max(endedAt, raisedAt), id],
            )
        }
    }

    /** What belongs on the screen, the newest first. */
    async open(): Promise<Alarm[]> {
        return await this.rows(
            this.store,
            `SELECT ${columns} FROM ${tables} WHERE a.is_open = 1 ORDER BY a.raised_at DESC, a.id DESC`,
        )
    }

    /** All of a patient, the newest first. */
    async ofPatient(patient: number, limit: number): Promise<Alarm[]> {
        return await this.rows(
            this.store,
            `SELECT ${columns} FROM ${tables} WHERE a.patient = ? AND ${isShown} ORDER BY a.id DESC LIMIT ?`,
            ...[patient, limit],
        )
    }

    /** Notes who has seen to it; whoever was first stays. Undefined where there is no such alarm. */
    async acknowledge(id: number, user: string): Promise<Alarm | undefined> {
        return await this.store.transaction(async sql => {
            await sql.run(
                `UPDATE alarm SET acknowledged_at = ?, acknowledged_by = ?
                 WHERE id = ? AND acknowledged_at IS NULL AND raised_at IS NOT NULL`,
                ...[Math.trunc(this.clock.now()), user, id],
            )
            await sql.run(`UPDATE alarm SET ${setIsOpen} WHERE id = ? AND is_open = 1`, id)
            const [alarm] = await this.rows(sql, `SELECT ${columns} FROM ${tables} WHERE a.id = ? AND ${isShown}`, id)
            return alarm
        })
    }

    private async rows(sql: Sql, query: string, ...parameters: number[]): Promise<Alarm[]> {
        const rows = await sql.all<Row>(query, ...parameters)
        return rows.map(row => ({
            ...row,
            raisedAbout: row.raisedAbout === 1,
            clearedAbout: row.clearedAbout === 1,
            isOpen: row.isOpen === 1,
        }))
    }
}

type Row = Omit<Alarm, "raisedAbout" | "clearedAbout" | "isOpen"> &
    Record<"raisedAbout" | "clearedAbout" | "isOpen", number>
