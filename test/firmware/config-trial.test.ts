import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { makeCommand, makeConfig } from "../../wire/config.ts"
import { type ConfigValues } from "../../wire/tables/settings.ts"
import { ConfigMote } from "./config-mote.ts"

const elsewhere = "mqtt://broker.invalid:1884"
const trial = 60

function sealed(mote: ConfigMote, version: number, values: Partial<ConfigValues> = {}): Uint8Array {
    return makeConfig(values, version, mote.keys, randomBytes)
}

/** A mote with version 5 in force, `hrLow` 50. */
async function start(): Promise<ConfigMote> {
    const mote = await ConfigMote.start()
    assert.equal(await mote.configure(sealed(mote, 5, { hrLow: 50 })), "applied")
    await mote.note()
    return mote
}

/** The same, with version 6 on trial, which has another router and `hrLow` 60. */
async function startTrial(): Promise<ConfigMote> {
    const mote = await start()
    const six = sealed(mote, 6, { hrLow: 60, router: elsewhere, trial })
    assert.equal(await mote.configure(six), "applied")
    return mote
}

/** The configuration in force: version, `hrLow` and router, which must match. */
async function inForce(mote: ConfigMote): Promise<string> {
    const { version, hrLow, router } = await mote.config()
    return [version, hrLow, router].join(" ")
}

const five = "5 50 "
const six = `6 60 ${elsewhere}`

test("another router is on trial; a receipt from it makes it permanent", async () => {
    const mote = await startTrial()
    assert.equal(await inForce(mote), six)
    assert.deepEqual(await mote.note(), { version: 6 })
    assert.equal(await mote.tick(), true, "the uplink is told")
    assert.equal(await mote.tick(), false, "once")
    await mote.pass(trial - 10)
    assert.equal(await mote.tick(), false)
    await mote.receipted()
    await mote.pass(trial)
    assert.equal(await mote.tick(), false)
    assert.equal(await inForce(mote), six)
    await mote.restart()
    assert.equal(await inForce(mote), six)
    assert.deepEqual(await mote.note(), { version: 6 })
})

test("without a receipt the whole configuration is reverted at the end of the trial", async () => {
    const mote = await startTrial()
    await mote.tick()
    await mote.note()
    await mote.pass(trial - 5)
    assert.equal(await mote.tick(), false)
    assert.equal(await inForce(mote), six)
    await mote.pass(6)
    assert.equal(await mote.tick(), true)
    assert.equal(await inForce(mote), five)
    const reason = "no-receipt 60"
    assert.deepEqual(await mote.note(), { version: 5, refused: 6, reason })
    await mote.receipted()
    await mote.restart()
    assert.equal(await inForce(mote), five)
    assert.deepEqual(await mote.note(), { version: 5 })
})

test("a receipt of the old router, before the uplink has moved, does not count", async () => {
    const mote = await startTrial()
    await mote.receipted()
    await mote.tick()
    await mote.pass(trial + 1)
    assert.equal(await mote.tick(), true)
    assert.equal(await inForce(mote), five)
})

test("a restart during the trial reverts it", async () => {
    const mote = await startTrial()
    await mote.tick()
    await mote.restart()
    assert.equal(await inForce(mote), five)
    assert.deepEqual(await mote.note(), { version: 5, refused: 6, reason: "restarted-on-trial" })
    await mote.restart()
    assert.deepEqual(await mote.note(), { version: 5 })
})

test("a reverted configuration is not tried again, but reported again", async () => {
    const mote = await startTrial()
    const again = sealed(mote, 6, { hrLow: 60, router: elsewhere, trial })
    await mote.restart()
    await mote.note()
    assert.equal(await mote.configure(again), "taken-back")
    assert.equal(await mote.note(), undefined, "the clinic has been told in this start")
    await mote.restart()
    await mote.note()
    assert.equal(await mote.configure(again), "taken-back")
    assert.deepEqual(await mote.note(), { version: 5, refused: 6, reason: "taken-back" })
    assert.equal(await mote.configure(sealed(mote, 7, { router: elsewhere })), "applied")
})

