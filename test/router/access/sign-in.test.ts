import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { Agent, request } from "undici"
import { silentLog } from "../../../host/log.ts"
import { pageUsers, startRouter, type Right } from "../../../router/index.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { MemoryClinic } from "../memory-clinic.ts"

const password = "correct horse battery"
const eui = "0000000000000001"

async function servedPage(t: TestContext) {
    const data = temporaryFolder(t)
    const running = await startRouter({
        ...{ data, coapPort: 0, udp: false, http: { port: 0 }, clinic: new MemoryClinic(), log: silentLog },
        page: { host: "127.0.0.1", port: 0, names: ["ward-router"] },
    })
    t.after(() => running.close())
    const ca = readFileSync(join(data, "page", "ca.pem"), "utf8")
    const dispatcher = new Agent({ connect: { ca, checkServerIdentity: () => undefined } })
    t.after(() => dispatcher.destroy())
    const root = `https://127.0.0.1:${running.pagePort}`
    const ask = async (
        method: "GET" | "POST" | "PUT" | "DELETE",
        path: string,
        { body, cookie, ...headers }: { body?: object; cookie?: string } & Record<string, unknown> = {},
    ) => {
        const response = await request(root + path, {
            ...{ dispatcher, method },
            headers: {
                ...(body && { "content-type": "application/json" }),
                ...(cookie !== undefined && { cookie }),
                ...(headers as Record<string, string>),
            },
            ...(body && { body: JSON.stringify(body) }),
        })
        return { status: response.statusCode, headers: response.headers, text: await response.body.text() }
    }
    const users = pageUsers(data)
    const add = async (name: string, right: Right) => {
        users.add(name, right)
        const link = users.addSetupLink(name).token
        assert.equal((await ask("POST", "/api/setup", { body: { link, password: "short" } })).status, 400)
        assert.equal((await ask("POST", "/api/setup", { body: { link, password } })).status, 200)
        assert.equal((await ask("POST", "/api/setup", { body: { link, password } })).status, 401)
    }
    const login = async (user: string, secret = password) => {
        const answer = await ask("POST", "/api/login", { body: { user, password: secret } })
        const [cookie = ""] = [answer.headers["set-cookie"] ?? ""].flat()
        return { ...answer, setCookie: cookie, cookie: cookie.split(";")[0]! }
    }
    return { running, ask, add, login, users, root }
}

test("without a login the page over HTTPS shows its form and nothing else", async t => {
    const { ask } = await servedPage(t)
    for (const path of ["/", "/assets/app.js", "/assets/app.css", "/livez", "/readyz"])
        assert.equal((await ask("GET", path, { accept: "text/html" })).status, 200, path)
    for (const [method, path] of [
        ["GET", "/api/state"],
        ["GET", "/api/observe?path=/"],
        ["GET", "/metrics"],
        ["GET", `/m/${eui}/status`],
        ["PUT", `/m/${eui}/config`],
        ["POST", "/api/request"],
        ["GET", "/no/such/thing"],
    ] as const) {
        assert.equal((await ask(method, path)).status, 401, path)
        assert.equal((await ask(method, path, { cookie: "__Host-router-session=guess" })).status, 401, path)
    }
    assert.equal((await ask("GET", "/", { accept: "application/json" })).status, 401)
    assert.equal((await ask("GET", "/livez", { host: "elsewhere.example" })).status, 421)
    assert.equal((await ask("GET", "/livez", { host: "ward-router" })).status, 200)
})

test("who may look gets no request through that may change a mote; who may change does", async t => {
    const { ask, add, login, users, root } = await servedPage(t)
    await add("viewer", "look")
    await add("tech", "change")
    assert.equal((await login("viewer", "wrong")).status, 401)
    const viewer = await login("Viewer")
    assert.equal(viewer.status, 200)
    assert.match(
        viewer.setCookie,
        /^__Host-router-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
    const tech = await login("tech")
    const state = await ask("GET", "/api/state", { cookie: viewer.cookie })
    assert.deepEqual((JSON.parse(state.text) as { visitor: unknown }).visitor, { name: "viewer", right: "look" })
    const asked = (method: string) => ({ method, path: `/m/${eui}/status`, options: [], payload: "" })
    const { cookie } = viewer
    assert.equal((await ask("POST", "/api/request", { cookie, body: asked("GET") })).status, 200)
    for (const method of ["PUT", "POST", "DELETE"]) {
        assert.equal((await ask("POST", "/api/request", { cookie, body: asked(method) })).status, 403, method)
        assert.equal((await ask("POST", "/api/request", { cookie: tech.cookie, body: asked(method) })).status, 200)
    }
    assert.equal((await ask("DELETE", `/m/${eui}/readings`, { cookie })).status, 403)
    assert.equal((await ask("DELETE", `/m/${eui}/readings`, { cookie: tech.cookie })).status, 503)
    // Another site's page, even with the cookie.
    for (const origin of ["https://elsewhere.example", root.replace("https", "http")])
        assert.equal(
            (await ask("POST", "/api/request", { cookie: tech.cookie, origin, body: asked("PUT") })).status,
            403,
        )
    assert.equal((await ask("POST", "/api/logout", { cookie: tech.cookie })).status, 204)
    assert.equal((await ask("GET", "/api/state", { cookie: tech.cookie })).status, 401)
    users.remove("viewer")
    assert.equal((await ask("GET", "/api/state", { cookie })).status, 401)
})

test("guesses are limited by account and address; on this machine's own port there is no login", async t => {
    const { add, login, ask, running } = await servedPage(t)
    await add("tech", "look")
    const statuses = []
    for (let n = 0; n < 7; n++) statuses.push((await login("tech", `wrong ${n}`)).status)
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429])
    assert.equal((await login("tech")).status, 429)
    assert.equal((await ask("POST", "/api/login", { body: { user: "tech", password: "x".repeat(500) } })).status, 400)
    const local = `http://127.0.0.1:${running.httpPort}`
    const state = (await (await fetch(`${local}/api/state`)).json()) as { visitor: unknown }
    assert.equal(state.visitor, null)
    assert.equal((await fetch(`${local}/api/login`, { method: "POST" })).status, 404)
})
