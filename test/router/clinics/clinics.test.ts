import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { silentLog } from "../../../host/log.ts"
import { refreshMs } from "../../../router/keyring.ts"
import { Router, SqliteStore, startRouter, type NamedClinic } from "../../../router/index.ts"
import { maxEnvelopeBytes } from "../../../wire/envelope.ts"
import { ManualClock } from "../../support/clock.ts"
import { parseExposition, valueOf } from "../../support/exposition.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { TestMote } from "../../support/mote.ts"
import { until } from "../../support/until.ts"
import { CoapClient } from "../client.ts"
import { MemoryClinic } from "../memory-clinic.ts"

const away = () => {
    throw new Error("away")
}

function setUp(o: { north?: TestMote[]; south?: TestMote[]; store?: SqliteStore; maxOutboxBytes?: number } = {}) {
    const clock = new ManualClock()
    const store = o.store ?? SqliteStore.inMemory()
    const north = new MemoryClinic(...(o.north ?? []).map(({ routerKeys }) => routerKeys))
    const south = new MemoryClinic(...(o.south ?? []).map(({ routerKeys }) => routerKeys))
    const clinic: NamedClinic[] = [
        { name: "north", link: north },
        { name: "south", link: south },
    ]
    const { maxOutboxBytes } = o
    const router = new Router({
        ...{ clock, random: randomBytes, store, clinic, log: silentLog },
        ...(maxOutboxBytes !== undefined && { maxOutboxBytes }),
    })
    const submit = async (mote: TestMote, purpose: "vitals" | "alarm" = "vitals") => {
        const result = router.ingest.submit(purpose, mote.envelope({ purpose }), { address: "192.0.2.7" })
        await clock.advance(10)
        const settled = await result
        return settled.status === "refused" ? settled.reason : settled.status
    }
    const statusOf = (name: string) => router.status().clinics.find(one => one.name === name)!
    return { clock, store, north, south, router, submit, statusOf }
}

const a = () => TestMote.numbered(1)
const b = () => TestMote.numbered(2)

test("each mote's envelopes go to its clinic; one that is away holds up no other", async () => {
    const [inNorth, inSouth] = [a(), b()]
    const { clock, north, south, router, submit, statusOf } = setUp({ north: [inNorth], south: [inSouth] })
    await clock.advance(10)
    south.answer = away
    for (let n = 0; n < 3; n++) {
        assert.equal(await submit(inSouth), "stored")
        assert.equal(await submit(inNorth), "stored")
    }
    assert.deepEqual([north.stored.length, south.stored.length], [3, 0])
    const { state, reason, envelopes, motes } = statusOf("south")
    assert.deepEqual([state, reason, envelopes, motes], ["retrying", "away", 3, 1])
    assert.deepEqual([statusOf("north").state, statusOf("north").envelopes], ["idle", 0])
    assert.equal(await submit(inNorth, "alarm"), "stored")
    assert.equal(north.stored.length, 4)
    south.answer = undefined
    await clock.advance(120_000)
    assert.deepEqual([north.stored.length, south.stored.length], [4, 3])
    assert.equal(statusOf("south").state, "idle")
    await router.close()
})

test("a clinic that is away uses up its own share of the outbox only", async () => {
    const [inNorth, inSouth] = [a(), b()]
    const maxOutboxBytes = 2 * 3 * maxEnvelopeBytes
    const { clock, north, south, router, submit } = setUp({ north: [inNorth], south: [inSouth], maxOutboxBytes })
    await clock.advance(10)
    south.answer = away
    const envelopeBytes = inSouth.envelope().length
    const share = Math.floor(maxOutboxBytes / 2 / envelopeBytes)
    for (let n = 0; n < share; n++) assert.equal(await submit(inSouth), "stored")
    assert.equal(await submit(inSouth), "busy")
    assert.equal(await submit(inNorth), "stored")
    assert.equal(north.stored.length, 1)
    assert.equal(await submit(inSouth, "alarm"), "stored", "alarms have a sixteenth on top")
    await router.close()
})

test("a mote that two clinics know is a conflict: the first one has it, and the other when the first revokes it", async () => {
    const mote = a()
    const { clock, north, south, router, submit } = setUp({ north: [mote] })
    await clock.advance(10)
    south.routerKeys = [mote.routerKeys]
    await clock.advance(refreshMs + 10)
    assert.deepEqual(router.status().conflicts, [{ eui: mote.eui, clinics: ["north", "south"] }])
    assert.equal(await submit(mote), "stored")
    assert.deepEqual([north.stored.length, south.stored.length], [1, 0])
    north.routerKeys = []
    await clock.advance(refreshMs + 10)
    assert.deepEqual(router.status().conflicts, [])
    assert.equal(await submit(mote), "stored")
    assert.deepEqual([north.stored.length, south.stored.length], [1, 1])
    await router.close()
})