test("delivered again during the trial: it continues, with the same end", async () => {
    const mote = await start()
    const six = sealed(mote, 6, { router: elsewhere, trial })
    assert.equal(await mote.configure(six), "applied")
    await mote.tick()
    await mote.pass(trial - 5)
    assert.equal(await mote.configure(six), "applied")
    await mote.pass(6)
    assert.equal(await mote.tick(), true)
})

test("on trial, a newer configuration with the old router ends it", async () => {
    const mote = await startTrial()
    await mote.tick()
    assert.equal(await mote.configure(sealed(mote, 7, { hrLow: 70 })), "applied")
    assert.equal(await mote.tick(), true, "back to the old router")
    await mote.pass(trial + 1)
    assert.equal(await mote.tick(), false)
    assert.equal(await inForce(mote), "7 70 ")
    await mote.restart()
    assert.equal(await inForce(mote), "7 70 ")
})

test("on trial, a newer configuration with the new router is on trial itself", async () => {
    const mote = await startTrial()
    await mote.tick()
    await mote.pass(trial - 10)
    const seven = { hrLow: 70, router: elsewhere, trial }
    assert.equal(await mote.configure(sealed(mote, 7, seven)), "applied")
    assert.equal(await mote.tick(), false, "it is there already")
    await mote.pass(trial - 10)
    assert.equal(await mote.tick(), false, "for the whole time")
    await mote.receipted()
    await mote.restart()
    assert.equal(await inForce(mote), `7 70 ${elsewhere}`)
})

test("back to the router of the settings: on trial as well", async () => {
    const mote = await startTrial()
    await mote.tick()
    await mote.receipted()
    assert.equal(await mote.configure(sealed(mote, 7, { hrLow: 70, trial })), "applied")
    assert.equal(await mote.tick(), true)
    await mote.pass(trial + 1)
    assert.equal(await mote.tick(), true)
    assert.equal(await inForce(mote), six)
})

/**
 * Runs `work` with the power cut at the first flash write, the second, and so on, until it succeeds; after each cut the
 * mote is restarted and `check`ed.
 */
async function cutAtEveryWrite(
    prepare: () => Promise<ConfigMote>,
    work: (mote: ConfigMote) => Promise<unknown>,
    check: (mote: ConfigMote, isDone: boolean) => Promise<void>,
): Promise<number> {
    for (let writes = 0; ; writes++) {
        const mote = await prepare()
        const before = mote.flash.writes
        mote.flash.writesLeft = writes
        await work(mote)
        const isDone = mote.flash.writes - before < writes
        await mote.restart()
        await check(mote, isDone)
        assert.deepEqual(mote.panics, [])
        mote.stop()
        if (isDone) return writes
    }
}

/** No version that the mote may have seen is ever accepted again, except the newest. */
async function neverGoesDown(mote: ConfigMote, seen: number): Promise<void> {
    for (let version = 1; version < seen; version++) {
        const { version: inForce } = await mote.config()
        const said = await mote.configure(sealed(mote, version, { led: 7 }))
        if (version !== inForce) assert.match(said!, /^version-old/)
        assert.notEqual((await mote.config())["led"], 7)
    }
}

test("power cut at every write while a configuration is taken: the old one or the new", async () => {
    const seven = (mote: ConfigMote) => sealed(mote, 7, { hrLow: 70 })
    const found = new Set<string>()
    const writes = await cutAtEveryWrite(
        start,
        mote => mote.configure(seven(mote)),
        async (mote, isDone) => {
            const state = await inForce(mote)
            found.add(state)
            assert.ok(isDone ? state === "7 70 " : [five, "7 70 "].includes(state), state)
            await neverGoesDown(mote, 5)
            // The router delivers it again.
            assert.equal(await mote.configure(seven(mote)), "applied")
            assert.equal(await inForce(mote), "7 70 ")
            await neverGoesDown(mote, 7)
        },
    )
    assert.ok(writes > 2, "there was something to cut")
    assert.deepEqual([...found], [five, "7 70 "])
})

