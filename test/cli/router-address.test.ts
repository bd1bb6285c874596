import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { test, type TestContext } from "node:test"
import { checkRouter } from "../../cli/router-address.ts"
import { UserError } from "../../host/errors.ts"
import { dnsResponse } from "../../router/dns/responder.ts"

/** What the command says on stderr. */
function listen(t: TestContext): string[] {
    const said: string[] = []
    t.mock.method(console, "error", (line: string) => void said.push(line))
    return said
}

/** A DNS server that knows router.internal, with a TTL. */
async function dnsServer(t: TestContext, ttl: number): Promise<string[]> {
    const socket = createSocket("udp4")
    socket.on("message", (query, from) => {
        const response = Buffer.from(dnsResponse(query, { name: "router.internal", address: "192.0.2.7" })!)
        const hasAnswer = response.readUInt16BE(6) === 1
        // The TTL of the answer, which comes after question and pointer.
        if (hasAnswer) response.writeUInt32BE(ttl, 12 + "router.internal".length + 2 + 4 + 6)
        socket.send(response, from.port, from.address)
    })
    socket.bind(0, "127.0.0.1")
    await once(socket, "listening")
    t.after(() => socket.close())
    return [`127.0.0.1:${(socket.address() as AddressInfo).port}`]
}

for (const host of ["192.0.2.7", "[2001:db8::7]", "192.168.1", "3232235783", "0xc0000207"])
    test(`a Pico W and the address ${host}: refused, and the user is told what to do`, async () => {
        for (const scheme of ["coap+tcp", "mqtt"])
            await assert.rejects(
                checkRouter({ board: "picow", router: `${scheme}://${host}:5683` }),
                (error: Error) => error instanceof UserError && /only to a name: docs\/boards\.md/.test(error.message),
            )
        await checkRouter({ board: "xiao-esp32c3", router: `coap+tcp://${host}` })
    })

for (const host of [
    "localhost",
    "LOCALHOST.",
    "mote.localhost",
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "0.0.0.0",
    "[::1]",
])
    test(`no board reaches ${host}`, async () => {
        for (const board of ["picow", "xiao-esp32c3", undefined])
            await assert.rejects(
                checkRouter({ ...(board && { board }), router: `coap+tcp://${host}:5683` }),
                (error: Error) => error instanceof UserError && error.message.includes("which is the board itself"),
            )
    })

test("a name or an address that only looks like one's own", async () => {
    for (const host of ["localhost.example", "128.0.0.1", "[2001:db8::1]", "mylocalhost"])
        await checkRouter({ board: "xiao-esp32c3", router: `coap+tcp://${host}:5683` })
})

test("a Pico W and a name with TTL 0: nothing to be said", async t => {
    const said = listen(t)
    const servers = await dnsServer(t, 0)
    await checkRouter({ board: "picow", router: "coap+tcp://router.internal:5683" }, servers)
    assert.deepEqual(said, [])
})

test("a Pico W and a name that is kept: a warning with its TTL", async t => {
    const said = listen(t)
    const servers = await dnsServer(t, 3600)
    await checkRouter({ board: "picow", router: "mqtt://router.internal" }, servers)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /router\.internal has a TTL of 3600 s.*TTL 0/)
    await checkRouter({ board: "qtpy-esp32c3", router: "mqtt://router.internal" }, servers)
    assert.equal(said.length, 1)
})

test("a Pico W and a name that DNS does not know, or that belongs to mDNS: a warning", async t => {
    const said = listen(t)
    const servers = await dnsServer(t, 0)
    await checkRouter({ board: "picow", router: "coap+tcp://other.internal" }, servers)
    await checkRouter({ board: "picow", router: "coap+tcp://router.local" }, servers)
    assert.equal(said.length, 2)
    assert.match(said[0]!, /DNS does not know other\.internal/)
    assert.match(said[1]!, /never mDNS/)
})
