import assert from "node:assert/strict"
import type { IncomingMessage, ServerResponse } from "node:http"
import { before, test, type TestContext } from "node:test"
import { UserError } from "../../host/errors.ts"
import { silentLog } from "../../host/log.ts"
import { httpsClinic, Router, SqliteStore } from "../../router/index.ts"
import {
    decodeBatch,
    encodeKeys,
    encodeResults,
    headerTime,
    maxBatch,
    maxKeysBytes,
    routerHeader,
    type Delivery,
} from "../../wire/batch.ts"
import { eui } from "../../wire/keys.ts"
import { until } from "../support/until.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { selfSigned, serveHttps } from "./tls-server.ts"

let tls: { cert: string; key: string }
before(async () => {
    tls = await selfSigned()
})

const token = "a-token-nobody-may-see"
const delivery: Delivery = {
    id: 1,
    purpose: "vitals",
    receivedAt: 1_700_000_000_000,
    envelope: Uint8Array.of(1, 2, 3),
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    return new Uint8Array(Buffer.concat(chunks))
}

/** A clinic that answers every batch with `stored`, and the link to it. */
async function setUp(
    t: TestContext,
    answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
) {
    const { url, server } = await serveHttps(t, tls, (request, response) => {
        void answer(request, response)
    })
    return { url, server, link: httpsClinic({ url, ca: tls.cert, token }) }
}

test("batches and keys go over verified TLS, with the token, on one connection", async t => {
    const received: Delivery[][] = []
    const keys = [TestMote.numbered().routerKeys]
    const { server, link } = await setUp(t, async (request, response) => {
        assert.equal(request.headers.authorization, `Bearer ${token}`)
        if (request.url === "/ingest/keys") {
            response.end(encodeKeys(keys))
            return
        }
        assert.deepEqual(
            [request.method, request.url, request.headers["content-type"]],
            ["POST", "/ingest", "application/cbor"],
        )
        const batch = decodeBatch(await bodyOf(request))
        received.push(batch)
        response.end(encodeResults(batch.map(({ id }) => ({ id, status: "stored" }))))
    })
    let connections = 0
    server.on("secureConnection", () => connections++)
    const full = Array.from({ length: maxBatch }, (_, id) => ({
        ...delivery,
        id,
        envelope: new Uint8Array(4096),
    }))
    for (const batch of [[delivery], full])
        assert.deepEqual(
            await link.deliver(batch),
            batch.map(({ id }) => ({ id, status: "stored" })),
        )
    assert.deepEqual(received, [[delivery], full])
    assert.deepEqual(await link.keys(), keys)
    assert.equal(connections, 1)
})

test("all that is asked says what the router's clock shows, and since when it has its store", async t => {
    const seen: (number | undefined)[][] = []
    const { url } = await serveHttps(t, tls, (request, response) => {
        const { headers } = request
        seen.push([headerTime(headers[routerHeader.sentAt]), headerTime(headers[routerHeader.storeSince])])
        response.end(request.method === "GET" ? encodeKeys([]) : encodeResults([{ id: 1, status: "stored" }]))
    })
    let now = 1_700_000_000_000.5
    const link = httpsClinic({ url, ca: tls.cert, token, now: () => now })
    t.after(() => link.close?.())
    await link.keys()
    link.setStoreCreatedAt?.(1_699_999_999_999)
    now += 1000
    await link.deliver([delivery])
    assert.deepEqual(seen, [
        [1_700_000_000_000, undefined],
        [1_700_000_001_000, 1_699_999_999_999],
    ])
    for (const text of [undefined, "", "-1", "1e3", "1".repeat(16), ["1"]]) assert.equal(headerTime(text), undefined)
})

test("keys that have not changed are not sent again, and are the same array", async t => {
    let keys = [TestMote.numbered(1).routerKeys]
    const asked: (string | undefined)[] = []
    const { link } = await setUp(t, (request, response) => {
        const etag = `"${keys.length}"`
        asked.push(request.headers["if-none-match"])
        if (request.headers["if-none-match"] === etag) response.writeHead(304).end()
        else response.writeHead(200, { etag }).end(encodeKeys(keys))
    })
    const first = await link.keys()
    assert.deepEqual(first, keys)
    assert.equal(await link.keys(), first)
    keys = [...keys, TestMote.numbered(2).routerKeys]
    assert.deepEqual(await link.keys(), keys)
    assert.deepEqual(asked, [undefined, '"1"', '"1"'])
})