test("power cut at every write while a trial begins: the old one", async () => {
    const six = (mote: ConfigMote) => sealed(mote, 6, { hrLow: 60, router: elsewhere, trial })
    await cutAtEveryWrite(
        start,
        mote => mote.configure(six(mote)),
        async mote => {
            assert.equal(await inForce(mote), five)
            await neverGoesDown(mote, 5)
            const said = await mote.configure(six(mote))
            assert.ok(["applied", "taken-back"].includes(said!), said)
            await neverGoesDown(mote, 6)
        },
    )
})

test("power cut at every write at the end of a successful trial: the old one, reported so, or the new", async () => {
    const found = new Set<string>()
    await cutAtEveryWrite(
        startTrial,
        async mote => {
            await mote.tick()
            await mote.receipted()
        },
        async (mote, isDone) => {
            const state = await inForce(mote)
            found.add(state)
            assert.ok(isDone ? state === six : [five, six].includes(state), state)
            const note = await mote.note()
            assert.equal(note?.refused, state === five ? 6 : undefined)
            await mote.restart()
            assert.equal(await inForce(mote), state, "and that is settled")
            await neverGoesDown(mote, 6)
        },
    )
    assert.deepEqual([...found], [five, six])
})

test("power cut at every write while a trial is reverted, and at the next start: the old one", async () => {
    for (const rollBack of [
        async (mote: ConfigMote) => {
            await mote.tick()
            await mote.pass(trial + 1)
            await mote.tick()
        },
        // The cut is during the start itself.
        (mote: ConfigMote) => mote.restart(mote.flash.writesLeft),
    ])
        await cutAtEveryWrite(startTrial, rollBack, async mote => {
            assert.equal(await inForce(mote), five)
            await mote.restart()
            assert.equal(await inForce(mote), five)
            const again = sealed(mote, 6, { hrLow: 60, router: elsewhere })
            assert.equal(await mote.configure(again), "taken-back")
            await neverGoesDown(mote, 6)
        })
})

test("power cut at every write while a newer one overtakes a trial: one of the three", async () => {
    for (const router of ["", elsewhere, "coap+tcp://third.invalid"]) {
        const seven = (mote: ConfigMote) => sealed(mote, 7, { hrLow: 70, router })
        await cutAtEveryWrite(
            startTrial,
            mote => mote.configure(seven(mote)),
            async (mote, isDone) => {
                const state = await inForce(mote)
                const wanted = router === "" && isDone ? ["7 70 "] : [five, "7 70 "]
                assert.ok(wanted.includes(state), state)
                await neverGoesDown(mote, 6)
            },
        )
    }
})

test("power cut at every write while one is refused, or a command taken: nothing changes", async () => {
    await cutAtEveryWrite(
        start,
        mote => mote.configure(makeConfig({ router: "mqtt://a" }, 4, mote.keys, randomBytes)),
        async mote => assert.equal(await inForce(mote), five),
    )
    const command = (mote: ConfigMote, version: number) => makeCommand("identify", version, mote.keys, randomBytes)
    let done = 0
    await cutAtEveryWrite(
        async () => {
            const mote = await start()
            assert.equal(await mote.identify(command(mote, 1)), "done")
            return mote
        },
        async mote => (done = (await mote.identify(command(mote, 2))) === "done" ? 1 : 0),
        async mote => {
            assert.equal(await inForce(mote), five)
            assert.equal(await mote.identify(command(mote, 1)), "version-old " + (done + 1))
            if (done) assert.equal(await mote.identify(command(mote, 2)), "version-old 2")
        },
    )
})
