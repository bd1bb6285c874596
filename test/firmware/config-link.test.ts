import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { encodeFrame } from "../../router/coap/frame.ts"
import { Code, message } from "../../router/coap/message.ts"
import { pathOptions } from "../../router/coap/options.ts"
import { memoryFlash, runProgram, type ProgramRun } from "../../sim/mote/program.ts"
import { makeConfig } from "../../wire/config.ts"
import { type ConfigValues } from "../../wire/tables/settings.ts"
import { ScriptedRouter } from "./scripted-router.ts"
import type { Refusal } from "../../wire/tables/refusals.ts"

const trial = 60
/** The readings raise no alarm. */
const calm = { hrLow: 20, delay: 600, trial }
const elsewhere = "coap+tcp://elsewhere.invalid:5700"
/** Time for power-up, settings, program and the first envelopes. */
const startS = 4

interface Linked extends ProgramRun {
    router: ScriptedRouter
    /** Hosts and ports to which the mote connected, in order. */
    hosts: string[]
    /** The configuration status that it reported: version, and what it refused. */
    said(): (Refusal | number)[][]
    /** Sends a configuration as a request of the router. Resolves to the response code. */
    put(version: number, values: Partial<ConfigValues>): Promise<number | undefined>
}

/** A mote with its whole link, with a reading every 2 s; `reach` opens connections other than to its first router. */
async function link(reach: (router: ScriptedRouter) => ReturnType<ScriptedRouter["connect"]>) {
    const router = new ScriptedRouter()
    const hosts: string[] = []
    const program = await runProgram("test/src/uplink.ts", {
        clock: router.clock,
        flash: memoryFlash(),
        settings: { ...router.settings, count: 1000 },
        connect: (host, port) => {
            hosts.push(`${host}:${port}`)
            return host === "router.invalid" ? router.connect() : reach(router)
        },
    })
    const said = () =>
        router.posts
            .flatMap(post => post.measurements.map(m => ({ ...m, post })))
            .filter(({ name }) => name.startsWith("config"))
            .map(({ value, refusal }) => (refusal === undefined ? [value] : [value, refusal]))
    const put = async (version: number, values: Partial<ConfigValues>) => {
        const connection = router.connections.at(-1)!
        const payload = makeConfig({ ...calm, ...values }, version, router.keys, randomBytes)
        const token = randomBytes(4)
        const options = pathOptions("/config")
        connection.stream.write(encodeFrame(message(Code.PUT, { token, options, payload })))
        const answer = () => connection.others.find(m => Buffer.from(m.token).equals(token))
        await program.run(3, () => answer() !== undefined)
        return answer()?.code
    }
    const linked: Linked = { ...program, router, hosts, said, put }
    await program.run(startS)
    assert.deepEqual(said(), [[0]], "in the first envelope")
    return linked
}

test("a configuration is confirmed at once, however long readings wait", async () => {
    const { router, run, put, said } = await link(() => Promise.reject(new Error("not needed")))
    assert.equal(await put(1, { sample: 60, report: 600 }), Code.Changed)
    await run(4)
    assert.deepEqual(said(), [[0], [1]])
    const { length } = router.posts
    await run(20)
    assert.equal(router.posts.length, length, "the readings after it do wait")
    assert.equal(await put(2, { led: 9, sample: 60, report: 600 }), Code.Changed)
    await run(4)
    assert.deepEqual(said(), [[0], [1], [2]])
})

test("another router: the mote moves there, and stays after a receipt", async () => {
    const mote = await link(router => router.connect())
    const { router, hosts, run, put, said } = mote
    assert.equal(await put(1, { router: elsewhere }), Code.Changed)
    await run(trial + 30)
    assert.deepEqual(hosts, ["router.invalid:5683", "elsewhere.invalid:5700"])
    assert.deepEqual(said(), [[0], [1]])
    assert.ok(router.posts.some(post => post.connection === router.connections[1]))
    mote.mote.stop()
    await mote.mote.powerUp()
    await run(startS)
    assert.equal(hosts.at(-1), "elsewhere.invalid:5700")
    assert.deepEqual(said().at(-1), [1])
    assert.deepEqual(mote.panics, [])
})

for (const [what, reach] of [
    ["cannot be reached", () => Promise.reject(new Error("unreachable"))],
    [
        "gives no valid receipt",
        (router: ScriptedRouter) => {
            const stream = router.connect()
            const connection = router.connections.at(-1)!
            const { onPost } = router
            router.onPost = post => {
                if (post.connection !== connection) onPost(post)
                else post.respond(Code.Changed, post.receipt({ key: randomBytes(32) }))
            }
            return stream
        },
    ],
] as const)
    test(`a router that ${what}: the one before is back, and the clinic is told`, async () => {
        const mote = await link(reach)
        const { hosts, run, put, said } = mote
        assert.equal(await put(1, { router: elsewhere, led: 9 }), Code.Changed)
        await run(trial - 5)
        assert.ok(hosts.slice(1).every(host => host === "elsewhere.invalid:5700"))
        assert.ok(hosts.length > 1)
        await run(60)
        assert.equal(hosts.at(-1), "router.invalid:5683")
        assert.deepEqual(said().slice(-2), [[0], [1, { code: "no-receipt", seconds: 60 }]])
        assert.equal(await put(1, { router: elsewhere, led: 9 }), Code.BadRequest)
        assert.equal(await put(2, { led: 9 }), Code.Changed)
        await run(5)
        assert.deepEqual(said().at(-1), [2])
        assert.deepEqual(mote.panics, [])
    })

test("power cut at any moment after a configuration with another router was sent: the old one or the new", async () => {
    const outcomes = new Set<string>()
    // The request arrives after 10 ms; the mote has moved and has its receipt within 100 ms or 2 s.
    const cutsMs = [...Array.from({ length: 12 }, (_, i) => 10 + 2 * i), 50, 100, 200, 1000, 2000, 2100, 2200, 2500]
    for (const cutMs of cutsMs) {
        const { router, hosts, run, said, mote, panics } = await link(router => router.connect())
        const connection = router.connections.at(-1)!
        const values = { ...calm, router: elsewhere }
        const payload = makeConfig(values, 1, router.keys, randomBytes)
        const options = pathOptions("/config")
        connection.stream.write(encodeFrame(message(Code.PUT, { options, payload })))
        await run(cutMs / 1000)
        mote.stop()
        // Data in transit arrives.
        await run(0.1)
        const before = said().length
        await mote.powerUp()
        await run(startS)
        const [first, ...more] = said().slice(before)
        const isNew = first![0] === 1
        assert.deepEqual(first, [isNew ? 1 : 0])
        if (isNew) assert.deepEqual(more, [])
        else if (more.length > 0) assert.deepEqual(more, [[1, { code: "restarted-on-trial" }]])
        assert.equal(hosts.at(-1), isNew ? "elsewhere.invalid:5700" : "router.invalid:5683")
        assert.deepEqual(panics, [])
        outcomes.add(`${isNew} ${more.length}`)
        mote.stop()
    }
    assert.deepEqual([...outcomes].sort(), ["false 0", "false 1", "true 0"])
})
