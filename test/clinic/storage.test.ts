import assert from "node:assert/strict"
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { sql } from "kysely"
import { startClinic, type RunningClinic } from "../../clinic/index.ts"
import { Observations } from "../../clinic/readings/observations.ts"
import { migrations } from "../../clinic/store/sqlite/migrations.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import type { Store } from "../../clinic/store/store.ts"
import { UserError } from "../../host/errors.ts"
import { writeDurably } from "../../host/files.ts"
import { silentLog } from "../../host/log.ts"
import { closeSqlite, openSqlite as openDatabase } from "../../host/sqlite.ts"
import { decodeResults, encodeBatch } from "../../wire/batch.ts"
import { ManualClock } from "../support/clock.ts"
import { Service } from "./service.ts"
import { delivery, measurement } from "./support.ts"

function folder(t: TestContext): string {
    const data = mkdtempSync(join(tmpdir(), "clinic-"))
    t.after(() => rmSync(data, { recursive: true }))
    return data
}

const start = (data: string): Promise<RunningClinic> => startClinic({ data, port: 0, log: silentLog })

async function refusal(data: string): Promise<string> {
    const error: unknown = await start(data).then(
        async running => (await running.close(), assert.fail("it started")),
        (e: unknown) => e,
    )
    assert.ok(error instanceof UserError, String(error))
    return error.message.replaceAll(data, "DATA")
}

test("a copy of a running clinic without the database's log is refused, and nothing in it is touched", async t => {
    const data = folder(t)
    const copy = folder(t)
    const running = await start(data)
    await running.clinic.setUp()
    for (const name of ["clinic.key", "clinic.db", "ca.pem", "ca-key.pem", "server.pem"])
        copyFileSync(join(data, name), join(copy, name))
    const copied = readFileSync(join(copy, "clinic.db"))
    assert.match(
        await refusal(copy),
        /^cannot use the clinic's database DATA\/clinic.db: its write-ahead log is missing/,
    )
    assert.ok(readFileSync(join(copy, "clinic.db")).equals(copied))
    assert.equal(existsSync(join(copy, "clinic.db-wal")), false)

    copyFileSync(join(data, "clinic.db-wal"), join(copy, "clinic.db-wal"))
    const restored = await start(copy)
    assert.equal(await restored.clinic.setUp(), undefined, "with its log it is the clinic that it was")
    await restored.close()
    await running.close()

    // Who says that the log is lost gets what is in the file: the schema, at least.
    writeFileSync(join(copy, "clinic.db"), copied)
    writeFileSync(join(copy, "clinic.db-wal"), "")
    const older = await start(copy)
    await older.clinic.check()
    await older.close()
})

test("a clinic that was closed needs no log; one that was killed has it", async t => {
    const data = folder(t)
    const copy = folder(t)
    const running = await start(data)
    await running.clinic.setUp()
    cpSync(data, copy, { recursive: true })
    await running.close()
    assert.equal(existsSync(join(data, "clinic.db-wal")), false)
    for (const at of [data, copy]) {
        const again = await start(at)
        assert.equal(await again.clinic.setUp(), undefined, at)
        await again.close()
    }
})

test("a folder whose database is missing or empty is no new clinic", async t => {
    const data = folder(t)
    const running = await start(data)
    await running.clinic.setUp()
    await running.close()
    const authority = readFileSync(join(data, "ca.pem"))
    rmSync(join(data, "clinic.db"))
    assert.match(await refusal(data), /^DATA\/clinic.db is missing or empty, but ca.pem is there: restore/)
    writeFileSync(join(data, "clinic.db"), "")
    assert.match(await refusal(data), /^DATA\/clinic.db is missing or empty/)
    assert.ok(readFileSync(join(data, "ca.pem")).equals(authority))
    assert.equal(statSync(join(data, "clinic.db")).size, 0)
})

