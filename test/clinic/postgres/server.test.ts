import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { after, test } from "node:test"
import { Audit } from "../../../clinic/audit/audit.ts"
import { chainPage, chainPages } from "../../../clinic/audit/chain.ts"
import { sealingKey } from "../../../clinic/audit/head.ts"
import { verifyChain } from "../../../clinic/audit/verify.ts"
import { silentLog } from "../../../host/log.ts"
import { ManualClock } from "../../support/clock.ts"
import { UserError } from "../../../host/errors.ts"
import { parseAddress } from "../../../clinic/store/postgres/address.ts"
import { Clinic } from "../../../clinic/index.ts"
import { prepareFor } from "../../../clinic/store/postgres/roles.ts"
import { openPostgres } from "../../../clinic/store/postgres/open.ts"
import { StoreFailure } from "../../../clinic/store/failure.ts"
import type { Changes, Store, Tables } from "../../../clinic/store/store.ts"
import { TestMote } from "../../support/mote.ts"
import { delivery, measurement } from "../support.ts"
import { noPostgres, TestPostgres } from "../../support/postgres.ts"
import { until } from "../../support/until.ts"

const skip = noPostgres
const server = skip === false ? await TestPostgres.start({ settings: ["fsync=off"] }) : undefined
after(() => server?.close())

const ada = { given: "Ada", family: "Beck", birth_date: null, gender: null, identifier: null, bed: null, ward: null }
const add = (t: Tables, family = "Beck") => t.patient.add({ ...ada, family }, 0)
const families = async (t: Tables) => (await t.patient.page(0, 1000)).map(({ family }) => family)

async function two(): Promise<{ a: Store; b: Store; url: string; close(): Promise<void> }> {
    const url = await server!.database()
    const [a, b] = [await openPostgres(url), await openPostgres(url)]
    return { a, b, url, close: async () => void (await Promise.all([a.close(), b.close()])) }
}

test(
    "transactions of two processes come one after the other, and give out ids in the order of their commits",
    { skip },
    async () => {
        const { a, b, close } = await two()
        const seen: number[] = []
        a.onChanged(() => seen.push(1))
        const work = (store: Store, name: string) =>
            store.transaction(async t => {
                const before = await families(t)
                await add(t, `${name} ${before.length}`)
                await new Promise(resolve => setTimeout(resolve, 2))
                assert.equal((await families(t)).length, before.length + 1)
            })
        await Promise.all(Array.from({ length: 20 }, (_, i) => work(i % 2 ? a : b, i % 2 ? "a" : "b")))
        const all = await families(a)
        assert.deepEqual(
            all.map(name => Number(name.split(" ")[1])),
            [...Array(20).keys()],
        )
        await close()
    },
)

test(
    "where a statement outside changes what a transaction has read, it runs again, and nothing is lost",
    { skip },
    async () => {
        const { a, b, close } = await two()
        const { id } = await add(a, "0")
        let runs = 0
        await a.transaction(async t => {
            runs++
            const { family } = (await t.patient.get(id))!
            if (runs === 1) await b.patient.update(id, { given: "Bea" }, 1)
            await t.patient.update(id, { family: String(Number(family) + 1) }, 2)
        })
        assert.equal(runs, 2)
        const { given, family } = (await b.patient.get(id))!
        assert.deepEqual([given, family], ["Bea", "1"])
        await close()
    },
)

test("what one process commits the others hear of, once, and never what it rolls back", { skip }, async () => {
    const { a, b, close } = await two()
    const heard: [string, number[]][] = []
    b.onChanged((changes: Changes) => {
        for (const [table, ids] of changes) heard.push([table, [...ids]])
    })
    await assert.rejects(
        a.transaction(async t => {
            await t.note.add({ patient: (await add(t)).id, text: "no", time: 0, author: "a" })
            throw new Error("no")
        }),
        /^Error: no$/,
    )
    const { id } = await a.transaction(async t => {
        const patient = (await add(t)).id
        return await t.note.add({ patient, text: "yes", time: 0, author: "a" })
    })
    await until(() => heard.length >= 2, "the other process hears")
    assert.deepEqual(heard, [
        ["patient", []],
        ["note", [id]],
    ])
    await b.transaction(t => add(t))
    assert.equal(heard.length, 3, "of its own at once, and by the database no second time")
    await add(a)
    await until(() => heard.length >= 4, "a statement of its own is told as well")
    await close()
})

