import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { test, type TestContext } from "node:test"
import fc from "fast-check"
import { silentLog } from "../../host/log.ts"
import { blockBytes, readBlockOption, blockOption } from "../../router/coap/block.ts"
import type { CoapConnection } from "../../router/coap/connection.ts"
import { Code, dotted, message, type CoapMessage, type CoapOption } from "../../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption, uintValue } from "../../router/coap/options.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { senmlJson } from "../../router/relay/html.ts"
import { refusalOf } from "../../router/relay/refusal.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { encodeConfig, makeCommand, makeConfig } from "../../wire/config.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, eui } from "../../wire/keys.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { runs } from "../support/long.ts"

const { Accept, Block2, ContentFormat, MaxAge, Observe } = OptionNumber

/** A mote that is online with one reading every 2 s, and the router's end of its connection, which sends requests. */
async function start(t: TestContext, program = "test/src/uplink.ts") {
    const clock = new VirtualClock()
    const kid = randomBytes(8)
    const secret = randomBytes(32)
    const keys = deriveKeys(secret, kid)
    const clinic = new MemoryClinic({ ...keys, config: 0 })
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog })
    t.after(() => store.close())
    let cut = () => {}
    const { mote, run, panics, lines } = await runProgram(program, {
        clock,
        settings: {
            ...{ kid: eui(kid), secret: secret.toString("hex"), count: 10_000, everyMs: 2000 },
            router: "coap+tcp://router.invalid",
        },
        connect: () => {
            const [near, far] = pipe(clock, 10)
            cut = () => far.destroy()
            router.accept(far)
            return Promise.resolve(near)
        },
    })
    t.after(() => mote.stop())
    const connection = () => router.motes.find(eui(kid))?.connection
    await run(20, () => connection() !== undefined)
    assert.ok(connection())
    /** Advances time until there is a response. */
    const within = async <T>(asked: Promise<T>): Promise<T> => {
        let isDone = false
        const done = () => (isDone = true)
        asked.then(done, done)
        await run(31, () => isDone)
        return await asked
    }
    const ask = (code: number, path: string, options: CoapOption[] = [], payload?: Uint8Array) =>
        within(
            connection()!.request(code, {
                options: [...pathOptions(path), ...options],
                ...(payload && { payload }),
            }),
        )
    const pack = async (path: string) => {
        const response = await ask(Code.GET, path)
        assert.equal(dotted(response.code), "2.05")
        const json = senmlJson(uintValue(response.options, ContentFormat), response.payload)
        assert.ok(json)
        return new Map(json.map(({ n, v, vs, vd }) => [n, v ?? vs ?? vd]))
    }
    return { clinic, keys, eui: eui(kid), run, panics, lines, ask, pack, within, connection, cut: () => cut() }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const coseMac0 = uintOption(ContentFormat, 17)

test("a mote lists its resources and its status, and nothing about its wearer", async t => {
    const { ask, pack, eui, run, panics } = await start(t)
    const core = await ask(Code.GET, "/.well-known/core")
    assert.equal(
        Buffer.from(core.payload).toString(),
        '</status>;rt="vitalmote.status";ct=112,</vitals>;rt="vitalmote.vitals";ct=17;obs,' +
            '</config>;rt="vitalmote.config";ct="17 112",</identify>;ct=17,</readings>;ct=17',
    )
    assert.equal(uintValue(core.options, ContentFormat), 40)
    await run(20)
    const status = await ask(Code.GET, "/status")
    assert.equal(uintValue(status.options, MaxAge), 5)
    const records = senmlJson(112, status.payload)!
    assert.equal(records[0]!.bn, `urn:dev:mac:${eui}_`)
    const values = await pack("/status")
    assert.deepEqual(
        [...values.keys()],
        ["firmware", "boot", "queued", "lost", "sent", "repeated", "receipts", "receipt-age", "config"],
    )
    assert.equal(values.get("boot"), 1)
    assert.equal(values.get("lost"), 0)
    assert.equal(values.get("sent"), values.get("receipts"))
    assert.ok(Number(values.get("sent")) >= 10)
    assert.deepEqual(panics, [])
})

