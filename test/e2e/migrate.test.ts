import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { sql } from "kysely"
import { readCredentials } from "../../cli/credentials.ts"
import { openClinic } from "../../cli/commands/clinic.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import { openPostgres } from "../../clinic/store/postgres/open.ts"
import { silentLog } from "../../host/log.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { TestMote } from "../support/mote.ts"
import { noPostgres, TestPostgres } from "../support/postgres.ts"
import { until } from "../support/until.ts"
import { finished, run, temporaryFolder } from "./command.ts"

const readings = 20_000

test(
    "a clinic moves to PostgreSQL and back, also after a move that was killed, and is what it was",
    { skip: noPostgres },
    async t => {
        const server = await TestPostgres.start({ settings: ["fsync=off"] })
        t.after(() => server.close())
        const data = temporaryFolder(t)
        const file = join(data, "clinic", "clinic.db")
        const open = (database?: string) =>
            openClinic(
                data,
                { host: "localhost", httpsPort: 0, ...(database !== undefined && { database }) },
                silentLog,
            )

        const before = await open()
        const patient = await before.clinic.patients.add({ given: "Ada", family: "Bäck", bed: "1" })
        const { mote, secret } = await before.clinic.register(patient.id, "doctor")
        const sealer = new TestMote({ kid: mote.kid, secret })
        const ingest = async (running: typeof before, value: number) => {
            const now = Date.now()
            const envelope = sealer.seal([measurement("hr", value, now), measurement("temp", 36.6, now)], now)
            const [result] = await running.clinic.ingest([delivery(envelope, now)])
            return result?.status
        }
        assert.equal(await ingest(before, 61), "stored")
        await before.close()
        const store = openSqlite(file)
        await sql`
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${readings})
        INSERT INTO measurement (envelope, mote, patient, name, unit, value, time, relative)
        SELECT 1, 1, ${patient.id}, 'hr', 'beat/min', 60 + i / 7.0, i, 0 FROM n`.execute(store.db)
        await sql`DELETE FROM measurement WHERE id = (SELECT MAX(id) FROM measurement)`.execute(store.db)
        const lastId = await store.lastId("measurement")
        await store.close()

        const url = await server.database()
        const move = (from: string, to: string) => ["migrate", "--data", data, "--from", from, "--to", to]
        const killed = run(t, move("file:", url))
        const isAtWork = async () => {
            const busy =
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'insert into \"measurement\"%' AND xact_start IS NOT NULL"
            return (await server.sql(busy, url)).length > 0
        }
        await until(isAtWork, "it copies")
        await killed.kill()
        assert.deepEqual(await server.sql("SELECT * FROM patient", url), [], "nothing of it is there")
        assert.ok(existsSync(file))

        const moved = await finished(move("file:", url))
        assert.equal(moved.code, 0, moved.stderr)
        assert.match(moved.stdout, new RegExp(`^measurement ${readings + 1} [0-9a-f]{64}$`, "m"))
        assert.match(
            moved.stdout,
            /the audit record is whole: \d+ events\nstart the clinic with --database from now on\n$/,
        )
        await assert.rejects(open(), /clinic.db is missing or empty/, "the old file is no clinic any more")
        const again = await finished(move("file:", url))
        assert.match(again.stderr, /there is no .*clinic\.db/)

        const target = await openPostgres(url)
        assert.equal(await target.lastId("measurement"), lastId)
        await target.close()
        const there = await open(url)
        assert.equal(await ingest(there, 62), "stored", "with the keys that it had")
        assert.equal((await there.clinic.patients.get(patient.id))?.family, "Bäck")
        const running = await finished(move(url, "file:"))
        assert.match(running.stderr, /a clinic has the source open: stop it/)
        await there.close()

        const back = await finished(move(url, "file:"))
        assert.equal(back.code, 0, back.stderr)
        const hashes = (text: string) => text.split("\n").filter(line => /^(patient|mote|association) /.test(line))
        assert.deepEqual(hashes(back.stdout), hashes(moved.stdout))
        const home = await open()
        assert.equal(await ingest(home, 63), "stored")
        assert.equal((await home.clinic.observations.newest(patient.id, "hr"))?.value, 63)
        await home.close()
        assert.equal(readCredentials(join(data, "credentials.json"))?.clinic, home.url)
        const full = await finished(move(url, "file:"))
        assert.match(full.stderr, /the target is not empty: there is .*clinic\.db, which is never overwritten/)
    },
)
