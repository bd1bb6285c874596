import assert from "node:assert/strict"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { askPauseMs, Keyring, refreshMs, retryMs } from "../../router/keyring.ts"
import { SqliteStore } from "../../router/store/sqlite.ts"
import { deniedMs, maxWaiting } from "../../router/strangers.ts"
import { maxWanted } from "../../wire/batch.ts"
import type { RouterKeys } from "../../wire/keys.ts"
import { ManualClock } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"

const byKid = (a: RouterKeys, b: RouterKeys) => Buffer.compare(a.kid, b.kid)
const [known, added] = [TestMote.numbered(1), TestMote.numbered(2)]

async function setUp(store = SqliteStore.inMemory()) {
    const clock = new ManualClock()
    const clinic = new MemoryClinic(known.routerKeys)
    const keyring = new Keyring({ clock, store, clinic, log: silentLog })
    await clock.advance(0)
    return { clock, clinic, keyring, store }
}

test("keys come from the clinic at start, and from the store when the clinic is down", async () => {
    const { keyring, store } = await setUp()
    assert.deepEqual(keyring.find(known.eui), known.routerKeys)
    const clinic = new MemoryClinic()
    clinic.keys = () => Promise.reject(new Error("down"))
    const clock = new ManualClock()
    const later = new Keyring({ clock, store, clinic, log: silentLog })
    assert.deepEqual(later.find(known.eui), known.routerKeys)
    await clock.advance(3 * refreshMs)
    assert.deepEqual(later.find(known.eui), known.routerKeys)
})

test("the router holds no key that opens a reading", async () => {
    const { keyring } = await setUp()
    assert.deepEqual(Object.keys(keyring.find(known.eui)!).sort(), ["config", "kid", "mqtt", "receipt", "upMac"])
})

test("new keys arrive within ten seconds, withdrawn ones leave", async () => {
    const { clock, clinic, keyring, store } = await setUp()
    clinic.routerKeys = [added.routerKeys]
    await clock.advance(refreshMs)
    assert.deepEqual(keyring.find(added.eui), added.routerKeys)
    assert.equal(keyring.find(known.eui), undefined)
    assert.deepEqual(store.keys(), [added.routerKeys])
})

test("a mote that is new here is asked about at once, and is known from then on", async () => {
    const { clock, clinic, keyring, store } = await setUp()
    clinic.isOnDemand = true
    clinic.routerKeys = [known.routerKeys, added.routerKeys]
    await clock.advance(refreshMs)
    assert.equal(keyring.find(added.eui), undefined)
    assert.equal(keyring.ask(added.eui, "192.0.2.1"), "keysAwaited")
    await clock.advance(0)
    assert.deepEqual(clinic.wanted, [[added.eui]])
    assert.deepEqual(keyring.find(added.eui), added.routerKeys)
    assert.deepEqual(store.keys(), [added.routerKeys])

    // What is asked later brings what is new about it, and nothing about the others.
    clinic.routerKeys = [known.routerKeys, { ...added.routerKeys, config: 3 }]
    await clock.advance(refreshMs)
    assert.equal(keyring.find(added.eui)?.config, 3)
    assert.equal(keyring.find(known.eui), undefined)
    clinic.routerKeys = [known.routerKeys]
    await clock.advance(refreshMs)
    assert.equal(keyring.find(added.eui), undefined)
})

test("a mote that the clinic does not know is unknown for ten seconds, and then asked about again", async () => {
    const { clock, clinic, keyring } = await setUp()
    assert.equal(keyring.ask(added.eui, "192.0.2.1"), "keysAwaited")
    await clock.advance(0)
    for (let ms = 0; ms < deniedMs; ms += 500) {
        assert.equal(keyring.ask(added.eui, "192.0.2.1"), "unknownKid")
        await clock.advance(500)
    }
    assert.deepEqual(clinic.wanted, [[added.eui]])
    clinic.routerKeys.push(added.routerKeys)
    assert.equal(keyring.ask(added.eui, "192.0.2.1"), "keysAwaited")
    await clock.advance(0)
    assert.deepEqual(keyring.find(added.eui), added.routerKeys)
})

test("made-up motes cost the clinic one question a second, and a real one from elsewhere is in the next one", async () => {
    const { clock, clinic, keyring } = await setUp()
    clinic.routerKeys.push(added.routerKeys)
    let madeUp = 0
    const flood = (address: string, count: number) => {
        for (let i = 0; i < count; i++) keyring.ask((++madeUp).toString(16).padStart(16, "f"), address)
    }
    flood("192.0.2.1", 5000)
    await clock.advance(askPauseMs - 1)
    assert.deepEqual(
        clinic.wanted.map(({ length }) => length),
        [maxWanted],
    )
    flood("192.0.2.1", 5000)
    for (let i = 0; i < 100; i++) flood(`198.51.100.${i}`, 100)
    keyring.ask(added.eui, "192.0.2.2")
    await clock.advance(1)
    assert.deepEqual(
        clinic.wanted.map(({ length }) => length),
        [maxWanted, maxWanted],
    )
    assert.deepEqual(keyring.find(added.eui), added.routerKeys)
    await clock.advance(10 * askPauseMs)
    assert.ok(clinic.wanted.flat().length <= maxWanted + maxWaiting, "no more than may wait are remembered")
})

