import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { runProgram } from "../../sim/mote/program.ts"
import { makeConfig } from "../../wire/config.ts"
import { ConfigMote } from "./config-mote.ts"

/** Routers to which a Pico W can connect, and others: no IP address, no TLS. */
const reachable = [
    "coap+tcp://router.internal:5683",
    "mqtt://router",
    "coap+tcp://4.router",
    "coap+tcp://r2",
    "mqtt://10-0-0-1.lan",
]
const unreachable = [
    "coap+tcp://192.0.2.7:5683",
    "coap+tcp://192.168.1",
    "mqtt://3232235783",
    "coap+tcp://[2001:db8::7]",
    "coaps+tcp://router.internal",
    "mqtts://router.internal",
]

test("over the air a Pico W refuses a router that it cannot connect to, and keeps the one it has", async () => {
    const mote = await ConfigMote.start({ picow: true })
    await mote.note()
    let version = 1
    const configure = (router: string) => mote.configure(makeConfig({ router }, ++version, mote.keys, randomBytes))
    const before = await mote.config()
    for (const router of unreachable) {
        assert.equal(await configure(router), "unreachable", router)
        assert.deepEqual(await mote.config(), before)
        assert.equal(await mote.tick(), false)
        assert.deepEqual(await mote.note(), {
            ...{ version: 0, refused: version, reason: "unreachable" },
        })
    }
    for (const router of reachable) assert.equal(await configure(router), "applied", router)
    mote.stop()
})

test("any other board accepts all of them", async () => {
    const mote = await ConfigMote.start()
    let version = 1
    for (const router of [...reachable, ...unreachable])
        assert.equal(await mote.configure(makeConfig({ router }, ++version, mote.keys, randomBytes)), "applied", router)
    mote.stop()
})

test("a Pico W whose settings name an IP address logs that and sends nothing", async () => {
    const identity = { kid: "0011223344556677", secret: "ab".repeat(32) }
    let connections = 0
    const start = async (settings: Record<string, unknown>) => {
        const { lines, run, mote } = await runProgram("test/src/identity.ts", {
            settings: { ...identity, ...settings },
            connect: () => {
                connections++
                return Promise.reject(new Error("unreachable"))
            },
        })
        await run(5)
        mote.stop()
        return lines
    }
    const [line] = await start({ picow: true, router: "coap+tcp://192.0.2.7" })
    assert.equal(line, "setting router: a name is needed, and no TLS")
    assert.equal(connections, 0)
    await start({ picow: true, router: "coap+tcp://router.internal" })
    assert.ok(connections > 0)
})
