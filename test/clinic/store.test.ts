import assert from "node:assert/strict"
import { test } from "node:test"
import type { Changes, Tables } from "../../clinic/store/store.ts"
import { newStore } from "./stores.ts"

const count = async (t: Tables) => (await t.patient.page(0, 1000)).length

const ada = { given: "Ada", family: "Beck", birth_date: null, gender: null, identifier: null, bed: null, ward: null }
const insert = (t: Tables) => t.patient.add(ada, 0)

test("a transaction that fails leaves nothing, and others never see its middle", async () => {
    const store = await newStore()
    let during: Promise<number> | undefined
    const failed = store.transaction(async t => {
        await insert(t)
        during = count(store)
        await new Promise(resolve => setImmediate(resolve))
        assert.equal(await count(t), 1)
        throw new Error("no")
    })
    await assert.rejects(failed, /^Error: no$/)
    // A connection of its own may begin late, but the other transaction has not begun yet.
    assert.equal(await during, 0)
    const good = store.transaction(async t => {
        await insert(t)
        await new Promise(resolve => setImmediate(resolve))
        await insert(t)
    })
    const asked = count(store)
    await good
    const after = await asked
    // Whoever asks meanwhile waits, or gets what was there before.
    assert.ok(after === 0 || after === 2, String(after))
    assert.equal(await count(store), 2)
    await store.close()
})

test("transactions run one after the other, in the order in which they were asked for", async () => {
    const store = await newStore()
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
    const store = await newStore()
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

test("values come back as they went in, and in the order of their bytes", async () => {
    const store = await newStore()
    const beds = [null, "1", "10", "2", "B", "a", "é", "\u{1F6CF}"]
    for (const bed of [...beds].reverse()) await store.patient.add({ ...ada, bed }, 1.7e12 + 1)
    const found = await store.patient.active()
    assert.deepEqual(
        found.map(({ bed }) => bed),
        beds,
    )
    assert.ok(found.every(patient => patient.updated_at === 1.7e12 + 1))
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const mote = await store.mote.add({ kid: bytes, secret: Uint8Array.of(), registeredAt: -1 })
    const [stored] = await store.mote.all()
    assert.deepEqual(stored?.kid, bytes)
    assert.deepEqual(stored?.secret, Uint8Array.of())
    assert.equal(stored?.registeredAt, -1)
    const key = { mote, boot: 2 ** 32 - 1, salt: Uint8Array.of(1), seq: 2 ** 40 }
    const received = { receivedAt: 1, storedAt: 2, router: 0, clockOffset: -3 }
    const [added] = await store.envelope.add([{ ...key, purpose: "vitals", ...received, bytes, problem: null }])
    const envelope = added!.id
    const values = [0.1, -1e-300, 1 / 3, 36.6, 2 ** 53, null]
    const none = { absent: null, quality: null, problem: null, count: null, least: null, greatest: null, span: null }
    const same = { envelope, mote, patient: found[0]!.id, name: "temp", unit: "Cel", relative: 0, ...none }
    await store.measurement.add(values.map((value, i) => ({ ...same, value, time: i })))
    const readings = await store.measurement.since(0, ["temp"], 10)
    assert.deepEqual(
        readings.map(({ value }) => value),
        values,
    )
    assert.equal(typeof (await store.measurement.sum(found[0]!.id, mote, "temp")), "number")
    await store.close()
})

test("a value of another type is refused, and is not fatal", async () => {
    const store = await newStore()
    for (const bed of [true, {}, 1n, []] as unknown as string[])
        await assert.rejects(store.patient.add({ ...ada, bed }, 0), TypeError)
    await assert.rejects(
        store.transaction(t => t.patient.add({ ...ada, bed: true as unknown as string }, 0)),
        TypeError,
    )
    assert.equal(await count(store), 0)
    await store.close()
})
