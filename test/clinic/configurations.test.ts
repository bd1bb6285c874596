import assert from "node:assert/strict"
import { test } from "node:test"
import type { Clinic } from "../../clinic/index.ts"
import { openCommand, openConfig } from "../../wire/config.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { refusedName, type Measurement } from "../../wire/pack.ts"
import type { Refusal } from "../../wire/tables/refusals.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement, memoryClinic } from "./support.ts"

async function ward() {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const put = async (settings: object, base?: number) =>
        (await clinic.configure(mote.kid, { settings, author: "doctor", base }))!
    /** What the mote says in its next envelope. */
    const says = async (version: number, refused?: number, reason: Refusal = { code: "malformed" }) => {
        const envelope = seal(sealer, version, refused, reason)
        await clinic.ingest([delivery(envelope, clock.now())])
    }
    return { clock, clinic, mote, secret, sealer, put, says }
}

function seal(sealer: TestMote, version: number, refused?: number, reason?: Refusal) {
    const now = 1_709_262_000_000
    const pack: Measurement[] = [measurement("config", version, now, { unit: "count" })]
    if (refused !== undefined) pack.push(measurement(refusedName, refused, now, { unit: "count", refusal: reason! }))
    return sealer.seal(pack, now)
}

async function states(clinic: Clinic, mote: { id: number }) {
    const history = await clinic.configurations.history(mote, 10)
    return history.map(({ version, state, reason }) =>
        reason === null ? `${version} ${state}` : `${version} ${state}: ${Object.values(reason).join(" ")}`,
    )
}

test("a configuration is sealed for its mote, goes to the routers until the mote says that it applies", async () => {
    const { clinic, mote, sealer, put, says } = await ward()
    assert.deepEqual((await clinic.keys())[0]!.config, 0)
    const made = await put({ hrHigh: 140, report: 30 })
    assert.deepEqual(
        [made.version, made.state, made.settings],
        [1, "pending", { ...defaultConfig, hrHigh: 140, report: 30 }],
    )
    const [keys] = await clinic.keys()
    assert.equal(keys!.config, 1)
    const { version, values } = openConfig(keys!.sealedConfig!, sealer.keys)
    assert.deepEqual([version, values], [1, made.settings])
    assert.deepEqual((await clinic.keys())[0], keys, "sealed once")

    await says(1)
    assert.deepEqual(await states(clinic, mote), ["1 applied"])
    const [later] = await clinic.keys()
    assert.deepEqual([later!.config, later!.sealedConfig], [1, undefined])
    const inForce = await clinic.configurations.inForce(mote)
    assert.deepEqual([inForce.version, inForce.settings?.hrHigh], [1, 140])
})

test("versions only rise; a newer one takes the place of one that waits", async () => {
    const { clinic, mote, put, says } = await ward()
    await put({ hrHigh: 140 })
    await put({ hrHigh: 150 })
    assert.deepEqual(await states(clinic, mote), ["2 pending", "1 superseded"])
    await says(1)
    assert.deepEqual(await states(clinic, mote), ["2 pending", "1 applied"])
    await says(7)
    assert.equal((await clinic.configurations.inForce(mote)).settings, null)
    assert.equal((await put({})).version, 8, "above what the mote knows, whoever made that")
})