test("one process is on duty; when it ends or loses its connection another one is", { skip }, async () => {
    const { a, b, url } = await two()
    const c = await openPostgres(url)
    const onDuty = (stores: Store[]) => stores.filter(store => store.isOnDuty)
    assert.deepEqual(onDuty([a, b, c]), [a])
    assert.deepEqual(await a.living(), new Set([a.process, b.process, c.process]))
    await a.close()
    await until(() => onDuty([b, c]).length === 1, "another one takes over")
    const [on, off] = b.isOnDuty ? [b, c] : [c, b]
    let lost = 0
    on.onChanged(() => lost++)
    const end = `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = ${on.process}`
    await server!.sql(end, url)
    await until(() => !on.isOnDuty, "it knows that it is not on duty any more")
    await until(() => onDuty([on, off]).length === 1, "one of them is")
    await until(() => lost > 0, "who listens there is told to read everything again")
    assert.deepEqual(await on.living(), new Set([on.process, off.process]))
    await Promise.all([on.close(), off.close()])
})

test("a server that stops is a store that fails, and works again when the server is back", { skip }, async () => {
    const own = await TestPostgres.start({ settings: ["fsync=off"] })
    const store = await openPostgres(await own.database())
    await add(store)
    await own.end("SIGQUIT")
    await assert.rejects(
        store.transaction(t => add(t)),
        (error: unknown) => error instanceof StoreFailure && error.kind === "broken",
    )
    await assert.rejects(store.probe(1), StoreFailure)
    assert.equal(store.failure, "broken")
    await own.open(["fsync=off"])
    await store.transaction(t => add(t))
    assert.equal(store.failure, undefined)
    assert.equal((await families(store)).length, 2)
    await store.close()
    await own.close()
})

test("a transaction whose connection ends in its middle leaves nothing, and lets the others in", { skip }, async () => {
    const { a, b, url, close } = await two()
    await assert.rejects(
        a.transaction(async t => {
            await add(t)
            await server!.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'",
                url,
            )
            await b.transaction(other => add(other, "other"))
            await add(t)
        }),
        StoreFailure,
    )
    assert.deepEqual(await families(a), ["other"])
    await close()
})

test("the audit record only grows, whoever asks", { skip }, async () => {
    const url = await server!.database()
    const store = await openPostgres(url)
    const event = { at: 1, account: null, user: null, role: null, credential: null, address: null, request: null }
    const row = { ...event, id: 1, subject: "clinic", action: "start", outcome: "done", patients: "[]", detail: null }
    await store.audit.add({ ...row, hash: Uint8Array.of(1) }, [])
    for (const statement of ["UPDATE audit SET at = 2", "DELETE FROM audit", "TRUNCATE audit CASCADE"])
        await assert.rejects(server!.sql(statement, url), /the audit record only grows/)
    await store.close()
})

test("two processes that write the audit record at once leave one chain that is whole", { skip }, async () => {
    const { a, b, close } = await two()
    const key = randomBytes(32)
    const audits = [a, b].map(store => new Audit({ store, clock: new ManualClock(), log: silentLog, key }))
    for (const audit of audits) await audit.open()
    const events = Array.from({ length: 30 }, (_, i) => ({
        ...audits[0]!.own("look"),
        patients: [i],
        user: "é\u{1F6CF}",
    }))
    await Promise.all(events.map((event, i) => audits[i % 2]!.record([event])))
    const pages = chainPages(after => chainPage(a, after))
    const verdict = await verifyChain(pages, { key: sealingKey(key), anchors: [] })
    assert.equal("head" in verdict && verdict.head.count, 32)
    await close()
})

test(
    "what a process was changing when it was killed is in the audit record; what others are changing is not touched",
    { skip },
    async () => {
        const { a, b, url, close } = await two()
        const key = randomBytes(32)
        const open = (store: Store) => new Audit({ store, clock: new ManualClock(), log: silentLog, key })
        const [living, killed] = [open(a), open(b)]
        await living.begin(living.own("change", { what: 1 }))
        await killed.begin(killed.own("change", { what: 2 }))
        await living.closeEnded()
        assert.equal((await living.search({ outcomes: ["unknown"], limit: 9 })).length, 0)
        await b.close()
        await until(async () => (await a.living()).size === 1, "the server knows")
        await living.closeEnded()
        const third = await openPostgres(url)
        await open(third).open()
        const found = await living.search({ outcomes: ["unknown"], limit: 9 })
        assert.deepEqual(
            found.map(({ detail }) => detail),
            [{ what: 2 }],
        )
        await third.close()
        await a.close()
        void close
    },
)

