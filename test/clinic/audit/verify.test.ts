import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import fc from "fast-check"
import Database from "libsql"
import { Audit } from "../../../clinic/audit/audit.ts"
import { hashOf, noHash, toRow, type AuditEvent } from "../../../clinic/audit/event.ts"
import { headText, parseHead, sealingKey, type Head } from "../../../clinic/audit/head.ts"
import { verifyChain } from "../../../clinic/audit/verify.ts"
import { chainPage, chainPages, openSqlite, readSqlite } from "../../../clinic/index.ts"
import { silentLog } from "../../../host/log.ts"
import { ManualClock } from "../../support/clock.ts"
import { temporaryFolder } from "../../support/folder.ts"

const key = randomBytes(32)

function look(user: string, ...patients: number[]): AuditEvent {
    return {
        ...{ at: 1_000, account: 3, user, role: "nurse", credential: "session 1", address: "::1" },
        ...{ subject: "vital-signs", action: "look", outcome: "done", patients, request: "GET /x", detail: null },
    }
}

/** A record of so many events in a real file. */
async function recorded(t: TestContext, count: number): Promise<string> {
    const file = join(temporaryFolder(t), "clinic.db")
    const store = openSqlite(file)
    const audit = new Audit({ store, clock: new ManualClock(), log: silentLog, key })
    for (let i = 1; i <= count; i++) await audit.record([look(`user ${i}`, i, i + 1)])
    await store.close()
    return file
}

async function verify(file: string, anchors: Head[] = [], clinicKey: Uint8Array = key) {
    const store = readSqlite(file)
    try {
        return await verifyChain(
            chainPages(after => chainPage(store, after)),
            { key: sealingKey(clinicKey), anchors },
        )
    } finally {
        await store.close()
    }
}

/** As somebody who has the database's file in hand, and can drop what protects it from the clinic's own mistakes. */
function tamper(file: string, work: (db: Database.Database) => void): void {
    const db = new Database(file)
    db.exec("DROP TRIGGER audit_kept; DROP TRIGGER audit_unchanged; PRAGMA foreign_keys = OFF")
    work(db)
    db.exec("PRAGMA journal_mode = DELETE")
    db.close()
}

/** Makes the hashes fit again from number `first` on, as anybody can. */
function chainAnew(db: Database.Database, first: number): void {
    const rows = db.prepare("SELECT * FROM audit ORDER BY id").all() as (ReturnType<typeof toRow> & {
        hash: ArrayBuffer
    })[]
    let hash: Uint8Array = noHash
    for (const { hash: stored, ...row } of rows) {
        hash = row.id < first ? new Uint8Array(stored) : hashOf(row, hash)
        db.prepare("UPDATE audit SET hash = ? WHERE id = ?").run([hash, row.id])
    }
}

test("a record that nobody touched is whole, whatever its length", async t => {
    for (const count of [1, 2, 199, 200, 201, 450]) {
        const verdict = await verify(await recorded(t, count))
        assert.equal(verdict.bad, undefined)
        assert.equal("head" in verdict && verdict.head.count, count)
    }
})

const harms: Record<string, [(db: Database.Database) => void, bad: number]> = {
    "an edit": [db => db.exec("UPDATE audit SET user = 'somebody' WHERE id = 7"), 7],
    "another patient": [db => db.exec("UPDATE audit SET patients = '[9]' WHERE id = 7"), 7],
    "another time": [db => db.exec("UPDATE audit SET at = at + 1 WHERE id = 1"), 1],
    "a removal": [db => db.exec("DELETE FROM audit WHERE id = 5"), 5],
    "a removal of the first": [db => db.exec("DELETE FROM audit WHERE id = 1"), 1],
    "a removal with the numbers closed up": [
        db => db.exec("DELETE FROM audit WHERE id = 5; UPDATE audit SET id = id - 1 WHERE id > 5"),
        5,
    ],
    "a swap": [
        db =>
            db.exec(
                "UPDATE audit SET id = 99 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 8; UPDATE audit SET id = 8 WHERE id = 99",
            ),
        4,
    ],
    "an insertion": [
        db => {
            db.exec("UPDATE audit SET id = -(id + 1) WHERE id >= 6; UPDATE audit SET id = -id WHERE id < 0")
            db.exec(
                "INSERT INTO audit SELECT 6, at, account, user, role, credential, address, subject, action, outcome, patients, request, detail, hash FROM audit WHERE id = 5",
            )
        },
        6,
    ],
    "a tail that was cut off": [db => db.exec("DELETE FROM audit WHERE id > 9"), 10],
    "all of it gone": [db => db.exec("DELETE FROM audit"), 1],
    "all of it gone, the seal too": [db => db.exec("DELETE FROM audit; DELETE FROM audit_head"), 1],
    "a look that its patient cannot find": [
        db => db.exec("DELETE FROM audit_patient WHERE audit = 3 AND patient = 4"),
        3,
    ],
    "one that another patient finds": [db => db.exec("INSERT INTO audit_patient VALUES (70, 3)"), 3],
}

