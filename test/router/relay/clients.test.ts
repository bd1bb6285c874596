import assert from "node:assert/strict"
import { request } from "node:http"
import { hostname } from "node:os"
import { execFile, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { randomBytes } from "node:crypto"
import { test, type TestContext } from "node:test"
import { promisify } from "node:util"
import { senmlJson } from "../../../router/relay/html.ts"
import { makeConfig } from "../../../wire/config.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { until } from "../../support/until.ts"
import { realMote } from "./real-mote.ts"

/*
 * The whole way: libcoap's client (Debian's libcoap3-bin) and an HTTP client ask a router, the firmware in the VM answers.
 */

const client = "coap-client-notls"
const hasClient = spawnSync("which", [client]).status === 0
const skip = hasClient ? false : `needs ${client} (libcoap3-bin)`

/** What coap-client prints: the payload on stdout with a line end, errors such as `4.00 reason` on stderr. */
async function coap(...args: string[]): Promise<{ stdout: Buffer; stderr: string }> {
    const { stdout, stderr } = await promisify(execFile)(client, ["-B", "10", ...args], {
        encoding: "buffer",
    })
    return { stdout: stdout.subarray(0, stdout.at(-1) === 0x0a ? -1 : undefined), stderr: stderr.toString().trim() }
}

async function setUp(t: TestContext, scheme: string) {
    const real = await realMote(t)
    const root = `${scheme}://127.0.0.1:${real.running.coapPort}`
    return { ...real, root, at: `${root}/m/${real.eui}` }
}

function statusOf(payload: Uint8Array): Map<unknown, unknown> {
    const pack = senmlJson(112, payload)
    assert.ok(pack, "SenML in CBOR")
    return new Map(pack.map(({ n, v }) => [n, v]))
}

for (const scheme of ["coap+tcp", "coap"]) {
    test(`${scheme}: a mote's status, by path and by proxy`, { skip }, async t => {
        const { root, at, eui, panics } = await setUp(t, scheme)
        assert.equal(statusOf((await coap(`${at}/status`)).stdout).get("boot"), 1)
        const proxied = await coap("-P", root, `coap+tcp://${eui}/status`)
        assert.equal(statusOf(proxied.stdout).get("boot"), 1)
        assert.deepEqual(panics, [])
    })

    test(`${scheme}: its vitals are an envelope that the clinic has, in blocks, too`, { skip }, async t => {
        const { at, clinic } = await setUp(t, scheme)
        for (const blocks of [[], ["-b", "64"], ["-b", "16"]]) {
            const { stdout } = await coap(...blocks, `${at}/vitals`)
            const envelope = stdout.toString("hex")
            await until(() => clinic.stored.includes(envelope), "the clinic has it")
        }
    })

    test(`${scheme}: observed, each new envelope comes`, { skip }, async t => {
        const { at, clinic } = await setUp(t, scheme)
        const { stdout } = await coap("-s", "4", `${at}/vitals`)
        const seen = clinic.stored.filter(envelope => stdout.toString("hex").includes(envelope))
        assert.ok(seen.length >= 3, `${seen.length} envelopes`)
    })

    test(`${scheme}: a configuration goes through, whole and in blocks; a forged one does not`, { skip }, async t => {
        const { at, keys } = await setUp(t, scheme)
        const file = join(temporaryFolder(t), "sealed")
        const put = (...more: string[]) => coap("-m", "put", "-t", "17", "-f", file, ...more, `${at}/config`)
        for (const [version, more] of [
            [1, []],
            [2, ["-b", "64"]],
        ] as const) {
            writeFileSync(file, makeConfig({ hrHigh: 150 }, version, keys, randomBytes))
            assert.equal((await put(...more)).stderr, "")
            const { stdout } = await coap("-A", "112", `${at}/config`)
            assert.equal(statusOf(stdout).get("config"), version)
        }
        writeFileSync(file, randomBytes(200))
        assert.match((await put()).stderr, /^4\.03 .*urn:vitalmote:refusal/)
    })

    test(`${scheme}: what cannot be is said in the RFC's codes`, { skip }, async t => {
        const { at, root } = await setUp(t, scheme)
        for (const [pattern, ...args] of [
            [/^4\.04/, `${at}/nowhere`],
            [/^4\.05/, "-m", "delete", `${at}/status`],
            [/^4\.06/, "-A", "50", `${at}/status`],
            [/^4\.02/, "-O", "2049,x", `${at}/status`],
            [/^5\.03 this mote is not connected/, `${root}/m/0000000000000000/status`],
            [/^5\.05/, "-P", root, "coap://example.org/x"],
        ] as const)
            assert.match((await coap(...args)).stderr, pattern)
    })

    test(`${scheme}: the resource directory`, { skip }, async t => {
        const { root, eui } = await setUp(t, scheme)
        const lookup = async (path: string, ...more: string[]) =>
            (await coap(...more, `${root}${path}`)).stdout.toString()
        assert.match(await lookup("/rd-lookup/ep"), new RegExp(`^</m/${eui}>;ep="${eui}"`))
        assert.equal(
            await lookup("/rd-lookup/res?rt=vitalmote.vitals", "-b", "32"),
            `<coap+tcp://${eui}/vitals>;rt="vitalmote.vitals";ct=17;obs;anchor="coap+tcp://${eui}"`,
        )
    })
}

test("HTTP: the motes, a mote's status in every format, its vitals, a configuration", async t => {
    const { running, eui, clinic, keys } = await realMote(t)
    const root = `http://127.0.0.1:${running.httpPort}`
    const get = async (path: string, accept?: string) => {
        const response = await fetch(root + path, accept ? { headers: { accept } } : {})
        const type = response.headers.get("content-type")
        return {
            status: response.status,
            type,
            headers: response.headers,
            body: Buffer.from(await response.arrayBuffer()),
        }
    }
    const page = await get("/", "text/html,*/*;q=0.8")
    assert.equal(page.type, "text/html; charset=utf-8")
    assert.match(page.body.toString(), /<title>VitalMote router<\/title>/)
    const list = JSON.parse((await get("/", "application/json")).body.toString()) as { eui: string }[]
    assert.deepEqual(
        list.map(mote => mote.eui),
        [eui],
    )
    const native = await get(`/m/${eui}/status`)
    assert.equal(native.type, "application/senml+cbor")
    assert.equal(statusOf(native.body).get("boot"), 1)
    for (const type of ["application/json", "application/senml+json"]) {
        const json = await get(`/m/${eui}/status`, type)
        assert.equal(json.type, type)
        const pack = JSON.parse(json.body.toString()) as { n: string; bn?: string; v?: number }[]
        assert.equal(pack[0]!.bn, `urn:dev:mac:${eui}_`)
        assert.equal(pack.find(({ n }) => n === "boot")!.v, 1)
        assert.match(json.headers.get("cache-control")!, /^max-age=[1-5]$/)
    }
    assert.match((await get(`/m/${eui}/status`, "text/html")).body.toString(), /<td>boot<\/td><td>1/)
    assert.equal((await get(`/m/${eui}/status`, "image/png")).status, 406)
    const vitals = await get(`/m/${eui}/vitals`)
    assert.equal(vitals.type, 'application/cose; cose-type="cose-mac0"')
    await until(() => clinic.stored.includes(vitals.body.toString("hex")), "the clinic has it")
    const put = async (body: Uint8Array, type: string) => {
        const headers = { "content-type": type }
        const response = await fetch(`${root}/m/${eui}/config`, { method: "PUT", body: Buffer.from(body), headers })
        const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json")
        const text = isProblem ? ((await response.json()) as { code: string }).code : await response.text()
        return `${response.status} ${text}`.trim()
    }
    const sealed = makeConfig({ hrHigh: 150 }, 5, keys, randomBytes)
    assert.equal(await put(sealed, "application/cose; cose-type=cose-mac0"), "204")
    assert.equal(await put(randomBytes(99), "application/coap-payload; cf=17"), "403 not-authentic")
    assert.equal(await put(sealed, "application/cbor"), "415 CoAP 4.15")
    assert.equal((await put(sealed, "image/png")).slice(0, 3), "415")
    assert.equal((await put(randomBytes(3000), "application/cbor")).slice(0, 3), "413")
    assert.equal((await put(randomBytes(1500), "application/octet-stream")).slice(0, 3), "413")
})

test("HTTP: a representation that the client has comes as 304, another media type does not; observed as events", async t => {
    const { running, eui, clinic } = await realMote(t)
    const root = `http://127.0.0.1:${running.httpPort}/m/${eui}`
    await until(() => clinic.stored.length > 0, "the mote has sent something")
    const config = async (headers: Record<string, string>) => {
        const response = await fetch(`${root}/config`, { headers: { accept: "application/json", ...headers } })
        return { status: response.status, etag: response.headers.get("etag")!, body: await response.text() }
    }
    const first = await config({})
    assert.match(first.etag, /^"[\w-]{22}"$/)
    for (const known of [first.etag, `W/${first.etag}`, `"other", ${first.etag}`, "*"]) {
        const again = await config({ "if-none-match": known })
        assert.deepEqual([again.status, again.body, again.etag], [304, "", first.etag], known)
    }
    const native = await config({ accept: "application/senml+cbor", "if-none-match": first.etag })
    assert.equal(native.status, 200)
    assert.notEqual(native.etag, first.etag)
    const cut = new AbortController()
    const stream = await fetch(`${root}/vitals`, { headers: { accept: "text/event-stream" }, signal: cut.signal })
    assert.equal(stream.headers.get("content-type"), "text/event-stream")
    let text = ""
    for await (const chunk of stream.body!) {
        text += Buffer.from(chunk).toString()
        if (text.includes("event: over") || (text.match(/event: notification/g) ?? []).length >= 2) break
    }
    cut.abort()
    assert.match(text, /^event: first\ndata: \{"code":"(2\.05|5\.03)"/)
    if (text.includes("event: over")) return // it was sealing its next envelope just then
    const [, payload] = /event: notification\ndata: .*?"payload":"([0-9a-f]+)"/.exec(text)!
    await until(() => clinic.stored.includes(payload!), "the clinic has what was observed")
})

test("HTTP: what cannot be is said in HTTP's codes", async t => {
    const { running, eui, lines } = await realMote(t)
    const root = `http://127.0.0.1:${running.httpPort}`
    const status = async (path: string, method = "GET") => (await fetch(root + path, { method })).status
    assert.equal(await status("/nowhere"), 404)
    assert.equal(await status(`/m/${eui}/nowhere`), 404)
    assert.equal(await status("/m/0000000000000000/status"), 503)
    assert.equal(await status("/m/UPPER/status"), 404)
    assert.equal(await status(`/m/${eui}/%ff%zz`), 400)
    assert.equal(await status(`/m/${eui}/status`, "POST"), 405)
    assert.equal(await status(`/m/${eui}/status`, "PATCH"), 405)
    assert.equal(await status(`/m/${eui}/status`, "HEAD"), 200)
    const long = `/m/${eui}/${"x".repeat(600)}`
    assert.equal(await status(long), 413, "longer than the mote takes")
    let last = 0
    for (let i = 0; i < 20 && last !== 429; i++) last = await status(`/m/${eui}/x?${i}`)
    assert.equal(last, 429)
    assert.ok(lines.includes("linked"))
})

test("HTTP: pages of other sites are kept out, whatever name they gave to our address", async t => {
    const { running, eui } = await realMote(t)
    const port = running.httpPort!
    const ask = (headers: Record<string, string>, method = "GET") =>
        new Promise<number>((resolve, reject) =>
            request({ port, host: "127.0.0.1", path: `/m/${eui}/nowhere`, method, headers })
                .on("response", response => resolve(response.resume().statusCode!))
                .on("error", reject)
                .end(),
        )
    for (const host of [
        `localhost:${port}`,
        "localhost.",
        "127.0.0.1",
        `[::1]:${port}`,
        "[fe80::1%25eth0]",
        hostname(),
    ])
        assert.equal(await ask({ host }), 404, host)
    for (const host of ["evil.example", `localhost.evil.example:${port}`, "localhost@evil", "[::1"])
        assert.ok([400, 421].includes(await ask({ host })), host)
    const host = `localhost:${port}`
    assert.equal(await ask({ host, origin: "http://evil.example" }), 403)
    assert.equal(await ask({ host, "sec-fetch-site": "cross-site" }, "POST"), 403)
    assert.equal(await ask({ host, "sec-fetch-site": "cross-site" }), 404, "a link leads here")
    assert.equal(await ask({ host, origin: `http://${host}` }), 404)
})