test("wrong paths, methods, formats and options get their codes", async t => {
    const { ask, panics } = await start(t)
    const code = async (...request: Parameters<typeof ask>) => dotted((await ask(...request)).code)
    for (const path of ["/", "/x", "/status/x", "/Status", "/.well-known"])
        assert.equal(await code(Code.GET, path), "4.04", path)
    for (const [method, path] of [
        [Code.POST, "/.well-known/core"],
        [Code.PUT, "/status"],
        [Code.DELETE, "/vitals"],
        [Code.POST, "/config"],
        [Code.GET, "/identify"],
        [Code.GET, "/readings"],
        [5, "/status"],
    ] as const)
        assert.equal(await code(method, path), "4.05", path)
    for (const path of ["/status", "/vitals", "/config", "/.well-known/core"])
        assert.equal(await code(Code.GET, path, [uintOption(Accept, 50)]), "4.06", path)
    assert.equal(await code(Code.GET, "/status", [uintOption(Accept, 112)]), "2.05")
    assert.equal(await code(Code.GET, "/status", [uintOption(9, 1)]), "4.02")
    assert.equal(await code(Code.PUT, "/config", [uintOption(27, 8)], new Uint8Array(16)), "4.02")
    assert.equal(await code(Code.GET, "/status", [uintOption(2048, 1)]), "2.05")
    assert.equal(await code(Code.PUT, "/config", [uintOption(ContentFormat, 60)]), "4.15")
    assert.equal(await code(Code.PUT, "/config", [coseMac0], new Uint8Array(321)), "4.13")
    assert.deepEqual(panics, [])
})

test("vitals are the newest envelope, byte for byte, without using a sequence number", async t => {
    const { ask, run, clinic } = await start(t)
    await run(10)
    for (let i = 0; i < 5; i++) {
        const { payload, options } = await ask(Code.GET, "/vitals", [uintOption(Accept, 17)])
        assert.equal(uintValue(options, ContentFormat), 17)
        assert.equal(uintValue(options, Observe), undefined)
        assert.ok(clinic.stored.slice(-2).includes(hex(payload)))
    }
    await run(10)
    const seqs = clinic.stored.map(e => parseEnvelope(Buffer.from(e, "hex")).seq)
    assert.deepEqual(seqs, [...seqs.keys()])
})

/** Observes the vitals. Returns the notifications and their sequence numbers. */
async function observe(system: Awaited<ReturnType<typeof start>>, options: CoapOption[] = []) {
    const got: CoapMessage[] = []
    const { response, cancel } = await system.within(
        (system.connection() as CoapConnection).observe(
            { options: [...pathOptions("/vitals"), ...options] },
            response => response && got.push(response),
        ),
    )
    const numbers = () => [response, ...got].map(({ options }) => uintValue(options, Observe))
    return { first: response, got, cancel, numbers }
}

test("an observer gets each new envelope, with increasing numbers, until it deregisters", async t => {
    const system = await start(t)
    const { run, clinic, panics } = system
    const { first, got, cancel, numbers } = await observe(system)
    assert.equal(uintValue(first.options, ContentFormat), 17)
    await run(20)
    assert.ok(got.length >= 9, `${got.length}`)
    const start0 = clinic.stored.indexOf(hex(first.payload))
    assert.deepEqual(
        got.map(({ payload }) => hex(payload)),
        clinic.stored.slice(start0 + 1, start0 + 1 + got.length),
    )
    const all = numbers().map(Number)
    assert.ok(
        all.every((n, i) => i === 0 || n > all[i - 1]!),
        all.join(" "),
    )
    cancel()
    await run(1)
    const { length } = got
    await run(10)
    assert.equal(got.length, length)
    assert.deepEqual(panics, [])
})

test("there are at most two observers, and none after the connection ends", async t => {
    const system = await start(t)
    const { run, connection, cut } = system
    const [a, b, c] = [await observe(system), await observe(system), await observe(system)]
    assert.deepEqual(
        [a, b, c].map(({ numbers }) => numbers()[0] !== undefined),
        [true, true, false],
    )
    await run(6)
    assert.equal(a.got.length, b.got.length)
    assert.equal(c.got.length, 0)
    const before = connection()
    cut()
    await run(30, () => connection() !== undefined && connection() !== before)
    const { length } = a.got
    await run(10)
    assert.equal(a.got.length, length)
    assert.ok((await observe(system)).numbers()[0] !== undefined, "there is room again")
})

test("a response is sent in blocks on request", async t => {
    const { ask } = await start(t)
    for (const path of ["/.well-known/core", "/config"])
        for (const szx of [0, 2, 6]) {
            const whole = await ask(Code.GET, path)
            const parts: Uint8Array[] = []
            for (let num = 0, more = true; more; num++) {
                const asked = blockOption(Block2, { num, more: false, szx })
                const { payload, options } = await ask(Code.GET, path, [asked])
                const block = readBlockOption(options, Block2)!
                assert.deepEqual([block.num, block.szx], [num, szx])
                assert.equal(
                    block.more,
                    payload.length === blockBytes(szx) &&
                        Buffer.concat(parts).length + payload.length < whole.payload.length,
                )
                parts.push(payload)
                more = block.more
            }
            assert.equal(hex(Buffer.concat(parts)), hex(whole.payload))
        }
    const beyond = await ask(Code.GET, "/config", [blockOption(Block2, { num: 99, more: false, szx: 2 })])
    assert.equal(dotted(beyond.code), "4.00")
})