for (const [what, [harm, bad]] of Object.entries(harms))
    test(`${what} is found, with the first number that is wrong`, async t => {
        const file = await recorded(t, 12)
        tamper(file, harm)
        const verdict = await verify(file)
        assert.equal(verdict.bad, bad, JSON.stringify(verdict))
    })

test("whoever makes all hashes fit again is found by the seal; with the clinic's key, by what was written down elsewhere", async t => {
    const file = await recorded(t, 12)
    const whole = await verify(file)
    const anchor = "head" in whole ? headText(whole.head) : ""
    const early = await recorded(t, 1)
    const copy = file + ".copy"
    tamper(file, db => {
        db.exec("UPDATE audit SET user = 'somebody' WHERE id = 7")
        chainAnew(db, 7)
    })
    const verdict = await verify(file)
    assert.equal(verdict.bad, 12)
    assert.match("reason" in verdict ? verdict.reason : "", /sealed/)
    assert.equal((await verify(early, [], randomBytes(32))).bad, 1, "another clinic's seal")

    // With the key one can seal whatever one likes.
    copyFileSync(file, copy)
    const store = openSqlite(file)
    const last = (await store.audit.last())!
    const { seal } = await import("../../../clinic/audit/head.ts")
    await store.audit.putHead(seal({ count: last.id, hash: last.hash }, sealingKey(key)))
    await store.close()
    assert.equal((await verify(file)).bad, undefined)
    assert.equal((await verify(file, [parseHead(anchor)!])).bad, 12, "the log has another one")
})

test("a database that was put back to an earlier state is found by what was written down since", async t => {
    const file = await recorded(t, 3)
    const earlier = readFileSync(file)
    const store = openSqlite(file)
    await new Audit({ store, clock: new ManualClock(), log: silentLog, key }).record([look("ruth", 1)])
    const { count, hash } = (await store.audit.head())!
    await store.close()
    writeFileSync(file, earlier)
    assert.equal((await verify(file)).bad, undefined, "the database alone does not show it")
    assert.equal((await verify(file, [{ count, hash }])).bad, 4)
})

test("a clinic that goes on after the tail was cut off says so in the record, which stays broken", async t => {
    const file = await recorded(t, 12)
    tamper(file, db => db.exec("DELETE FROM audit WHERE id > 9"))
    const store = openSqlite(file)
    const errors: string[] = []
    const log = { ...silentLog, error: (_: object, message: string) => void errors.push(message) }
    const audit = new Audit({ store, clock: new ManualClock(), log, key })
    await audit.record([look("ruth", 1)])
    await audit.record([look("ruth", 2)])
    await store.close()
    assert.deepEqual(errors, ["the audit record was changed outside of the clinic"])
    const verdict = await verify(file)
    assert.equal(verdict.bad, 10)
    assert.match("reason" in verdict ? verdict.reason : "", /"expected":"12:/)
})

test("the clinic itself cannot change or remove an event", async t => {
    const store = openSqlite(await recorded(t, 3))
    t.after(() => store.close())
    await assert.rejects(store.db.deleteFrom("audit").where("id", "=", 2).execute(), /only grows/)
    await assert.rejects(store.db.updateTable("audit").set({ user: "x" }).where("id", "=", 2).execute(), /only grows/)
})

test("an event has one form: what comes back from the database has the hash that it was stored with", async t => {
    const store = openSqlite(join(temporaryFolder(t), "clinic.db"))
    t.after(() => store.close())
    const audit = new Audit({ store, clock: new ManualClock(), log: silentLog, key })
    const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.string())
    const maybe = fc.option(text)
    await fc.assert(
        fc.asyncProperty(
            fc.record({
                user: maybe,
                request: maybe,
                address: maybe,
                note: text,
                patients: fc.array(fc.nat(), { maxLength: 60 }),
            }),
            async ({ note, ...event }) => {
                await audit.record([{ ...look(""), ...event, detail: { note } }])
            },
        ),
        { numRuns: 200 },
    )
    const verdict = await verifyChain(
        chainPages(after => chainPage(store, after)),
        { key: sealingKey(key), anchors: [] },
    )
    assert.equal("head" in verdict && verdict.head.count, 200, JSON.stringify(verdict))
})

test("events that come at the same time are chained one behind the other", async t => {
    const store = openSqlite(join(temporaryFolder(t), "clinic.db"))
    t.after(() => store.close())
    const audit = new Audit({ store, clock: new ManualClock(), log: silentLog, key })
    await Promise.all(Array.from({ length: 500 }, (_, i) => audit.record([look(`user ${i}`, i + 1)])))
    const found = await audit.search({ limit: 1000 })
    assert.deepEqual(
        found.map(({ id, user }) => [id, user]),
        Array.from({ length: 500 }, (_, i) => [500 - i, `user ${499 - i}`]),
    )
})

test("heads as text", () => {
    fc.assert(
        fc.property(fc.nat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (count, hash) => {
            const head = parseHead(headText({ count, hash }))
            assert.deepEqual([head?.count, Buffer.from(head!.hash)], [count, Buffer.from(hash)])
        }),
    )
    fc.assert(fc.property(fc.string(), text => assert.equal(parseHead(text), undefined)))
})
