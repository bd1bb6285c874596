import assert from "node:assert/strict"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { Keyring, refreshMs, refreshPauseMs } from "../../router/keyring.ts"
import { SqliteStore } from "../../router/store/sqlite.ts"
import { ManualClock } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"

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

test("unknown motes make it ask soon, and not more often than that", async () => {
    const { clock, clinic, keyring } = await setUp()
    clinic.routerKeys.push(added.routerKeys)
    for (let i = 0; i < 1000; i++) assert.equal(keyring.find(added.eui), undefined)
    assert.equal(clinic.keysAsked, 1)
    await clock.advance(refreshPauseMs)
    assert.equal(clinic.keysAsked, 2)
    assert.deepEqual(keyring.find(added.eui), added.routerKeys)
    for (let i = 0; i < 10; i++) {
        keyring.find("ffffffffffffffff")
        await clock.advance(refreshPauseMs / 10)
    }
    assert.equal(clinic.keysAsked, 3)
})

for (const [where, stepMs] of [
    ["back", -86_400_000],
    ["forth", 86_400_000],
] as const)
    test(`a clock that steps a day ${where} changes nothing in when it asks`, async () => {
        const { clock, clinic, keyring } = await setUp()
        await clock.advance(refreshMs / 2)
        clock.step(stepMs)
        clinic.routerKeys.push(added.routerKeys)
        keyring.find(added.eui)
        await clock.advance(0)
        assert.equal(clinic.keysAsked, 2)
        assert.deepEqual(keyring.find(added.eui), added.routerKeys)
        clock.step(stepMs)
        for (let i = 0; i < 10; i++) {
            keyring.find("ffffffffffffffff")
            await clock.advance(refreshPauseMs / 10)
        }
        assert.equal(clinic.keysAsked, 3)
        clock.step(stepMs)
        await clock.advance(2 * refreshMs)
        assert.equal(clinic.keysAsked, 5)
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
        assert.deepEqual(store.keys(), clinic.routerKeys)
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
    keyring.find("ffffffffffffffff")
    await clock.advance(10 * refreshMs)
    assert.equal(clinic.keysAsked, 1)
    assert.equal(clock.waiting, 0)
})
