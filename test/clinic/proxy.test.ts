import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import { request } from "node:https"
import type { AddressInfo } from "node:net"
import { test, type TestContext } from "node:test"
import { UserError } from "../../host/errors.ts"
import { proxyCheck, publicAddress, withoutPrefix, type ProxyOptions } from "../../clinic/http/proxies.ts"
import { ManualClock } from "../support/clock.ts"
import { Service } from "./service.ts"

const publicHost = "ward.example"
const origin = `https://${publicHost}`

interface Answer {
    status: number
    text: string
    headers: Headers
}

/** A proxy as many are set up: it asks the clinic under its own name, and may say under which name it was asked itself. */
async function behindProxy(
    t: TestContext,
    proxies: ProxyOptions,
    change: (headers: IncomingHttpHeaders) => IncomingHttpHeaders = headers => headers,
): Promise<{ service: Service; ask: (method: string, path: string, o?: object) => Promise<Answer> }> {
    const service = await Service.start(new ManualClock(Date.now()), { proxies })
    const ca = readFileSync(service.running.caFile)
    const proxy: Server = createServer((incoming, outgoing) => {
        const headers = change({ ...incoming.headers, host: new URL(service.running.url).host })
        const onward = request(service.running.url + incoming.url!, { ca, method: incoming.method!, headers })
        onward.on("response", answer => {
            outgoing.writeHead(answer.statusCode!, answer.headers)
            answer.pipe(outgoing)
        })
        incoming.pipe(onward)
    })
    await new Promise<void>(resolve => proxy.listen(0, "127.0.0.1", resolve))
    t.after(async () => {
        proxy.closeAllConnections()
        proxy.close()
        await service.close()
    })
    const ask = async (method: string, path: string, o: { headers?: Record<string, string>; json?: object } = {}) => {
        const response = await fetch(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}`, {
            method,
            redirect: "manual",
            headers: { origin, ...(o.json && { "content-type": "application/json" }), ...o.headers },
            ...(o.json && { body: JSON.stringify(o.json) }),
        })
        return { status: response.status, text: await response.text(), headers: response.headers }
    }
    return { service, ask }
}

const forwarded = (headers: IncomingHttpHeaders) => ({ ...headers, "x-forwarded-host": publicHost })

async function login({ service, ask }: Awaited<ReturnType<typeof behindProxy>>, from?: string): Promise<number> {
    const { user, password } = service.credentials.doctor
    const headers = from === undefined ? {} : { origin: from }
    return (await ask("POST", "/api/login", { json: { user, password }, headers })).status
}

test("behind a proxy that changes Host nobody can log in, until the clinic is told its address", async t => {
    const untold = await behindProxy(t, {})
    assert.equal(await login(untold), 403)
    const told = await behindProxy(t, { baseUrl: `${origin}/` })
    assert.equal(await login(told), 200)
    assert.equal(await login(told, "https://evil.example"), 403)
    const metadata = await told.ask("GET", "/fhir/metadata")
    assert.match(metadata.text, /"url":"https:\/\/ward\.example\/fhir"/)
})

test("what a proxy says of its clients is believed of a trusted one only", async t => {
    const untrusted = await behindProxy(t, {}, forwarded)
    assert.equal(await login(untrusted), 403)
    const elsewhere = await behindProxy(t, { trustedProxies: ["10.0.0.0/8"] }, forwarded)
    assert.equal(await login(elsewhere), 403)
    const trusted = await behindProxy(t, { trustedProxies: ["127.0.0.0/8"] }, forwarded)
    assert.equal(await login(trusted), 200)
    assert.equal(await login(trusted, "https://evil.example"), 403)
})

test("behind a trusted proxy the limit of logins counts the clients apart", async t => {
    const clients = (trustedProxies: string[]) =>
        behindProxy(t, { baseUrl: origin, trustedProxies }, headers => ({
            ...headers,
            "x-forwarded-for": String(headers["x-client"]),
        }))
    const wrong = async ({ ask }: Awaited<ReturnType<typeof behindProxy>>, client: string) => {
        const json = { user: "doctor", password: "wrong" }
        return (await ask("POST", "/api/login", { json, headers: { "x-client": client } })).status
    }
    for (const [trusted, expected] of [
        [["127.0.0.1"], 401],
        [[], 429],
    ] as const) {
        const place = await clients([...trusted])
        for (let i = 0; i < 5; i++) assert.equal(await wrong(place, "192.0.2.1"), 401)
        assert.equal(await wrong(place, "192.0.2.1"), 429)
        assert.equal(await wrong(place, "192.0.2.2"), expected)
    }
})

test("under a path: whether the proxy takes it off or not, and the cookie is of that path only", async t => {
    const place = await behindProxy(t, { baseUrl: `${origin}/ward` })
    for (const path of ["/ward/", "/", "/ward/assets/app.js", "/ward/readyz"])
        assert.equal((await place.ask("GET", path)).status, 200, path)
    for (const path of ["/wards/", "/ward/ward/", "/ward/api/me/"])
        assert.notEqual((await place.ask("GET", path)).status, 200, path)
    const { user, password } = place.service.credentials.doctor
    const { headers } = await place.ask("POST", "/ward/api/login", { json: { user, password } })
    const cookie = String(headers.get("set-cookie"))
    assert.match(cookie, /^__Secure-session=[\w-]{43}; .*Path=\/ward\/; HttpOnly; Secure; SameSite=Strict$/)
    const me = await place.ask("GET", "/ward/api/me", { headers: { cookie: cookie.split(";")[0]! } })
    assert.equal(me.status, 200)
    assert.equal((await place.ask("GET", "/ward")).headers.get("location"), "/ward/")
    assert.match((await place.ask("GET", "/ward/fhir/metadata")).text, /"url":"https:\/\/ward\.example\/ward\/fhir"/)
    assert.equal(withoutPrefix("/wards/x", "/ward"), "/wards/x")
})

test("proxies and base URLs that are none are refused", () => {
    for (const network of ["", "ward", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1"])
        assert.throws(() => proxyCheck([network]), UserError, network)
    for (const url of [
        "",
        "ward.example",
        "http://ward.example",
        "https://ward.example/cli%20nic",
        "https://ward.example//clinic",
        "https://a@b",
        "https://a/?b",
    ])
        assert.throws(() => publicAddress(url), UserError, url)
    assert.deepEqual(publicAddress("https://Ward.example:8443"), { origin: "https://ward.example:8443", path: "" })
    assert.deepEqual(publicAddress("https://ward.example/a/b/"), { origin: "https://ward.example", path: "/a/b" })
    const isProxy = proxyCheck(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])
    for (const address of ["10.1.2.3", "192.0.2.1", "::ffff:10.1.2.3", "2001:db8::7"])
        assert.ok(isProxy(address), address)
    for (const address of ["11.0.0.1", "192.0.2.2", "2001:db9::7", "", "ward"]) assert.ok(!isProxy(address), address)
})

test("a setup link leads to where browsers see the clinic", async t => {
    for (const [proxies, start] of [
        [{ baseUrl: `${origin}/wards` }, `${origin}/wards/#setup=`],
        [{}, null],
    ] as const) {
        const service = await Service.start(new ManualClock(Date.now()), { proxies })
        t.after(() => service.close())
        const { json } = await service.call("POST", "/api/users/doctor/setup-link", { token: service.administrator })
        assert.equal(json.url, start && start + json.token)
    }
})
