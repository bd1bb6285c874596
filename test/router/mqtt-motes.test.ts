import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { refreshMs } from "../../router/keyring.ts"
import { moteTopic, MqttMotes, type MqttMessage } from "../../router/mqtt/motes.ts"
import { ManualClock } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"

/** A mote behind a broker, of which only what it is to publish is seen. */
async function setUp(isNew = true, isShared = false) {
    const mote = TestMote.numbered(1)
    const clinic = new MemoryClinic(mote.routerKeys)
    const clock = new ManualClock()
    const router = new Router({
        ...{ clock, random: randomBytes, store: SqliteStore.inMemory(), clinic },
        log: silentLog,
    })
    const published: MqttMessage[] = []
    const { ingest, keyring } = router
    const publish = (message: MqttMessage) => void published.push(message)
    const motes = new MqttMotes({ clock, ingest, keyring, log: silentLog, publish, isNew, isShared })
    keyring.subscribe(eui => motes.changed(eui))
    await clock.advance(refreshMs)
    /** What was published since, as "topic qos retain payload". */
    const seen = () =>
        published.splice(0).map(({ topic, payload, qos, retain }) => {
            const name = topic.replace(`vm/${mote.eui}/`, "")
            return `${name} ${qos} ${retain ? "retained" : "-"} ${Buffer.from(payload).toString()}`
        })
    /** The clinic has something new for the mote. */
    const waits = async (o: { config?: string; commands?: string[] }) => {
        clinic.routerKeys = [
            {
                ...mote.routerKeys,
                ...(o.config !== undefined && { sealedConfig: Buffer.from(o.config) }),
                ...(o.commands && {
                    commands: o.commands.map(text => ({
                        name: "identify" as const,
                        sealed: Buffer.from(text),
                    })),
                }),
            },
        ]
        await clock.advance(refreshMs)
    }
    const says = (status: string) => motes.status(mote.eui, Buffer.from(status))
    return { mote, clinic, clock, motes, seen, waits, says }
}

test("a configuration is published retained, once, again when it changes, and taken back", async () => {
    const { seen, waits, says } = await setUp()
    await waits({ config: "first" })
    assert.deepEqual(seen(), ["config 1 retained first"])
    says("online")
    says("online")
    assert.deepEqual(seen(), [])
    await waits({ config: "second" })
    assert.deepEqual(seen(), ["config 1 retained second"])
    await waits({})
    assert.deepEqual(seen(), ["config 1 retained "])
    says("online")
    assert.deepEqual(seen(), [])
})

test("what a broker holds from earlier is replaced when the mote comes, or taken back", async () => {
    const { seen, says } = await setUp(false)
    says("online")
    says("online")
    assert.deepEqual(seen(), ["config 1 retained "])
})

test("commands reach a mote that is there, at most three at once, each once while it stays", async () => {
    const { seen, waits, says, motes, mote } = await setUp()
    await waits({ commands: ["a", "b"] })
    assert.deepEqual(seen(), [])
    says("online")
    assert.deepEqual(motes.online, [mote.eui])
    assert.deepEqual(seen(), ["command/identify 1 - a", "command/identify 1 - b"])
    await waits({ commands: ["a", "b", "c", "d"] })
    assert.deepEqual(seen(), ["command/identify 1 - c"])
    await waits({ commands: ["c", "d"] })
    assert.deepEqual(seen(), ["command/identify 1 - d"])
    says("offline")
    assert.deepEqual(motes.online, [])
    await waits({ commands: ["d", "e"] })
    assert.deepEqual(seen(), [])
    says("online")
    assert.deepEqual(seen(), ["command/identify 1 - d", "command/identify 1 - e"])
})