test("a database of another program, or of a newer version, is refused and left alone", { skip }, async () => {
    const other = await server!.database()
    await server!.sql("CREATE TABLE theirs (id int)", other)
    await assert.rejects(
        openPostgres(other),
        /^UserError: cannot use the clinic's database: it belongs to another program$/,
    )
    const newer = await server!.database()
    await (await openPostgres(newer)).close()
    await server!.sql("UPDATE schema_version SET version = 10000", newer)
    await assert.rejects(openPostgres(newer), /a newer version of VitalMote wrote it$/)
    await assert.rejects(openPostgres(server!.url("nowhere")), /database "nowhere" does not exist$/)
    await assert.rejects(openPostgres("postgres://127.0.0.1:1/x"), /no server answers there$/)
})

test("a database whose tables are being made by two processes at once has them once", { skip }, async () => {
    const url = await server!.database()
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgres(url)))
    await stores[0]!.transaction(t => add(t))
    assert.deepEqual(await families(stores[3]!), ["Beck"])
    await Promise.all(stores.map(store => store.close()))
})

test("the service's role does its work, and can change neither tables nor the audit record", { skip }, async () => {
    await server!.sql("CREATE ROLE owner LOGIN")
    await server!.sql("CREATE ROLE service LOGIN")
    await server!.sql("CREATE DATABASE owned OWNER owner")
    const [owner, service] = [server!.url("owned", "owner"), server!.url("owned", "service")]
    await assert.rejects(
        openPostgres(service),
        /this role may not change them: run `vitalmote database` as their owner$/,
    )
    await prepareFor(owner, "service")
    await prepareFor(owner, "service")
    const store = await openPostgres(service)
    const key = randomBytes(32)
    const o = { store, clock: new ManualClock(), log: silentLog, key }
    const clinic = await Clinic.open({ ...o, random: randomBytes })
    await clinic.audit.open()
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.register(patient.id, "doctor")
    const sealer = new TestMote({ kid: mote.kid, secret })
    const now = o.clock.now()
    const [result] = await clinic.ingest([delivery(sealer.seal([measurement("hr", 60, now)], now), now)])
    assert.equal(result?.status, "stored")
    await clinic.check()
    await clinic.audit.record([{ ...clinic.audit.own("look"), patients: [patient.id] }])
    for (const statement of [
        ...["UPDATE audit SET at = 2", "DELETE FROM audit", "TRUNCATE audit", "UPDATE audit_patient SET patient = 2"],
        ...["DELETE FROM audit_patient", "DROP TRIGGER audit_kept ON audit", "ALTER TABLE audit DISABLE TRIGGER ALL"],
        ...["ALTER TABLE patient ADD COLUMN x int", "DROP TABLE note", "CREATE TABLE x (id int)"],
        ...["UPDATE schema_version SET version = 0", "SET session_replication_role = replica"],
    ])
        await assert.rejects(server!.sql(statement, service), /permission denied|must be owner/, statement)
    await clinic.close()
})

test("addresses: hosts, sockets and encryption, and no message with the password", () => {
    assert.deepEqual(parseAddress("postgres://vm:se%40cret@db.example:6432/clinic"), [
        {
            ...{ host: "db.example", port: 6432, database: "clinic", user: "vm", password: "se@cret" },
            ssl: { rejectUnauthorized: true, servername: "db.example" },
        },
    ])
    const ports = parseAddress("postgresql://vm@[::1]:1,127.0.0.1:2,localhost/x?sslmode=disable").map(
        ({ host, port, ssl }) => [host, port, ssl],
    )
    assert.deepEqual(ports, [
        ["::1", 1, false],
        ["127.0.0.1", 2, false],
        ["localhost", 5432, false],
    ])
    assert.equal(parseAddress("postgres:///x?host=/var/run/postgresql")[0]?.host, "/var/run/postgresql")
    assert.equal(parseAddress("postgres://u@10.0.0.1/x?sslmode=disable")[0]?.ssl, false)
    for (const bad of [
        "postgres://vm:secret@h/",
        "postgres://vm:sec/ret@h/x",
        "postgres://vm:secret@h:x/y",
        "http://secret",
    ])
        assert.throws(
            () => parseAddress(bad),
            (error: unknown) => error instanceof UserError && !error.message.includes("sec"),
        )
    assert.throws(() => parseAddress("postgres://h/x?sslmode=require"), /verify-full, verify-ca or disable/)
    assert.throws(() => parseAddress("postgres://h/x?sslrotcert=a"), /"sslrotcert" is not known/)
})
