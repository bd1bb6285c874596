import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sql } from "kysely"
import { Clinic, isPostgres, openPostgres, openSqlite } from "../clinic/index.ts"
import { UserError } from "../host/errors.ts"
import { realClock } from "../host/clock.ts"
import { silentLog } from "../host/log.ts"
import { ceiling, makeSealers, speeds } from "./clinic.ts"
import type { Row } from "./row.ts"

const batchSizes = [1, 64, 512]
const patients = 200
const names = ["hr", "temp", "spo2"] as const
const daysMs = (days: number) => days * 86_400_000
const monthMs = daysMs(30)
/** Rows of one statement that fills the table. */
const pieceRows = 200_000
const runs = 40

/**
 * One engine with many readings: envelopes per second, bytes per reading, the time until a clinic is open, and how long readers wait: a
 * ward's newest values, a patient's day, a month's trend.
 * @param database an empty database of PostgreSQL, or `file:` for SQLite in a folder that goes afterwards
 * @param rows readings of 200 patients, spread over a month
 */
export async function benchDatabase(database: string, rows: number): Promise<Row[]> {
    const folder = mkdtempSync(join(tmpdir(), "vitalmote-bench-"))
    const file = join(folder, "clinic.db")
    const openStore = async () => (isPostgres(database) ? await openPostgres(database) : openSqlite(file))
    const key = randomBytes(32)
    const open = async () => await Clinic.open({ store, clock: realClock, random: randomBytes, key, log: silentLog })
    let store = await openStore()
    try {
        if (!(await store.account.isEmpty()) || (await store.patient.page(0, 1)).length > 0)
            throw new UserError("the database is not empty")
        let clinic = await open()
        const results = await speeds(clinic, await makeSealers(clinic), batchSizes)
        results.push(await ceiling(store))
        const [{ mote, envelope } = { mote: 0, envelope: 0 }] = (
            await sql<{ mote: number; envelope: number }>`SELECT mote, id AS envelope FROM envelope LIMIT 1`.execute(
                store.db,
            )
        ).rows
        const before = await bytes()
        const now = realClock.now() - 60_000
        const stepMs = Math.floor(monthMs / (rows / patients / names.length))
        for (let i = 0; i < patients; i++) await clinic.patients.add({ given: "P", family: String(i) })
        for (let from = 0; from < rows; from += pieceRows) {
            const to = Math.min(rows, from + pieceRows)
            const number = (value: number) => sql.lit(value)
            await sql`
                WITH RECURSIVE n (i) AS (SELECT CAST(${number(from)} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${number(to)})
                INSERT INTO measurement (envelope, mote, patient, name, unit, value, time, relative)
                SELECT ${number(envelope)}, ${number(mote)}, 2 + i % ${number(patients)},
                    CASE i / ${number(patients)} % 3 WHEN 0 THEN 'hr' WHEN 1 THEN 'temp' ELSE 'spo2' END, 'beat/min',
                    60 + i % 40, ${number(now)} - ${number(stepMs)} * (i / ${number(patients * names.length)}), 0 FROM n
            `.execute(store.db)
        }
        await sql`
            INSERT INTO current (patient, name, time) SELECT patient, name, MAX(time) FROM measurement
            WHERE patient > 1 GROUP BY patient, name`.execute(store.db)
        await sql.raw(isPostgres(database) ? "ANALYZE" : "PRAGMA wal_checkpoint(TRUNCATE)").execute(store.db)
        const note = `${rows} readings of ${patients} patients`
        results.push({
            what: "on disk",
            value: Math.round(((await bytes()) - before) / rows),
            unit: "bytes/reading",
            note,
        })
        await store.close()
        const startedAt = performance.now()
        store = await openStore()
        clinic = await open()
        results.push({ what: "start", value: Math.round(performance.now() - startedAt), unit: "ms", note })
        const { observations } = clinic
        const ward = async () => {
            await observations.newestOf(Array.from({ length: patients }, (_, i) => 2 + i))
        }
        const of = (run: number) => ({ patient: 2 + ((run * 37) % patients), name: "hr" as const })
        const day = async (run: number) =>
            void (await observations.history({ ...of(run), from: now - daysMs(1), before: now + 1, stepMs: 60_000 }))
        const month = async (run: number) =>
            void (await observations.history({ ...of(run), from: now - monthMs, before: now + 1, stepMs: 3_600_000 }))
        const add = async (what: string, work: (run: number) => Promise<void>) =>
            results.push({ what, value: await p95(work), unit: "ms, p95", note })
        await add("newest values of a ward of 200", ward)
        await add("a patient's day, by minutes", day)
        await add("a patient's month, by hours", month)
        return results
    } finally {
        await store.close().catch(() => {})
        rmSync(folder, { recursive: true, force: true })
    }

    async function bytes(): Promise<number> {
        if (!isPostgres(database)) return statSync(file).size
        const size = await sql<{ bytes: number }>`SELECT pg_total_relation_size('measurement') AS bytes`.execute(
            store.db,
        )
        return size.rows[0]!.bytes
    }
}

async function p95(work: (run: number) => Promise<void>): Promise<number> {
    const times: number[] = []
    for (let run = 0; run < runs; run++) {
        const startedAt = performance.now()
        await work(run)
        times.push(performance.now() - startedAt)
    }
    return times.sort((a, b) => a - b)[Math.floor(0.95 * (runs - 1))]!
}
