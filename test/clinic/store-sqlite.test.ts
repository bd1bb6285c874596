import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { sql } from "kysely"
import { Observations } from "../../clinic/readings/observations.ts"
import type { Value } from "../../clinic/store/access.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import type { Store } from "../../clinic/store/store.ts"

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
    const isMean = (plan: string) => /SEARCH mean /.test(plan)
    const all = await planned(async store => {
        const observations = new Observations(store)
        for (const newestFirst of [true, false]) {
            await observations.search({ ...search, newestFirst })
            await observations.search({ ...search, newestFirst, after })
        }
    })
    const pages = all.filter(plan => !isMean(plan))
    assert.deepEqual([pages.length, all.length], [4, 12])
    for (const plan of pages) assert.doesNotMatch(plan, /TEMP B-TREE/)
    const walks = await planned(async store => {
        const observations = new Observations(store)
        await observations.count(search)
        await observations.history({ patient: 1, name: "hr", stepMs: 2, ...span })
    })
    assert.ok(walks.length >= 3)
    assert.ok(walks.some(plan => plan.includes("INDEX measurement_summary")))
    const byMean = /INDEX \S+ \(patient=\? AND name=\? AND step=\? AND time>\? AND time<\?\)/
    for (const plan of [...all, ...walks].filter(isMean)) assert.match(plan, byMean)
    for (const plan of [...pages, ...walks].filter(plan => !isMean(plan)))
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