test("keys come in pages; those that have not changed are not sent again, and motes that are gone are gone", async t => {
    const motes = [1, 2, 3, 4, 5].map(n => TestMote.numbered(n).routerKeys)
    const asked: string[] = []
    let pages = [motes.slice(0, 2), motes.slice(2, 4), motes.slice(4)]
    const { link } = await setUp(t, (request, response) => {
        const after = /after=([0-9a-f]{16})$/.exec(request.url!)?.[1]
        const i = pages.findIndex((_, i) => (i === 0 ? after === undefined : after === eui(pages[i - 1]!.at(-1)!.kid)))
        const page = pages[i]!
        const etag = `"${page.map(({ kid }) => eui(kid)).join()}"`
        response.setHeader("etag", etag)
        if (i + 1 < pages.length)
            response.setHeader("link", `</ingest/keys?after=${eui(page.at(-1)!.kid)}>; rel="next"`)
        response.statusCode = request.headers["if-none-match"] === etag ? 304 : 200
        asked.push(`${i} ${response.statusCode}`)
        response.end(response.statusCode === 304 ? undefined : encodeKeys(page))
    })
    t.after(() => link.close?.())
    const all = await link.keys()
    assert.deepEqual(all, motes)
    assert.equal(await link.keys(), all)
    assert.deepEqual(asked, ["0 200", "1 200", "2 200", "0 304", "1 304", "2 304"])
    pages = [motes.slice(0, 2), motes.slice(2, 4)]
    assert.deepEqual(await link.keys(), motes.slice(0, 4))
    pages.push(motes.slice(4))
    assert.deepEqual(await link.keys(), motes, "a page that is as it was may have another one behind it")
    pages = [motes.slice(0, 2), motes.slice(3, 4)]
    assert.deepEqual(await link.keys(), [motes[0], motes[1], motes[3]])
    pages = [motes.slice(0, 1)]
    assert.deepEqual(await link.keys(), [motes[0]])
})

test("a clinic whose pages of keys never end is an error", async t => {
    const { routerKeys } = TestMote.numbered()
    const { link } = await setUp(t, (_, response) => {
        response.setHeader("link", `</ingest/keys?after=${eui(routerKeys.kid)}>; rel="next"`)
        response.end(encodeKeys([routerKeys]))
    })
    t.after(() => link.close?.())
    await assert.rejects(async () => await link.keys(), /more than 100 pages/)
})

test("a clinic that says unchanged without having been asked is an error", async t => {
    const { link } = await setUp(t, (_, response) => void response.writeHead(304).end())
    await assert.rejects(link.keys())
})

for (const [what, answer] of [
    ["500", (_: IncomingMessage, r: ServerResponse) => void r.writeHead(500).end("oops")],
    ["401", (_: IncomingMessage, r: ServerResponse) => void r.writeHead(401).end()],
    ["204", (_: IncomingMessage, r: ServerResponse) => void r.writeHead(204).end()],
    ["a redirect", (_: IncomingMessage, r: ServerResponse) => void r.writeHead(302, { location: "/" }).end()],
    ["garbage", (_: IncomingMessage, r: ServerResponse) => void r.end("<html>")],
    ["nothing at all", (q: IncomingMessage) => void q.socket.destroy()],
    [
        "half an answer",
        (_: IncomingMessage, r: ServerResponse) => {
            r.writeHead(200, { "content-length": "100" }).write("x")
            setTimeout(() => r.socket?.destroy(), 10)
        },
    ],
    ["more than it may", (_: IncomingMessage, r: ServerResponse) => void r.end(Buffer.alloc(maxKeysBytes + 1))],
] as const)
    test(`a clinic that answers with ${what} is an error without secrets`, async t => {
        const { link } = await setUp(t, answer)
        const isCalm = (error: Error) => !error.message.includes(token)
        await assert.rejects(link.deliver([delivery]), isCalm)
        await assert.rejects(link.keys(), isCalm)
    })

