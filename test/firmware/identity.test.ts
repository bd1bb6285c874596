import assert from "node:assert/strict"
import { test } from "node:test"
import { runProgram } from "../../sim/mote/program.ts"
import { ScriptedRouter } from "./scripted-router.ts"

const good = {
    kid: "0011223344556677",
    secret: "ab".repeat(32),
    router: "coap+tcp://router.invalid:5683",
}

test("invalid settings stop the mote with a line that names them", async () => {
    const bad: [Record<string, unknown>, string][] = [
        [{}, "setting kid: 16 hex digits are needed"],
        [{ ...good, kid: "00112233445566" }, "setting kid: 16 hex digits are needed"],
        [{ ...good, kid: "001122334455667g" }, "setting kid: 16 hex digits are needed"],
        [{ ...good, kid: 11223344556677 }, "setting kid: 16 hex digits are needed"],
        [{ ...good, secret: "ab" }, "setting secret: 64 hex digits are needed"],
        [{ ...good, secret: undefined }, "setting secret: 64 hex digits are needed"],
        ...[
            "",
            "http://router",
            "coap+tcp://",
            "coap+tcp://:5683",
            "coap+tcp://router:0",
            "coap+tcp://router:65536",
            "coap+tcp://router:99999999999",
            "coap+tcp://router:5683x",
            "coap+tcp://[::1",
            "coap+tcp://[::1]5683",
        ].map((router): [Record<string, unknown>, string] => [
            { ...good, router },
            "setting router: coap+tcp://host:port or mqtt://host:port is needed",
        ]),
    ]
    for (const [settings, line] of bad) {
        const kept = Object.entries(settings).filter(([, value]) => value !== undefined)
        const { lines, panics, run } = await runProgram("test/src/uplink.ts", {
            settings: Object.fromEntries(kept),
        })
        await run(3)
        assert.deepEqual({ lines, panics }, { lines: [line], panics: [] }, JSON.stringify(settings))
    }
})

test("the router may have a name, an address of either kind, and a port or none", async () => {
    const urls: [string, string, number][] = [
        ["coap+tcp://router.invalid:5684", "router.invalid", 5684],
        ["coap+tcp://router.invalid", "router.invalid", 5683],
        ["coap+tcp://192.0.2.1:1/", "192.0.2.1", 1],
        ["coap+tcp://[2001:db8::1]:65535", "2001:db8::1", 65535],
        ["coap+tcp://[2001:db8::1]", "2001:db8::1", 5683],
    ]
    for (const [router, host, port] of urls) {
        const tried: [string, number, boolean][] = []
        const { run } = await runProgram("test/src/uplink.ts", {
            settings: { ...good, router },
            connect: (...where) => {
                tried.push(where)
                return Promise.reject(new Error("unreachable"))
            },
        })
        await run(4, () => tried.length > 0)
        assert.deepEqual(tried[0], [host, port, false])
    }
})

test("a mote whose flash is full sends nothing and logs it", async () => {
    const router = new ScriptedRouter()
    // Large ones first, then smaller ones in between.
    const fill = Object.fromEntries(
        [200, 50, 10, 1].flatMap(size => Array.from({ length: 45 }, (_, i) => [`fill${size}-${i}`, "x".repeat(size)])),
    )
    const settings: Record<string, unknown> = { ...router.settings, count: 3, everyMs: 300 }
    const { lines, run, panics, mote } = await runProgram("test/src/uplink.ts", {
        clock: router.clock,
        connect: router.connect,
        settings,
    })
    await run(5)
    const sent = router.posts.length
    assert.equal(sent, 3)
    mote.stop()
    Object.assign(settings, fill)
    await mote.powerUp()
    await run(200)
    assert.deepEqual(panics, [])
    assert.equal(router.posts.length, sent)
    assert.equal(lines.at(-1), "the boot counter is used up, or the flash does not keep it: nothing is sent")
})

test("a mote whose boot counter is used up sends nothing, so no nonce comes twice", async () => {
    const router = new ScriptedRouter()
    const settings = { ...router.settings, boot: 2 ** 24 - 2, count: 3, everyMs: 300 }
    const { lines, run, mote } = await runProgram("test/src/uplink.ts", {
        ...{ clock: router.clock, connect: router.connect, settings },
    })
    await run(5)
    assert.deepEqual(
        router.posts.map(({ envelope }) => envelope.boot),
        [1, 1, 1].fill(2 ** 24 - 1),
    )
    mote.stop()
    // Settings are written again at each start.
    settings.boot = 2 ** 24 - 1
    await mote.powerUp()
    await run(200)
    assert.equal(router.posts.length, 3)
    assert.equal(lines.at(-1), "the boot counter is used up, or the flash does not keep it: nothing is sent")
})

test("a mote's log contains no secrets", async () => {
    const router = new ScriptedRouter()
    const all: string[] = []
    const { run } = await runProgram("test/src/uplink.ts", {
        clock: router.clock,
        connect: router.connect,
        settings: router.settings,
        log: line => all.push(line),
        vmLog: line => all.push(line),
    })
    await run(30)
    // The runtime prints its build time, which may look like a temperature.
    const text = all.filter(line => !line.startsWith("* start:")).join("\n")
    assert.ok(router.posts.length > 5)
    assert.doesNotMatch(text, new RegExp(router.settings.secret.slice(0, 16), "i"))
    assert.doesNotMatch(text, /36\.5|30\./)
})