test("a disk that is full: 507 at /ingest, 503 at /healthz, reading goes on; with room again all is well by itself", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    const { patient, mote } = await service.admit()
    const now = Date.now()
    const envelopes = Array.from({ length: 80 }, (_, i) =>
        delivery(
            mote.seal(
                Array.from({ length: 30 }, () => measurement("hr", 60 + i, now)),
                now,
            ),
            now,
        ),
    )
    await service.ingest(envelopes.slice(0, 1))
    // The clinic keeps its store to itself.
    const { db } = (service.running.clinic as unknown as { o: { store: Store } }).o.store
    const pages = async () => Number(Object.values((await sql`PRAGMA page_count`.execute(db)).rows[0]!)[0])
    await sql.raw(`PRAGMA max_page_count = ${(await pages()) + 2}`).execute(db)
    const deliver = () =>
        service.call("POST", "/ingest", {
            token: service.router,
            headers: { "content-type": "application/cbor" },
            body: encodeBatch(envelopes),
        })
    const refused = await deliver()
    assert.equal(refused.status, 507)
    assert.match(refused.json.type, /disk-full$/)
    const health = await service.call("GET", "/healthz")
    assert.equal(health.status, 503)
    assert.deepEqual(health.json, { status: "the disk is full" })
    assert.equal((await service.call("GET", "/readyz")).status, 503)
    assert.equal((await service.call("GET", "/livez")).status, 200)
    assert.match((await service.get("/metrics")).bytes.toString(), /^vitalmote_clinic_store_up 0$/m)
    // What happens meanwhile without writing anything does not make it well.
    await service.running.clinic.alarms.tick()
    const ward = await service.get("/api/ward")
    assert.equal(ward.status, 200, "what is stored can be read")
    assert.deepEqual(ward.json.conditions, [{ code: "store-full" }])
    assert.equal(ward.json.patients[0].id, patient)

    await sql.raw("PRAGMA max_page_count = 100000").execute(db)
    const taken = await deliver()
    assert.equal(taken.status, 200)
    const statuses = decodeResults(taken.bytes).map(({ status }) => status)
    assert.ok(statuses.every(status => status === "stored" || status === "duplicate"))
    assert.deepEqual((await service.get("/api/ward")).json.conditions, [])
})

test("a disk that takes nothing keeps nobody from looking, however old the session is", async t => {
    const clock = new ManualClock(Date.now())
    const service = await Service.start(clock)
    t.after(() => service.close())
    const cookie = await service.login("doctor", service.credentials.doctor.password)
    const { db } = (service.running.clinic as unknown as { o: { store: Store } }).o.store
    await sql`PRAGMA query_only = 1`.execute(db)
    clock.step(10 * 60_000)
    assert.equal((await service.call("GET", "/api/me", { cookie })).status, 200)
    assert.equal((await service.call("GET", "/api/ward", { cookie })).status, 200)
    await sql`PRAGMA query_only = 0`.execute(db)
})

test("a file that would not change is not written", t => {
    const file = join(folder(t), "file")
    writeDurably(file, "one", 0o600)
    const { ino } = statSync(file)
    writeDurably(file, "one", 0o600)
    assert.equal(statSync(file).ino, ino)
    writeDurably(file, "two", 0o600)
    assert.notEqual(statSync(file).ino, ino)
    assert.equal(readFileSync(file, "utf8"), "two")
})