test("whose a mote is outlasts a restart without clinics, and its revocation while envelopes wait", async () => {
    const [inNorth, inSouth] = [a(), b()]
    const first = setUp({ north: [inNorth], south: [inSouth], store: SqliteStore.inMemory() })
    await first.clock.advance(10)
    first.north.answer = first.south.answer = away
    await first.submit(inNorth)
    await first.submit(inSouth)
    first.south.routerKeys = []
    await first.clock.advance(refreshMs + 10)
    assert.equal(first.router.keyring.find(inSouth.eui), undefined)
    await first.router.close()
    // The same store, and clinics that give no keys.
    const second = setUp({ store: first.store })
    second.north.keys = second.south.keys = () => Promise.reject(new Error("away"))
    await second.clock.advance(120_000)
    assert.deepEqual([second.north.stored.length, second.south.stored.length], [1, 1])
    assert.equal(second.router.keyring.ownerOf(inNorth.eui), "north")
    assert.ok(second.router.keyring.find(inNorth.eui), "its keys are on disk")
    await second.router.close()
})

test("what a router with one clinic had belongs to the first of several; envelopes of nobody wait", async () => {
    const [old, gone] = [a(), b()]
    const clock = new ManualClock()
    const store = SqliteStore.inMemory()
    const one = new MemoryClinic(old.routerKeys, gone.routerKeys)
    one.answer = away
    const before = new Router({ clock, random: randomBytes, store, clinic: one, log: silentLog })
    await clock.advance(10)
    for (const mote of [old, gone]) {
        const result = before.ingest.submit("vitals", mote.envelope(), { address: "192.0.2.7" })
        await clock.advance(10)
        assert.equal((await result).status, "stored")
    }
    one.routerKeys = [old.routerKeys]
    await clock.advance(refreshMs + 10)
    await before.close()
    const { north, south, router, clock: later } = setUp({ store, north: [old] })
    await later.advance(10)
    assert.deepEqual([north.stored.length, south.stored.length, router.status().ownerless], [1, 0, 1])
    south.routerKeys = [gone.routerKeys]
    await later.advance(refreshMs + 10)
    assert.deepEqual([north.stored.length, south.stored.length, router.status().ownerless], [1, 1, 0])
    await router.close()
})

test("a clinic is asked only for motes that may be its own, and gets no others", async () => {
    const [inNorth, inSouth] = [a(), b()]
    const clock = new ManualClock()
    const both = [inNorth.routerKeys, inSouth.routerKeys]
    const [north, south] = [new MemoryClinic(...both), new MemoryClinic(...both)]
    north.isOnDemand = south.isOnDemand = true
    const clinic: NamedClinic[] = [
        { name: "north", link: north, mayServe: eui => eui === inNorth.eui },
        { name: "south", link: south, mayServe: eui => eui !== inNorth.eui },
    ]
    const router = new Router({ clock, random: randomBytes, store: SqliteStore.inMemory(), clinic, log: silentLog })
    await clock.advance(10)
    for (const mote of [inNorth, inSouth])
        void router.ingest.submit("vitals", mote.envelope(), { address: "192.0.2.7" })
    await clock.advance(2_000)
    assert.deepEqual([north.wanted.flat(), south.wanted.flat()], [[inNorth.eui], [inSouth.eui]])
    north.isOnDemand = south.isOnDemand = false
    await clock.advance(refreshMs)
    assert.deepEqual(router.status().conflicts, [])
    assert.deepEqual([router.keyring.ownerOf(inNorth.eui), router.keyring.ownerOf(inSouth.eui)], ["north", "south"])
    await router.close()
})

test("metrics and the page's state name each clinic", async t => {
    const mote = a()
    const [north, south] = [new MemoryClinic(mote.routerKeys), new MemoryClinic()]
    const running = await startRouter({
        ...{ data: temporaryFolder(t), coapPort: 0, udp: false, http: { port: 0 }, log: silentLog },
        clinic: [
            { name: "north", link: north },
            { name: "south", link: south },
        ],
    })
    t.after(() => running.close())
    await until(() => running.router.keyring.find(mote.eui) !== undefined, "the keys have come")
    north.answer = away
    const client = await CoapClient.connect(running.coapPort)
    t.after(() => client.destroy())
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    await until(() => running.router.status().clinics[0]!.state === "retrying", "it is tried again")
    const get = async (path: string) => await (await fetch(`http://127.0.0.1:${running.httpPort}${path}`)).text()
    const samples = parseExposition(await get("/metrics"))
    const value = (name: string, clinic: string) => valueOf(samples, `vitalmote_router_${name}`, { clinic })
    assert.deepEqual([value("clinic_outbox_envelopes", "north"), value("clinic_outbox_envelopes", "south")], [1, 0])
    assert.deepEqual([value("clinic_motes", "north"), value("clinic_motes", "south")], [1, 0])
    assert.ok(value("clinic_silent_seconds", "south") >= 0)
    const state = JSON.parse(await get("/api/state")) as { clinics: { name: string; silentMs: number }[] }
    assert.deepEqual(
        state.clinics.map(({ name }) => name),
        ["north", "south"],
    )
    assert.ok(state.clinics.every(({ silentMs }) => silentMs >= 0))
})