test("while the clinic is away a new mote has to come again, and one that was here goes on", async () => {
    const { clock, clinic, keyring } = await setUp()
    const { keys, keysOf } = clinic
    let asked = 0
    clinic.keys = () => Promise.reject(new Error("down"))
    clinic.keysOf = () => {
        asked++
        return Promise.reject(new Error("down"))
    }
    keyring.ask(added.eui, "192.0.2.1")
    await clock.advance(0)
    const answers = new Set<string>()
    for (let ms = 0; ms < 60_000; ms += 100) {
        answers.add(keyring.ask(added.eui, "192.0.2.1"))
        await clock.advance(100)
    }
    assert.deepEqual([...answers], ["clinicAway"])
    assert.ok(asked <= 1 + 60_000 / retryMs, `${asked} times`)
    assert.deepEqual(keyring.find(known.eui), known.routerKeys)
    Object.assign(clinic, { keys, keysOf })
    clinic.routerKeys.push(added.routerKeys)
    keyring.ask(added.eui, "192.0.2.1")
    await clock.advance(retryMs)
    assert.deepEqual(keyring.find(added.eui), added.routerKeys)
})

test("an answer that was made before another one never takes back what that one said", async () => {
    const { clock, clinic, keyring } = await setUp()
    clinic.isOnDemand = true
    clinic.routerKeys = [known.routerKeys, added.routerKeys]
    const late: (() => void)[] = []
    const { keys } = clinic
    clinic.keys = async () => {
        const before = await keys.call(clinic)
        await new Promise<void>(resolve => late.push(resolve))
        return before
    }
    await clock.advance(refreshMs)
    keyring.ask(added.eui, "192.0.2.1")
    await clock.advance(0)
    assert.deepEqual(clinic.wanted, [], "it waits for the answer before")
    late[0]!()
    await clock.advance(0)
    assert.deepEqual(keyring.find(added.eui), added.routerKeys)
})

for (const [where, stepMs] of [
    ["back", -86_400_000],
    ["forth", 86_400_000],
] as const)
    test(`a clock that steps a day ${where} changes nothing in when it asks`, async () => {
        const { clock, clinic, keyring } = await setUp()
        await clock.advance(refreshMs / 2)
        clock.step(stepMs)
        keyring.ask(added.eui, "192.0.2.1")
        await clock.advance(0)
        assert.equal(clinic.wanted.length, 1)
        clock.step(stepMs)
        for (let i = 0; i < 10; i++) {
            keyring.ask(i.toString(16).padStart(16, "f"), "192.0.2.1")
            await clock.advance(askPauseMs / 10)
        }
        assert.equal(clinic.wanted.length, 2)
        clock.step(stepMs)
        await clock.advance(2 * refreshMs)
        assert.equal(clinic.keysAsked, 3)
    })

test("a configuration version that rose is noticed", async () => {
    const { clock, clinic, keyring } = await setUp()
    clinic.routerKeys = [{ ...known.routerKeys, config: 9 }]
    await clock.advance(refreshMs)
    assert.equal(keyring.find(known.eui)?.config, 9)
})

test("who listens hears of every mote whose keys or configuration changed, and of no other", async () => {
    const { clock, clinic, keyring, store } = await setUp()
    const heard: string[] = []
    const stop = keyring.subscribe(eui => heard.push(eui))
    await clock.advance(refreshMs)
    assert.deepEqual(heard, [])
    const sealedConfig = Uint8Array.of(1, 2, 3)
    const commands = [{ name: "identify" as const, sealed: Uint8Array.of(4) }]
    for (const change of [{ config: 1, sealedConfig }, { config: 1, commands }, {}]) {
        clinic.routerKeys = [{ ...known.routerKeys, ...change }, added.routerKeys]
        await clock.advance(refreshMs)
        assert.deepEqual(keyring.find(known.eui), { ...known.routerKeys, ...change })
        assert.deepEqual(store.keys().sort(byKid), clinic.routerKeys)
    }
    assert.deepEqual(heard, [known.eui, added.eui, known.eui, known.eui])
    clinic.routerKeys = [added.routerKeys]
    await clock.advance(refreshMs)
    assert.deepEqual(heard.slice(4), [known.eui])
    stop()
    clinic.routerKeys = []
    await clock.advance(refreshMs)
    assert.equal(heard.length, 5)
})

test("two secrets of one mote are both there while one takes over from the other", async () => {
    const { clock, clinic, keyring, store } = await setUp()
    const next = { ...TestMote.numbered(3).routerKeys, kid: known.routerKeys.kid, generation: 1 }
    clinic.routerKeys = [known.routerKeys, next]
    await clock.advance(refreshMs)
    assert.deepEqual(keyring.findAll(known.eui), [known.routerKeys, next])
    assert.deepEqual(keyring.find(known.eui), known.routerKeys)
    assert.deepEqual(store.keys(), [known.routerKeys, next])
    clinic.routerKeys = [next]
    await clock.advance(refreshMs)
    assert.deepEqual(keyring.findAll(known.eui), [next])
})

test("closed, it asks no more and leaves no timer", async () => {
    const { clock, clinic, keyring } = await setUp()
    keyring.close()
    keyring.ask("ffffffffffffffff", "192.0.2.1")
    await clock.advance(10 * refreshMs)
    assert.deepEqual(clinic.wanted, [])
    assert.equal(clinic.keysAsked, 1)
    assert.equal(clock.waiting, 0)
})