test("a certificate that nobody vouches for is refused, before anything is sent", async t => {
    let requests = 0
    const { url } = await serveHttps(t, tls, () => requests++)
    const other = await selfSigned()
    await assert.rejects(httpsClinic({ url, ca: other.cert, token }).deliver([delivery]))
    await assert.rejects(httpsClinic({ url, token }).deliver([delivery]))
    const byAddress = url.replace("localhost", "127.0.0.1") // the certificate does not name it
    await assert.rejects(httpsClinic({ url: byAddress, ca: tls.cert, token }).deliver([delivery]))
    assert.equal(requests, 0)
})

test("a clinic that hangs is given up when the router closes", async t => {
    let asked = () => {}
    const arrived = new Promise<void>(resolve => (asked = resolve))
    const { link } = await setUp(t, () => asked())
    const abort = new AbortController()
    const delivering = assert.rejects(link.deliver([delivery], abort.signal))
    await arrived
    abort.abort()
    await delivering
})

test("what was given up before it began is not asked", async t => {
    let requests = 0
    const { link } = await setUp(t, () => void requests++)
    await assert.rejects(link.keys(AbortSignal.abort()), { name: "AbortError" })
    await assert.rejects(link.deliver([delivery], AbortSignal.abort()), { name: "AbortError" })
    assert.equal(requests, 0)
})

test("closing gives the connection up", async t => {
    const { server, link } = await setUp(t, (_, response) => void response.end(encodeKeys([])))
    const closed = new Promise(resolve => server.once("secureConnection", socket => socket.once("close", resolve)))
    await link.keys()
    await link.close!()
    await closed
    await assert.rejects(link.keys())
})

test("a clinic in trouble loses nothing: the router keeps and delivers each once, in order", async t => {
    const mote = TestMote.numbered()
    const stored: string[] = []
    const troubles = [500, "garbage", "hang up", 401, "store and hang up", 503]
    const { link } = await setUp(t, async (request, response) => {
        if (request.url === "/ingest/keys") {
            response.end(encodeKeys([mote.routerKeys]))
            return
        }
        const batch = decodeBatch(await bodyOf(request))
        const trouble = troubles.shift()
        if (typeof trouble === "number") response.writeHead(trouble).end()
        else if (trouble === "garbage") response.end("garbage")
        else if (trouble === "hang up") request.socket.destroy()
        else {
            const results = batch.map(({ id, envelope }) => {
                const hex = Buffer.from(envelope).toString("hex")
                if (stored.includes(hex)) return { id, status: "duplicate" as const }
                stored.push(hex)
                return { id, status: "stored" as const }
            })
            if (trouble) request.socket.destroy()
            else response.end(encodeResults(results))
        }
    })
    const clock = new ManualClock()
    const random = (n: number) => new Uint8Array(n)
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random, store, clinic: link, log: silentLog })
    t.after(() => router.close())
    await until(() => router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const envelopes = Array.from({ length: 3 }, () => mote.envelope())
    for (const envelope of envelopes) {
        const submitted = router.ingest.submit("vitals", envelope, { address: "192.0.2.7" })
        await clock.advance(0)
        assert.equal((await submitted).status, "stored")
    }
    for (let i = 0; i < 500 && store.outboxLength > 0; i++) {
        await clock.advance(1000)
        await new Promise(resolve => setTimeout(resolve, 5))
    }
    assert.deepEqual(
        stored,
        envelopes.map(e => Buffer.from(e).toString("hex")),
    )
    assert.equal(store.outboxLength, 0)
    assert.deepEqual(troubles, [])
})

test("an unusable URL or certificate is one clear line", () => {
    for (const o of [
        { url: "clinic", token },
        { url: "http://localhost:8443", token },
        { url: "https://localhost:8443", ca: "not a certificate", token },
    ])
        assert.throws(() => httpsClinic(o), UserError)
})
