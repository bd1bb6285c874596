import assert from "node:assert/strict"
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { openClinic } from "../../cli/commands/clinic.ts"
import { startClinic } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { noPostgres, TestPostgres } from "../support/postgres.ts"
import { until } from "../support/until.ts"
import { finished, run, temporaryFolder } from "./command.ts"

const env = { VITALMOTE_BACKUP_PASSPHRASE: "correct horse battery" }
const vitalmote = (...args: string[]) => finished(args, env)
const readings = 20_000

test(
    "a clinic on PostgreSQL is backed up under load, and restored into a folder and into PostgreSQL, also after a kill -9 in each",
    { skip: noPostgres },
    async t => {
        const server = await TestPostgres.start({ settings: ["fsync=off"] })
        t.after(() => server.close())
        const folder = temporaryFolder(t)
        const [data, file] = [join(folder, "ward"), join(folder, "ward.age")]
        const url = await server.database()
        const open = async (data: string, database?: string) => {
            const place = { host: "localhost", httpsPort: 0, ...(database !== undefined && { database }) }
            const running = await openClinic(data, place, silentLog)
            let isOpen = true
            const close = async () => {
                if (isOpen) await running.close()
                isOpen = false
            }
            t.after(close)
            return { ...running, close }
        }
        const clinic = await open(data, url)
        const patient = await clinic.clinic.patients.add({ given: "Ada", family: "Bäck", bed: "1" })
        const { mote, secret } = await clinic.clinic.register(patient.id, "doctor")
        const sealer = new TestMote({ kid: mote.kid, secret })
        const sealed = (value: number) => {
            const now = Date.now()
            return delivery(sealer.seal([measurement("hr", value, now)], now), now)
        }
        const ingest = async (running: typeof clinic, one = sealed(60)) =>
            (await running.clinic.ingest([one]))[0]?.status
        const first = sealed(61)
        assert.equal(await ingest(clinic, first), "stored")
        await server.sql(
            `INSERT INTO measurement (envelope, mote, patient, name, unit, value, time, relative)
                SELECT 1, 1, ${patient.id}, 'hr', 'beat/min', 60 + i / 7.0, i, 0 FROM generate_series(1, ${readings}) i`,
            url,
        )

        const backup = ["backup", file, "--data", data, "--database", url]
        const refused = await vitalmote("backup", file, "--data", data)
        assert.match(
            refused.stderr,
            /clinic.db is missing: restore it or, if PostgreSQL has the database, give --database/,
        )
        const trial = join(data, "clinic", "backup-trial")
        const killed = run(t, backup, env)
        await until(() => existsSync(join(trial, "copy.db")), "it copies")
        await killed.kill()
        assert.deepEqual(readdirSync(folder), ["ward"])

        let isOver = false
        let during = 0
        const load = (async () => {
            for (; !isOver; during++) assert.equal(await ingest(clinic), "stored")
        })()
        const made = await vitalmote(...backup)
        isOver = true
        await load
        assert.equal(made.code, 0, made.stderr)
        assert.match(made.stdout, /ward\.age: 2 users, 1 patients, 1 motes; checked\n$/)
        assert.ok(during > 0, "readings were stored meanwhile")
        assert.ok(!existsSync(trial))
        await clinic.close()

        // Into a folder.
        const home = join(folder, "home")
        const restored = await vitalmote("restore", file, "--data", home)
        assert.equal(restored.code, 0, restored.stderr)
        const audit = await vitalmote("audit", "verify", "--data", home)
        assert.match(audit.stdout, /^the audit record is whole: \d+ events\n/, audit.stderr)
        const embedded = await open(home)
        assert.equal(await ingest(embedded, first), "duplicate")
        assert.equal(await ingest(embedded), "stored")
        await embedded.close()

        // Into another database.
        const [target, place] = [await server.database(), join(folder, "target")]
        const restore = ["restore", file, "--data", place, "--database", target]
        const full = await vitalmote("restore", file, "--data", place, "--database", url)
        assert.match(full.stderr, /the target is not empty: it is never overwritten/)
        const interrupted = run(t, restore, env)
        const isAtWork = async () => {
            const busy = `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'insert into "measurement"%' AND xact_start IS NOT NULL`
            return (await server.sql(busy, target)).length > 0
        }
        await until(isAtWork, "it restores")
        await interrupted.kill()
        assert.deepEqual(await server.sql("SELECT * FROM patient", target), [], "nothing of it is there")
        await assert.rejects(open(place, target), /a restore into .* was interrupted/)
        rmSync(join(place, "clinic.restoring"), { recursive: true })
        const whole = await vitalmote(...restore)
        assert.equal(whole.code, 0, whole.stderr)
        assert.ok(!existsSync(join(place, "clinic", "clinic.db")))
        const there = await open(place, target)
        assert.equal(await ingest(there, first), "duplicate")
        assert.equal(await ingest(there), "stored")
        assert.equal((await there.clinic.patients.get(patient.id))?.family, "Bäck")
        const next = await there.clinic.patients.add({ given: "New", family: "Comer" })
        assert.ok(next.id > patient.id + 1_000_000, "no number of the lost days is given out again")
        await there.close()

        // By schedule.
        const clock = new ManualClock()
        const backups = join(folder, "backups")
        const plan = { folder: backups, everyMs: 3_600_000, keep: 1, passphrase: env.VITALMOTE_BACKUP_PASSPHRASE }
        const scheduled = await startClinic({
            ...{ data: join(place, "clinic"), database: target, port: 0, clock, log: silentLog, backup: plan },
        })
        t.after(() => scheduled.close())
        await clock.advance(60_000)
        await until(() => readdirSync(backups).some(name => name.endsWith(".age")), "a backup by schedule")
    },
)

test("a database of a newer version, or with nothing in it, is not backed up", { skip: noPostgres }, async t => {
    const server = await TestPostgres.start({ settings: ["fsync=off"] })
    t.after(() => server.close())
    const data = join(temporaryFolder(t), "ward")
    const url = await server.database()
    const attempt = () => vitalmote("backup", join(data, "..", "x.age"), "--data", data, "--database", url)
    assert.match((await attempt()).stderr, /its tables are not those of this version: start the clinic first\n$/)
    const clinic = await startClinic({ data: join(data, "clinic"), database: url, port: 0, log: silentLog })
    await clinic.close()
    await server.sql("UPDATE schema_version SET version = version + 1", url)
    assert.match((await attempt()).stderr, /a newer version of VitalMote wrote it\n$/)
})
