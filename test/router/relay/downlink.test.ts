import assert from "node:assert/strict"
import { test } from "node:test"
import { responseMs } from "../../../router/coap/connection.ts"
import { Code, message } from "../../../router/coap/message.ts"
import { refreshMs } from "../../../router/keyring.ts"
import type { SealedCommand } from "../../../wire/keys.ts"
import { TestMote } from "../../support/mote.ts"
import { startCore } from "./served-mote.ts"

const config = (n: number) => Uint8Array.of(0xc0, n)
const command = (name: SealedCommand["name"], n: number): SealedCommand => ({ name, sealed: Uint8Array.of(0xcc, n) })

/** A mote for which the clinic has something, which notes what it got. */
async function setUp(down: { sealedConfig?: Uint8Array; commands?: SealedCommand[] }) {
    const keys = TestMote.numbered(1)
    const core = await startCore([keys])
    const give = async (down: { sealedConfig?: Uint8Array; commands?: SealedCommand[] }) => {
        core.clinic.routerKeys = [{ ...keys.routerKeys, ...down }]
        await core.clock.advance(refreshMs)
    }
    await give(down)
    const got: string[] = []
    const mote = await core.mote(keys)
    const answering = (code: number) => {
        mote.answer = ({ payload }) => {
            got.push(`${mote.asked.at(-1)} ${Buffer.from(payload).toString("hex")}`)
            return message(code)
        }
    }
    return { keys, core, mote, got, give, answering, clock: core.clock }
}

test("a mote that connects gets its configuration and then its commands, each once", async () => {
    const keys = TestMote.numbered(1)
    const core = await startCore([])
    core.clinic.routerKeys = [
        {
            ...keys.routerKeys,
            sealedConfig: config(1),
            commands: [command("identify", 1), command("clear", 2)],
        },
    ]
    await core.clock.advance(refreshMs)
    const mote = await core.mote(keys)
    for (let i = 0; i < 5; i++) await mote.bring()
    await core.clock.advance(10 * refreshMs)
    assert.deepEqual(mote.asked, ["0.03 /config", "0.02 /identify", "0.04 /readings"])
})

test("what the clinic adds later is brought as soon as the router knows", async () => {
    const { mote, got, give, answering } = await setUp({})
    answering(Code.Changed)
    assert.deepEqual(mote.asked, [])
    await give({ sealedConfig: config(1) })
    await give({ sealedConfig: config(2), commands: [command("identify", 3)] })
    assert.deepEqual(got, ["0.03 /config c001", "0.03 /config c002", "0.02 /identify cc03"])
})

test("a refusal is an answer: it is not brought again on this connection, but on the next", async () => {
    const { core, keys, mote, got, give, answering } = await setUp({})
    answering(Code.Forbidden)
    await give({ sealedConfig: config(1) })
    for (let i = 0; i < 5; i++) await mote.bring()
    assert.equal(got.length, 1)
    const again = await core.mote(keys)
    assert.deepEqual(again.asked, ["0.03 /config"])
})

test("an answer may be a forgery: what the clinic still has for the mote is brought again", async () => {
    const { clock, mote, got, give, answering } = await setUp({})
    answering(Code.Changed)
    await give({ sealedConfig: config(1), commands: [command("identify", 2)] })
    await clock.advance(60_000)
    await mote.bring()
    assert.deepEqual(got, ["0.03 /config c001", "0.02 /identify cc02", "0.03 /config c001"])
    await give({})
    await clock.advance(60_000)
    await mote.bring()
    assert.equal(got.length, 3)
})

test("a mote that is busy or silent gets it again with its next envelope", async () => {
    const { clock, mote, got, give, answering } = await setUp({})
    answering(Code.ServiceUnavailable)
    await give({ sealedConfig: config(1) })
    await mote.bring()
    assert.equal(got.length, 2)
    mote.answer = () => new Promise<never>(() => {})
    await mote.bring()
    await mote.bring()
    assert.equal(mote.asked.length, 3, "one at a time")
    await clock.advance(responseMs)
    answering(Code.Changed)
    await mote.bring()
    await mote.bring()
    assert.equal(mote.asked.length, 4)
})

test("strangers' requests do not use up what is needed to configure a mote", async () => {
    const { core, got, give, answering, keys } = await setUp({})
    answering(Code.Changed)
    const client = core.client()
    while (!(await client.ask(Code.PUT, `/m/${keys.eui}/config`)).startsWith("4.29"));
    got.length = 0
    await give({ sealedConfig: config(1) })
    assert.deepEqual(got, ["0.03 /config c001"])
})

test("with a new secret beside the old one, what is sealed for either is brought", async () => {
    const { core, got, answering, keys } = await setUp({})
    answering(Code.Forbidden)
    const { routerKeys } = keys
    core.clinic.routerKeys = [
        { ...routerKeys, sealedConfig: config(1) },
        { ...routerKeys, sealedConfig: config(2), generation: 1 },
    ]
    await core.clock.advance(refreshMs)
    assert.deepEqual(got, ["0.03 /config c001", "0.03 /config c002"])
})

test("a mote that the clinic has revoked is sent away", async () => {
    const { core, keys, mote, give } = await setUp({})
    await give({ sealedConfig: config(1) })
    assert.equal(mote.stream.closed, false)
    core.clinic.routerKeys = [TestMote.numbered(2).routerKeys]
    await core.clock.advance(2 * refreshMs)
    assert.equal(mote.stream.closed, true)
    assert.equal(core.router.motes.find(keys.eui), undefined)
    assert.equal(core.router.stats().connections, 0)
})
