import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { Observations } from "../../clinic/readings/observations.ts"
import { openSqlite } from "../../clinic/store/sqlite.ts"
import type { Value } from "../../clinic/store/store.ts"

async function count(store: { all: ReturnType<typeof openSqlite>["all"] }): Promise<number> {
    const [row] = await store.all<{ n: number }>("SELECT COUNT(*) AS n FROM patient")
    return row!.n
}

const insert = "INSERT INTO patient (active, given, family, updated_at) VALUES (1, 'Ada', 'Beck', 0)"

test("a transaction that fails leaves nothing, and others never see its middle", async () => {
    const store = openSqlite(":memory:")
    const seen: Promise<number>[] = []
    const failed = store.transaction(async sql => {
        await sql.run(insert)
        seen.push(count(store))
        await new Promise(resolve => setImmediate(resolve))
        assert.equal(await count(sql), 1)
        throw new Error("no")
    })
    await assert.rejects(failed, /^Error: no$/)
    const good = store.transaction(async sql => {
        await sql.run(insert)
        await new Promise(resolve => setImmediate(resolve))
        await sql.run(insert)
    })
    seen.push(count(store))
    await good
    assert.deepEqual(await Promise.all(seen), [0, 2])
    await store.close()
})

test("transactions run one after the other", async () => {
    const store = openSqlite(":memory:")
    await Promise.all(
        Array.from({ length: 20 }, () =>
            store.transaction(async sql => {
                const before = await count(sql)
                await sql.run(insert)
                await new Promise(resolve => setImmediate(resolve))
                assert.equal(await count(sql), before + 1)
            }),
        ),
    )
    assert.equal(await count(store), 20)
    await store.close()
})

test("committed means on the disk: WAL with synchronous=FULL", async () => {
    const folder = mkdtempSync(join(tmpdir(), "clinic-"))
    const store = openSqlite(join(folder, "clinic.db"))
    assert.deepEqual(await store.all("PRAGMA journal_mode"), [{ journal_mode: "wal" }])
    assert.deepEqual(await store.all("PRAGMA synchronous"), [{ synchronous: 2 }])
    assert.deepEqual(await store.all("PRAGMA foreign_keys"), [{ foreign_keys: 1 }])
    await store.close()
    rmSync(folder, { recursive: true })
})

test("values come back as they went in; other types are refused, not fatal", async () => {
    const store = openSqlite(":memory:")
    for (const value of [null, "é\n", 0, -1.5, 1.7e12 + 1, Uint8Array.of(0, 255)] as Value[])
        assert.deepEqual(await store.all("SELECT ? AS v WHERE 1 = 1", value), [{ v: value }])
    for (const value of [true, undefined, {}, 1n])
        await assert.rejects(store.all("SELECT ?", value as never), TypeError)
    await store.close()
})

test("what the readers ask goes through an index, and pages are not sorted", async () => {
    const store = openSqlite(":memory:")
    const plans: string[] = []
    const all = async <Row>(sql: string, ...parameters: Value[]) => {
        const plan = await store.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...parameters)
        plans.push(plan.map(row => row.detail).join("; "))
        return await store.all<Row>(sql, ...parameters)
    }
    const observations = new Observations({ ...store, all })
    const span = { from: 1, before: 9 }
    const search = { patients: [1], names: ["hr" as const], limit: 10, ...span }
    const after = { time: 5, id: 7 }
    for (const newestFirst of [true, false]) {
        await observations.search({ ...search, newestFirst })
        await observations.search({ ...search, newestFirst, after })
    }
    for (const plan of plans) assert.doesNotMatch(plan, /TEMP B-TREE/)
    await observations.count(search)
    await observations.history({ patient: 1, name: "hr", stepMs: 2, ...span })
    assert.match(plans.pop()!, /INDEX measurement_summary \(patient=\? AND name=\? AND time>\? AND time<\?\)/)
    for (const plan of plans)
        assert.match(plan, /INDEX measurement_newest \(patient=\? AND name=\? AND time>\? AND time<\?\)/)
    assert.equal(plans.length, 6)
    await observations.since(5, 10)
    await observations.get(5)
    for (const plan of plans.slice(6)) assert.match(plan, /SEARCH m USING INTEGER PRIMARY KEY/)
    await store.close()
})