test("a mote with two secrets gets what is sealed for the one that it used last", async () => {
    const { mote, clinic, clock, motes, seen, says } = await setUp()
    const renewed = TestMote.numbered(2, mote.keys.kid)
    const waiting = (name: string) => ({
        sealedConfig: Buffer.from(`config ${name}`),
        commands: [{ name: "identify" as const, sealed: Buffer.from(`blink ${name}`) }],
    })
    const old = { ...mote.routerKeys, ...waiting("old") }
    const fresh = { ...renewed.routerKeys, ...waiting("new"), generation: 1 }
    const take = async (envelope: Uint8Array) => {
        const taken = motes.take(mote.eui, "vitals", envelope)
        await clock.advance(1)
        assert.notEqual((await taken).status, "refused")
    }
    clinic.routerKeys = [old, fresh]
    await clock.advance(refreshMs)
    assert.deepEqual(seen(), ["config 1 retained config old"])
    says("online")
    assert.deepEqual(seen(), ["command/identify 1 - blink old"])
    const earlier = mote.envelope()
    await take(earlier)
    assert.equal(seen().length, 1, "the receipt")
    says("online")
    assert.deepEqual(seen(), ["command/identify 1 - blink old"])
    await take(renewed.envelope())
    const [config, command] = seen()
    assert.equal(config, "config 1 retained config new")
    assert.equal(command, "command/identify 1 - blink new")
    await take(earlier)
    assert.equal(seen().length, 1, "a replay changes nothing")
    clinic.routerKeys = [fresh]
    await clock.advance(refreshMs)
    assert.deepEqual(seen(), [])
})

test("an envelope brings its receipt, a duplicate brings it again, a forgery none", async () => {
    const { mote, motes, seen, clock } = await setUp()
    const envelope = mote.envelope()
    const take = async (bytes: Uint8Array, eui = mote.eui) => {
        const taken = motes.take(eui, "vitals", bytes)
        await clock.advance(1)
        return (await taken).status
    }
    assert.equal(await take(envelope), "stored")
    assert.match(seen().join(), /^receipt 0 - /)
    assert.equal(await take(envelope), "duplicate")
    assert.match(seen().join(), /^receipt 0 - /)
    assert.equal(await take(mote.envelope(), "ffffffffffffffff"), "refused")
    assert.equal(await take(mote.envelope({ purpose: "alarm" })), "refused")
    assert.deepEqual(seen(), [])
})

test("a status is one of two words, and kept of known motes only", async () => {
    const { motes, says, seen } = await setUp()
    for (const word of ["", "on", "online ", "ONLINE"]) assert.equal(says(word), false)
    assert.equal(motes.status("ffffffffffffffff", Buffer.from("online")), true)
    assert.deepEqual(motes.online, [])
    assert.deepEqual(seen(), [])
})

test("topics of motes, and no others", () => {
    assert.deepEqual(moteTopic("vm/0a/vitals"), { eui: "0a", purpose: "vitals" })
    assert.deepEqual(moteTopic("vm/0a/alarms"), { eui: "0a", purpose: "alarm" })
    assert.deepEqual(moteTopic("vm/0a/status"), { eui: "0a", purpose: "status" })
    for (const topic of [
        "",
        "vm",
        "vm/0a",
        "vm//vitals",
        "vm/0a/vitals/",
        "vn/0a/vitals",
        "/vm/0a/vitals",
        "vm/0a/receipt",
        "vm/0a/constructor",
    ])
        assert.equal(moteTopic(topic), undefined, topic)
})

test("of several routers that which has an envelope of the mote sends its commands, again after a minute", async () => {
    const { mote, motes, seen, waits, says, clock } = await setUp(true, true)
    const take = async () => {
        const taken = motes.take(mote.eui, "vitals", mote.envelope())
        await clock.advance(1)
        assert.equal((await taken).status, "stored")
        return seen().filter(line => !line.startsWith("receipt"))
    }
    says("online")
    await waits({ config: "c", commands: ["a"] })
    assert.deepEqual(seen(), ["config 1 retained c"])
    assert.deepEqual(await take(), ["command/identify 1 - a"])
    assert.deepEqual(await take(), [])
    await clock.advance(60_000)
    assert.deepEqual(await take(), ["command/identify 1 - a"])
    says("offline")
    await clock.advance(60_000)
    assert.deepEqual(await take(), [])
})