test("a refusal and a roll-back say why; what was in force before still is", async () => {
    const { clinic, mote, put, says } = await ward()
    await put({ hrHigh: 140 })
    await says(1)
    await put({ led: 30 })
    await says(1, 2, { code: "out-of-range", setting: "led", min: 1, max: 20 })
    await put({ router: "mqtt://elsewhere" })
    await says(3)
    await says(1, 3, { code: "no-receipt", seconds: 120 })
    assert.deepEqual(await states(clinic, mote), [
        "3 rolled-back: no-receipt 120",
        "2 refused: out-of-range led 1 20",
        "1 applied",
    ])
    assert.equal((await clinic.configurations.inForce(mote)).settings?.hrHigh, 140)
    assert.equal((await clinic.keys())[0]!.sealedConfig, undefined)
    await put({ hrHigh: 141 })
    await says(1, 0, { code: "malformed" })
    assert.deepEqual((await states(clinic, mote))[0], "4 refused: malformed")
    await put({ router: "mqtt://elsewhere" })
    await says(1, 5, { code: "restarted-on-trial" })
    assert.deepEqual((await states(clinic, mote))[0], "5 rolled-back: restarted-on-trial")
    await put({ hrHigh: 142 })
    await says(1, 6, { code: "unknown-setting", index: 0 })
    assert.deepEqual((await states(clinic, mote))[0], "6 refused: unknown-setting led", "the first in the map")
    await put({ hrHigh: 143 })
    await says(1, 7, { code: "unknown", number: 23 })
    assert.deepEqual((await states(clinic, mote))[0], "7 refused: unknown 23", "of a newer mote")
})

test("an older envelope that arrives late changes nothing; a mote that lost its flash is told again", async () => {
    const { clinic, clock, mote, sealer, put, says } = await ward()
    const late = seal(sealer, 0)
    await put({ hrHigh: 140 })
    await says(1)
    await clinic.ingest([delivery(late, clock.now())])
    assert.deepEqual(await states(clinic, mote), ["1 applied"])
    sealer.boot++
    sealer.seq = 0
    await says(0)
    assert.deepEqual(await states(clinic, mote), ["1 pending"])
    assert.ok((await clinic.keys())[0]!.sealedConfig)
})

test("what cannot be is refused as a whole, with a reason, and leaves nothing", async () => {
    const { clinic, mote, put } = await ward()
    for (const [settings, refusal] of [
        [{ hrHigh: 1000 }, { code: "out-of-range", setting: "hrHigh", min: 30, max: 250 }],
        [
            { hrLow: 100, hrHigh: 90 },
            { code: "conflict", setting: "hrLow", other: "hrHigh" },
        ],
        [{ colour: 3 }, { code: "unknown-setting", setting: "colour" }],
        [{ led: "30" }, { code: "out-of-range", setting: "led", min: 1, max: 50 }],
    ] as const)
        await assert.rejects(put({ report: 30, ...settings }), { refusal })
    assert.deepEqual(await states(clinic, mote), [])
    await put({ hrHigh: 140 }, 0)
    await assert.rejects(put({ hrHigh: 150 }, 0), { problem: { code: "newer-configuration" } })
    assert.deepEqual(await states(clinic, mote), ["1 pending"])
    await clinic.revoke(mote.kid)
    await assert.rejects(put({}), { problem: { code: "revoked" } })
    assert.equal(await clinic.configure(Buffer.alloc(8), { settings: {}, author: "x" }), undefined)
})

test("commands are sealed with versions of their own, one of a name waits, and none for ever", async () => {
    const { clinic, clock, mote, sealer } = await ward()
    const order = (command: "identify" | "clear") => clinic.command(mote.kid, { command, author: "doctor" })
    await order("identify")
    await order("clear")
    await order("identify")
    const [keys] = await clinic.keys()
    assert.deepEqual(
        keys!.commands!.map(({ sealed }) => openCommand(sealed, sealer.keys)),
        [
            { version: 2, command: "clear" },
            { version: 3, command: "identify" },
        ],
    )
    assert.deepEqual(
        (await clinic.configurations.commands(mote)).map(c => `${c.version} ${c.command}`),
        ["2 clear", "3 identify"],
    )
    await clock.advance(10 * 60_000)
    assert.equal((await clinic.keys())[0]!.commands, undefined)
})

