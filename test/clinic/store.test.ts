import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { openSqlite } from "../../clinic/store/sqlite.ts"
import type { Value } from "../../clinic/store/store.ts"

async function count(store: { all: ReturnType<typeof openSqlite>["all"] }): Promise<number> {
    const [row] = await store.all<{ n: number }>("SELECT COUNT(*) AS n FROM patient")
    return row!.n
}

const insert =
    "INSERT INTO patient (active, given, family, updated_at) VALUES (1, 'Ada', 'Beck', 0)"

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

test("the searches of the readers go through the index", async () => {
    const store = openSqlite(":memory:")
    const plan = await store.all<{ detail: string }>(
        `EXPLAIN QUERY PLAN SELECT m.id FROM measurement AS m JOIN mote ON mote.id = m.mote
         WHERE m.patient = 1 AND m.name = 'hr' AND m.problem IS NULL AND m.time >= 1 AND m.time < 9
         ORDER BY m.time DESC, m.id DESC LIMIT 10`,
    )
    const details = plan.map(row => row.detail).join("; ")
    assert.match(
        details,
        /INDEX measurement_newest \(patient=\? AND name=\? AND time>\? AND time<\?\)/,
    )
    assert.doesNotMatch(details, /TEMP B-TREE/)
    await store.close()
})