test("readings that an older version had hidden, because their router was ahead, come back with their true times", async t => {
    const file = join(folder(t), "clinic.db")
    const old = openDatabase(file, { name: "old", applicationId: 0x564d636c, migrations: migrations.slice(0, 2) })
    const storedAt = Date.UTC(2026, 9, 1)
    const aheadMs = 600_000
    old.exec(`
        INSERT INTO patient VALUES (1, 1, 'Ada', 'Beck', NULL, NULL, NULL, NULL, 0);
        INSERT INTO mote (id, kid, secret, patient, registered_at, config_version, config_at, config_boot, config_seq)
            VALUES (1, x'0102030405060708', x'00', 1, 0, 7, 5, 3, 9);
        INSERT INTO envelope VALUES
            (1, 1, 1, x'00', 0, 'vitals', ${storedAt}, ${storedAt}, 1, x'00', NULL),
            (2, 1, 1, x'00', 1, 'vitals', ${storedAt + aheadMs}, ${storedAt}, 1, x'01', 'hr is from the future'),
            (3, 1, 1, x'00', 2, 'vitals', ${storedAt}, ${storedAt}, 1, x'02', 'hr is from the future');
        INSERT INTO measurement (envelope, mote, patient, name, unit, value, time, relative, problem) VALUES
            (1, 1, 1, 'hr', 'beat/min', 60, ${storedAt - 5000}, 0, NULL),
            (2, 1, 1, 'hr', 'beat/min', 70, ${storedAt + aheadMs - 1000}, 0, 'hr is from the future'),
            (3, 1, 1, 'hr', 'beat/min', 80, ${storedAt + 9e9}, 0, 'hr is from the future');
    `)
    closeSqlite(old)
    const store = openSqlite(file)
    const observations = new Observations(store)
    const found = await observations.since(0, 10)
    assert.deepEqual(
        found.map(({ value, time }) => [value, time - storedAt]),
        [
            [60, -5000],
            [70, -1000],
        ],
        "the third is the mote's own fault",
    )
    assert.equal((await observations.newest(1, "hr"))?.value, 70)
    assert.deepEqual(await store.envelope.problemsOf(1), { count: 1, newest: "hr is from the future" })
    assert.deepEqual(await store.configReport.get(1), { version: 7, heardAt: 5 })
    await store.close()
})

test("alarms of an older version keep their times and who acknowledged them, and what was open still is", async t => {
    const file = join(folder(t), "clinic.db")
    const before = migrations.findIndex(script => script.includes("CREATE TABLE alarm_2"))
    const old = openDatabase(file, { name: "old", applicationId: 0x564d636c, migrations: migrations.slice(0, before) })
    old.exec(`
        INSERT INTO patient (id, active, given, family, updated_at, ward) VALUES (1, 1, 'Ada', 'Beck', 0, 'ICU');
        INSERT INTO mote (id, kid, secret, patient, registered_at) VALUES (1, x'0102030405060708', x'00', 1, 0);
        INSERT INTO alarm (id, mote, patient, kind, generation, number, raised_at, raised_about, raised_value, cleared_at,
            cleared_about, stored_at, acknowledged_at, acknowledged_by, is_open) VALUES
            (1, 1, 1, 'hr-high', 0, 1, 100, 0, 171, NULL, 0, 100, NULL, NULL, 1),
            (2, 1, 1, 'hr-low', 0, 2, 200, 0, 35, 300, 0, 200, NULL, NULL, 1),
            (3, 1, 1, 'temp-high', 0, 3, 300, 0, 39, NULL, 0, 300, 400, 'ruth', 1),
            (4, 1, 1, 'contact', 0, 4, 400, 0, NULL, 500, 0, 400, NULL, NULL, 0);
        INSERT INTO delivery (notice, channel, alarm, phase, made_at, attempts) VALUES ('n', 'c', 1, 'start', 100, 1);
    `)
    closeSqlite(old)
    const store = openSqlite(file)
    assert.deepEqual(
        (await store.alarm.ofPatient(1, 10)).map(a => [a.id, a.state, a.isOpen, a.raisedAt, a.acknowledgedBy, a.ward]),
        [
            [4, "closed", 0, 400, null, "ICU"],
            [3, "acknowledged", 1, 300, "ruth", "ICU"],
            [2, "latched", 1, 200, null, "ICU"],
            [1, "raised", 1, 100, null, "ICU"],
        ],
    )
    assert.equal((await store.delivery.ofAlarm(1)).length, 1)
    assert.deepEqual(
        (await store.alarmEntry.ofAlarm(3)).map(({ change, by }) => [change, by]),
        [
            ["raised", null],
            ["acknowledged", "ruth"],
        ],
    )
    await store.close()
})
