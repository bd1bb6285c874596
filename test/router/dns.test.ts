import assert from "node:assert/strict"
import { createSocket, type Socket } from "node:dgram"
import { Resolver } from "node:dns/promises"
import { once } from "node:events"
import { test } from "node:test"
import fc from "fast-check"
import { silentLog } from "../../host/log.ts"
import { parseQuery, QueryError, Rcode, response, Type, type Query } from "../../router/dns/message.ts"
import { dnsResponse } from "../../router/dns/responder.ts"
import { serveDns } from "../../router/dns/server.ts"

const own = { name: "router.internal", address: "192.0.2.7" }

/** A query as RFC 1035 §4.1 has it. */
function encode(name: string, type: number, o: { id?: number; flags?: number; edns?: number; more?: number[] } = {}) {
    const { id = 0x1234, flags = 0x0100, edns, more = [] } = o
    const header = Buffer.alloc(12)
    header.writeUInt16BE(id, 0)
    header.writeUInt16BE(flags, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(edns === undefined ? 0 : 1, 10)
    const labels = name
        .split(".")
        .map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]))
    const question = Buffer.concat([...labels, Buffer.from([0, type >> 8, type & 255, 0, 1])])
    const opt = edns === undefined ? [] : [Buffer.from([0, 0, 41, 4, 208, 0, edns, 0, 0, 0, 0])]
    return Buffer.concat([header, question, ...opt, Buffer.from(more)])
}

const rcodeOf = (bytes: Uint8Array) => bytes[3]! & 15
const answersOf = (bytes: Uint8Array) => (bytes[6]! << 8) | bytes[7]!

async function serve(t: { after(fn: () => void): void }) {
    const dns = await serveDns({ ...own, address: "127.0.0.1", port: 0 }, silentLog)
    t.after(() => dns.close())
    return dns.port
}

test("a resolver gets the name's address with TTL 0, in any case, and nothing of other types or names", async t => {
    const resolver = new Resolver({ timeout: 1000, tries: 1 })
    resolver.setServers([`127.0.0.1:${await serve(t)}`])
    for (const name of ["router.internal", "Router.INTERNAL"])
        assert.deepEqual(await resolver.resolve4(name, { ttl: true }), [{ address: "127.0.0.1", ttl: 0 }])
    await assert.rejects(resolver.resolve6("router.internal"), { code: "ENODATA" })
    await assert.rejects(resolver.resolve4("example.org"), { code: "EREFUSED" })
    await assert.rejects(resolver.resolve4("internal"), { code: "EREFUSED" })
})

test("what is no query is not answered, and the next one is", async t => {
    const port = await serve(t)
    const socket: Socket = createSocket("udp4")
    t.after(() => socket.close())
    const garbage = [Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(600), encode(own.name, Type.a, { flags: 0x8180 })]
    for (const bytes of garbage) socket.send(bytes, port, "127.0.0.1")
    socket.send(encode(own.name, Type.a, { id: 7 }), port, "127.0.0.1")
    const [answer] = (await once(socket, "message")) as [Buffer]
    assert.equal(answer.readUInt16BE(0), 7)
    assert.equal(answersOf(answer), 1)
})

test("a query that is wrong gets the code that says why", () => {
    const cases: [number, Uint8Array][] = [
        [Rcode.notImp, encode(own.name, Type.a, { flags: 0x2800 })],
        [Rcode.formErr, encode(own.name, Type.a, { more: [0] })],
        [Rcode.formErr, encode(own.name, Type.a).subarray(0, -1)],
        [Rcode.formErr, encode(own.name, Type.a, { edns: 0, more: [1] })],
        [Rcode.refused, encode("other.internal", Type.a)],
        [Rcode.refused, encode(`x.${own.name}`, Type.a)],
    ]
    for (const [rcode, query] of cases) {
        const answer = dnsResponse(query, own)!
        assert.equal(rcodeOf(answer), rcode)
        assert.equal(answersOf(answer), 0)
    }
    // One label with a dot in it is another name than two labels.
    const dotted = encode("router-internal", Type.a)
    dotted[dotted.indexOf("-")] = ".".charCodeAt(0)
    assert.equal(rcodeOf(dnsResponse(dotted, own)!), Rcode.refused)
    // A pointer in the question (RFC 1035 §4.1.4), which could go round in circles.
    const pointing = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1])
    assert.equal(rcodeOf(dnsResponse(pointing, own)!), Rcode.formErr)
    // EDNS of a version to come: BADVERS (16), whose upper bits are in the OPT record.
    const newer = dnsResponse(encode(own.name, Type.a, { edns: 1 }), own)!
    assert.equal(rcodeOf(newer) | (newer.at(-6)! << 4), Rcode.badVers)
})

test("EDNS is answered with EDNS", () => {
    const answer = Buffer.from(dnsResponse(encode(own.name, Type.a, { edns: 0 }), own)!)
    assert.equal(answer.readUInt16BE(10), 1)
    assert.deepEqual([...answer.subarray(-11, -8)], [0, 0, Type.opt])
    assert.equal(answersOf(answer), 1)
})

const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,63}$/)
const name = fc.array(label, { minLength: 1, maxLength: 3 }).map(labels => labels.join("."))

test("any query that is encoded comes out as it went in", () => {
    fc.assert(
        fc.property(
            name,
            fc.nat(0xffff),
            fc.nat(0xffff),
            fc.boolean(),
            fc.option(fc.nat(255)),
            (text, type, id, rd, edns) => {
                const flags = rd ? 0x0100 : 0
                const query = parseQuery(encode(text, type, { id, flags, ...(edns !== null && { edns }) }))!
                assert.deepEqual(
                    { ...query, question: undefined },
                    { ...{ id, rd, type, question: undefined }, name: text.toLowerCase(), edns: edns ?? undefined },
                )
            },
        ),
    )
})

test("a response repeats id and question, and has the address once", () => {
    fc.assert(
        fc.property(name, fc.nat(0xffff), fc.ipV4(), (text, id, address) => {
            const query = parseQuery(encode(text, Type.a, { id })) as Query
            const answer = Buffer.from(response(query, Rcode.noError, address))
            assert.equal(answer.readUInt16BE(0), id)
            assert.ok(answer[2]! & 0x80)
            const end = 12 + query.question.length
            assert.deepEqual(answer.subarray(12, end), Buffer.from(query.question))
            assert.deepEqual([...answer.subarray(end, end + 12)], [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4])
            assert.equal(answer.subarray(end + 12).join("."), address)
        }),
    )
})

test("whatever comes, an answer is at most 16 bytes longer, and never the answer to another name", () => {
    const anything = fc.oneof(
        fc.uint8Array({ maxLength: 600 }),
        fc.tuple(fc.nat(40), fc.nat(255)).map(([at, value]) => {
            const bytes = Uint8Array.from(encode(own.name, Type.a, { edns: 0 }))
            bytes[at % bytes.length] = value
            return bytes
        }),
    )
    fc.assert(
        fc.property(anything, bytes => {
            const answer = dnsResponse(bytes, own)
            if (!answer) return
            assert.ok(answer.length <= bytes.length + 16)
            if (answersOf(answer) === 0) return
            const query = parseQuery(bytes)
            assert.equal(query?.name, own.name)
        }),
        { numRuns: 2000 },
    )
})

test("what makes an error of a query is a QueryError, and nothing else", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 600 }), bytes => {
            try {
                parseQuery(bytes)
            } catch (error) {
                assert.ok(error instanceof QueryError)
            }
        }),
        { numRuns: 2000 },
    )
})