test("a response is sent in blocks if the peer accepts no more at once", async t => {
    const { ask, connection, panics } = await start(t)
    const { session } = connection() as unknown as { session: { send(m: CoapMessage): void } }
    for (const [size, szx] of [
        [180, 3],
        [60, 1],
    ] as const) {
        session.send(message(Code.CSM, { options: [uintOption(2, size)] }))
        const { payload, options } = await ask(Code.GET, "/.well-known/core")
        assert.ok(payload.length <= size)
        assert.deepEqual(readBlockOption(options, Block2), { num: 0, more: true, szx })
    }
    assert.deepEqual(panics, [])
})

/** The code of a response, and the refusal in it. */
function outcome(response: CoapMessage): string {
    const refusal = refusalOf(response)
    if (!refusal) assert.equal(response.payload.length, 0)
    return [dotted(response.code), ...Object.values(refusal ?? {})].join(" ")
}

test("a configuration is applied, shown with its digest, and refused if it is old or forged", async t => {
    const { ask, pack, keys, panics } = await start(t)
    const put = async (sealed: Uint8Array) => {
        return outcome(await ask(Code.PUT, "/config", [coseMac0], sealed))
    }
    const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64url")
    assert.deepEqual(
        [...(await pack("/config"))],
        [
            ["config", 0],
            ["digest", sha256(new Uint8Array(0))],
        ],
    )
    const old = makeConfig({ hrHigh: 120 }, 6, keys, randomBytes)
    const sealed = makeConfig({ hrHigh: 150, report: 20 }, 7, keys, randomBytes)
    assert.equal(await put(sealed), "2.04")
    const digest = sha256(encodeConfig({ hrHigh: 150, report: 20 }, 7))
    assert.deepEqual(
        [...(await pack("/config"))],
        [
            ["config", 7],
            ["digest", digest],
        ],
    )
    assert.equal((await pack("/status")).get("config"), 7)
    assert.equal(await put(old), "4.03 version-old 7")
    const forged = Uint8Array.from(makeConfig({}, 8, keys, randomBytes))
    forged[forged.length - 1]! ^= 1
    assert.equal(await put(forged), "4.03 not-authentic")
    assert.equal(await put(new Uint8Array(0)), "4.03 not-authentic")
    assert.equal((await pack("/config")).get("config"), 7)
    assert.deepEqual(panics, [])
})

test("commands are executed once, on their own path, and only from the clinic", async t => {
    const { ask, keys, panics } = await start(t)
    const send = async (method: number, path: string, sealed: Uint8Array) => {
        return outcome(await ask(method, path, [coseMac0], sealed))
    }
    const command = (name: "identify" | "clear", version: number) => makeCommand(name, version, keys, randomBytes)
    assert.equal(await send(Code.POST, "/identify", command("clear", 1)), "4.00 other-command")
    const identify = command("identify", 2)
    assert.equal(await send(Code.POST, "/identify", identify), "2.04")
    assert.equal(await send(Code.POST, "/identify", identify), "4.03 version-old 2")
    assert.equal(await send(Code.DELETE, "/readings", command("clear", 3)), "2.02")
    const config = makeConfig({}, 4, keys, randomBytes)
    assert.equal(await send(Code.DELETE, "/readings", config), "4.03 not-authentic")
    assert.deepEqual(panics, [])
})

test("hundreds of requests at once: some get 5.03, nothing else happens", async t => {
    const { connection, within, clinic, run, panics } = await start(t)
    const codes = new Set<string>()
    for (let round = 0; round < 8; round++) {
        const asked = Array.from({ length: 60 }, (_, i) =>
            connection()!.request(Code.GET, { options: pathOptions(["/status", "/vitals", "/config"][i % 3]!) }),
        )
        for (const { code } of await within(Promise.all(asked))) codes.add(dotted(code))
    }
    assert.deepEqual([...codes].sort(), ["2.05", "5.03"])
    const { length } = clinic.stored
    await run(10)
    assert.ok(clinic.stored.length >= length + 4, "readings go on")
    assert.deepEqual(panics, [])
})

test("any request is answered or ends the connection, and the mote continues", async t => {
    const { connection, within, run, clinic, panics } = await start(t)
    const anyOption = fc.record({
        number: fc.oneof(fc.constantFrom(3, 6, 11, 12, 15, 17, 23, 27), fc.nat(65535)),
        value: fc.uint8Array({ maxLength: 12 }),
    })
    const paths = ["/status", "/vitals", "/config", "/identify", "/readings", "/.well-known/core"]
    const property = fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.integer({ min: 1, max: 31 }),
        fc.array(anyOption, { maxLength: 3 }),
        fc.uint8Array({ maxLength: 300 }),
        async (path, code, more, payload) => {
            await run(60, () => connection() !== undefined)
            const options = [...pathOptions(path), ...more]
            const asked = connection()!.request(code, { options, payload })
            await within(asked.catch(() => undefined))
        },
    )
    await fc.assert(property, { numRuns: runs(300) })
    const { length } = clinic.stored
    await run(30)
    assert.ok(clinic.stored.length >= length + 10, "readings go on")
    assert.deepEqual(panics, [])
})
