import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { sql } from "kysely"
import { Observations } from "../../clinic/readings/observations.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import type { Changes, Store, Tables } from "../../clinic/store/store.ts"
import type { Value } from "../../clinic/store/access.ts"

const count = async (t: Tables) => (await t.patient.page(0, 1000)).length

const ada = { given: "Ada", family: "Beck", birth_date: null, gender: null, identifier: null, bed: null, ward: null }
const insert = (t: Tables) => t.patient.add(ada, 0)

test("a transaction that fails leaves nothing, and others never see its middle", async () => {
    const store = openSqlite(":memory:")
    const seen: Promise<number>[] = []
    const failed = store.transaction(async t => {
        await insert(t)
        seen.push(count(store))
        await new Promise(resolve => setImmediate(resolve))
        assert.equal(await count(t), 1)
        throw new Error("no")
    })
    await assert.rejects(failed, /^Error: no$/)
    const good = store.transaction(async t => {
        await insert(t)
        await new Promise(resolve => setImmediate(resolve))
        await insert(t)
    })
    seen.push(count(store))
    await good
    assert.deepEqual(await Promise.all(seen), [0, 2])
    await store.close()
})

test("transactions run one after the other, in the order in which they were asked for", async () => {
    const store = openSqlite(":memory:")
    const order: number[] = []
    await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
            store.transaction(async t => {
                const before = await count(t)
                await insert(t)
                await new Promise(resolve => setImmediate(resolve))
                assert.equal(await count(t), before + 1)
                order.push(i)
            }),
        ),
    )
    assert.equal(await count(store), 20)
    assert.deepEqual(order, [...order.keys()])
    await store.close()
})

test("what was written is told once for each commit, and never for what was rolled back", async () => {
    const store = openSqlite(":memory:")
    const heard: string[] = []
    const stop = store.onChanged((changes: Changes) => heard.push([...changes.keys()].join(" ")))
    await insert(store)
    await store.transaction(async t => {
        const { id } = await insert(t)
        await t.patient.update(id, { active: 0 }, 1)
        await t.mote.add({ kid: Uint8Array.of(1), secret: Uint8Array.of(2), registeredAt: 0 })
        assert.equal(heard.length, 1, "not before the commit")
    })
    await store.transaction(async t => void (await count(t)))
    const failed = store.transaction(async t => {
        await insert(t)
        throw new Error("no")
    })
    await assert.rejects(failed)
    assert.deepEqual(heard, ["patient", "patient mote"])
    stop()
    await insert(store)
    assert.equal(heard.length, 2)
    await store.close()
})

test("committed means on the disk: WAL with synchronous=FULL", async () => {
    const folder = mkdtempSync(join(tmpdir(), "clinic-"))
    const store = openSqlite(join(folder, "clinic.db"))
    const pragma = async (name: string) => Object.values((await sql.raw(`PRAGMA ${name}`).execute(store.db)).rows[0]!)
    assert.deepEqual(await pragma("journal_mode"), ["wal"])
    assert.deepEqual(await pragma("synchronous"), [2])
    assert.deepEqual(await pragma("foreign_keys"), [1])
    await store.close()
    rmSync(folder, { recursive: true })
})

test("values come back as they went in; other types are refused, not fatal", async () => {
    const store = openSqlite(":memory:")
    for (const value of [null, "é\n", 0, -1.5, 1.7e12 + 1, Uint8Array.of(0, 255)] as Value[])
        assert.deepEqual((await sql`SELECT ${value} AS v WHERE 1 = 1`.execute(store.db)).rows, [{ v: value }])
    for (const value of [true, undefined, {}, 1n])
        await assert.rejects(sql`SELECT ${sql.val(value)}`.execute(store.db), TypeError)
    await store.close()
})

/** A store that notes how each statement would be carried out. */
async function planned(work: (store: Store) => Promise<unknown>): Promise<string[]> {
    const statements: { sql: string; parameters: readonly unknown[] }[] = []
    const store = openSqlite(":memory:", ({ query }) => statements.push(query))
    await work(store)
    const plans = statements.map(({ sql: text, parameters }) =>
        store.db.executeQuery<{ detail: string }>({
            ...sql.raw(`EXPLAIN QUERY PLAN ${text}`).compile(store.db),
            parameters,
        }),
    )
    const lines = (await Promise.all(plans)).map(({ rows }) => rows.map(row => row.detail).join("; "))
    await store.close()
    return lines
}

test("what the readers ask goes through an index, and pages are not sorted", async () => {
    const span = { from: 1, before: 9 }
    const search = { patients: [1], names: ["hr" as const], limit: 10, ...span }
    const after = { time: 5, id: 7 }
    const pages = await planned(async store => {
        const observations = new Observations(store)
        for (const newestFirst of [true, false]) {
            await observations.search({ ...search, newestFirst })
            await observations.search({ ...search, newestFirst, after })
        }
    })
    assert.equal(pages.length, 4)
    for (const plan of pages) assert.doesNotMatch(plan, /TEMP B-TREE/)
    const walks = await planned(async store => {
        const observations = new Observations(store)
        await observations.count(search)
        await observations.history({ patient: 1, name: "hr", stepMs: 2, ...span })
    })
    assert.ok(walks.length >= 3)
    assert.ok(walks.some(plan => plan.includes("INDEX measurement_summary")))
    for (const plan of [...pages, ...walks])
        assert.match(plan, /INDEX measurement_(newest|summary) \(patient=\? AND name=\? AND time>\? AND time<\?\)/)
    const byId = await planned(async store => {
        await new Observations(store).since(5, 10)
        await new Observations(store).get(5)
    })
    for (const plan of byId) assert.match(plan, /SEARCH m USING INTEGER PRIMARY KEY/)
})

test("an alarm costs the same however many there are: each statement on its way goes through an index", async () => {
    const plans = await planned(async ({ alarm }) => {
        await alarm.find({ source: "mote/1", kind: "hr-high", generation: 0, number: 1 })
        await alarm.lasting("mote/1", "hr-high")
        await alarm.newestRaised("mote/1", "hr-high")
        await alarm.newestLine("mote/1", "hr-high")
        await alarm.limitsOf(1)
        await alarm.openOfMote(1)
    })
    assert.equal(plans.length, 6)
    assert.match(plans[0]!, /^SEARCH a USING INDEX \S+ \(source=\? AND kind=\? AND generation=\? AND number=\?\)$/)
    assert.match(plans[1]!, /^SEARCH a USING INDEX alarm_lasting \(source=\? AND kind=\? AND cleared_at=\?\)$/)
    assert.match(plans[2]!, /^SEARCH a USING INDEX alarm_raised \(source=\? AND kind=\?\)$/)
    assert.match(plans[3]!, /^SEARCH a USING INDEX alarm_line \(source=\? AND kind=\?\)$/)
    assert.match(plans[4]!, /^SEARCH a USING INDEX alarm_of_mote \(mote=\?\)$/)
    assert.match(plans[5]!, /SEARCH a USING INDEX alarm_of_mote \(mote=\?\)/)
})