test("a new secret is accepted at once, the old one until then; what waits is sealed for both", async () => {
    const { clinic, clock, mote, secret, sealer, put } = await ward()
    const made = await put({ hrHigh: 140 })
    const { secret: next } = (await clinic.rotate(mote.kid))!
    assert.notDeepEqual(next, secret)
    const renewed = new TestMote({ kid: mote.kid, secret: next, boot: 1 })
    const both = await clinic.keys()
    assert.deepEqual(
        both.map(({ upMac, generation }) => [upMac, generation]),
        [
            [sealer.keys.upMac, undefined],
            [renewed.keys.upMac, 1],
        ],
    )
    for (const [i, { keys }] of [sealer, renewed].entries())
        assert.deepEqual(openConfig(both[i]!.sealedConfig!, keys).values, made.settings)

    const status = async (envelope: Uint8Array, at = clock.now()) => {
        const [result] = await clinic.ingest([delivery(envelope, at)])
        return result!.reason ?? result!.status
    }
    const pack = [measurement("hr", 60, clock.now())]
    assert.equal(await status(sealer.seal(pack, clock.now())), "stored")
    const waitsInRouter = sealer.seal(pack, clock.now())
    const taken = clock.now()
    await clock.advance(1000)
    assert.equal(await status(renewed.seal(pack, clock.now())), "stored")
    const [keys, ...others] = await clinic.keys()
    assert.deepEqual([keys!.upMac, keys!.generation, others], [renewed.keys.upMac, 1, []])
    assert.deepEqual(openConfig(keys!.sealedConfig!, renewed.keys).version, 1)
    assert.equal(await status(waitsInRouter, taken), "stored", "a router took it before")
    await clock.advance(1000)
    const late = "old-secret"
    assert.equal(await status(sealer.seal(pack, clock.now())), late)
    assert.equal(await status(renewed.seal(pack, clock.now())), "stored")

    const third = (await clinic.rotate(mote.kid))!
    const fourth = (await clinic.rotate(mote.kid))!
    const unused = new TestMote({ kid: mote.kid, secret: third.secret })
    assert.equal(await status(unused.seal(pack, clock.now())), "wrong-mac")
    assert.deepEqual(
        (await clinic.keys()).map(({ generation, upMac }) => [generation, upMac]),
        [
            [1, renewed.keys.upMac],
            [3, deriveKeys(fourth.secret, mote.kid).upMac],
        ],
    )
})

test("a new secret that fails to be stored is not in use, and a revoked mote gets none", async () => {
    const { clinic, clock, mote, sealer } = await ward()
    const { secret } = (await clinic.rotate(mote.kid))!
    await clinic.revoke(mote.kid)
    await clock.advance(1)
    const renewed = new TestMote({ kid: mote.kid, secret })
    const pack = [measurement("hr", 60, clock.now())]
    for (const mote of [renewed, sealer]) {
        const [result] = await clinic.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
        assert.equal(result!.reason, "revoked")
    }
    await assert.rejects(clinic.rotate(mote.kid), /revoked/)
    assert.equal(await clinic.rotate(Buffer.alloc(8)), undefined)
})

test("what a mote said under its former secret, and arrives late, does not count: it may be another board by now", async () => {
    const { clinic, clock, mote, sealer, put, says } = await ward()
    await put({ hrHigh: 140 })
    await says(1)
    sealer.boot = 5
    sealer.seq = 0
    const late = seal(sealer, 1)
    const taken = clock.now()
    const { secret } = (await clinic.rotate(mote.kid))!
    const renewed = new TestMote({ kid: mote.kid, secret, boot: 1 })
    await clock.advance(1000)
    await clinic.ingest([delivery(seal(renewed, 0), clock.now())])
    assert.deepEqual(await states(clinic, mote), ["1 pending"], "the new board has no configuration")
    const [result] = await clinic.ingest([delivery(late, taken)])
    assert.equal(result!.status, "stored")
    assert.deepEqual(await states(clinic, mote), ["1 pending"])
    assert.ok((await clinic.keys())[0]!.sealedConfig)
    await clinic.ingest([delivery(seal(renewed, 1), clock.now())])
    assert.deepEqual(await states(clinic, mote), ["1 applied"], "its numbers are lower than those of the former board")
})
