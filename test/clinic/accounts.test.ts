import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { stepAt, totpAt } from "../../clinic/people/totp.ts"
import { ManualClock } from "../support/clock.ts"
import { Service } from "./service.ts"

const clock = new ManualClock(Date.now())
const password = "correct horse battery"
const minute = 60_000
let service: Service

before(async () => {
    service = await Service.start(clock, { proxies: { trustedProxies: ["127.0.0.1"] } })
})
after(() => service.close())

const admin = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token: service.doctor, ...(json !== undefined && { json }) })

/** From an address, as the trusted proxy says. */
const login = (user: string, word = password, address = "10.0.0.1", code?: string) =>
    service.call("POST", "/api/login", {
        json: { user, password: word, ...(code !== undefined && { code }) },
        headers: { "x-forwarded-for": address, "user-agent": `browser of ${user}` },
    })

const cookieOf = (answer: { headers: Record<string, string | string[] | undefined> }) =>
    String(answer.headers["set-cookie"]).split(";")[0]!

async function user(name: string, more: object = { password }): Promise<string> {
    assert.equal((await admin("POST", "/api/users", { user: name, role: "nurse", wards: "all", ...more })).status, 201)
    return name
}

test("a new user sets a password by a link, once, within a day; a later link replaces an earlier one", async () => {
    await user("nora", {})
    assert.equal((await login("nora")).status, 401, "nobody signs in without a password")
    const link = async () => (await admin("POST", "/api/users/nora/setup-link")).json.token as string
    const setup = (token: string, word = password) =>
        service.call("POST", "/api/setup", { json: { token, password: word } })
    const first = await link()
    const second = await link()
    assert.equal((await setup(first)).status, 401)
    assert.equal((await setup(second, "short")).status, 400)
    assert.equal((await setup(second)).status, 204)
    assert.equal((await setup(second)).status, 401, "once")
    const session = await login("nora")
    assert.equal(session.status, 200)

    const reset = await link()
    assert.equal((await login("nora")).status, 200, "until it is used, the password stays")
    clock.step(24 * 60 * minute)
    assert.equal((await setup(reset)).status, 401, "over")
    clock.step(-48 * 60 * minute)
    assert.equal((await setup(reset)).status, 401, "a clock that was set back makes none valid again")
    clock.step(24 * 60 * minute)
    const another = await link()
    assert.equal((await setup(another, "another long one")).status, 204)
    assert.equal((await service.call("GET", "/api/me", { cookie: cookieOf(session) })).status, 401, "sessions end")
    assert.equal((await login("nora", "another long one")).status, 200)
    assert.equal((await admin("POST", "/api/users/router/setup-link")).status, 400)
})

test("one's own password: the old one is needed; the other sessions end", async () => {
    await user("ruth")
    const [here, there] = [cookieOf(await login("ruth")), cookieOf(await login("ruth"))]
    const change = (word: string, cookie = here) =>
        service.call("PUT", "/api/me/password", {
            cookie,
            headers: ownPage(),
            json: { password: word, newPassword: "a new long password" },
        })
    assert.equal((await change("wrong")).status, 401)
    assert.equal((await change(password)).status, 204)
    assert.equal((await service.call("GET", "/api/me", { cookie: here })).status, 200)
    assert.equal((await service.call("GET", "/api/me", { cookie: there })).status, 401)
    assert.equal((await login("ruth")).status, 401)
    assert.equal((await login("ruth", "a new long password")).status, 200)
})

test("sessions are listed and ended, by oneself and by an administrator", async () => {
    await user("sara")
    const [here, there] = [cookieOf(await login("sara")), cookieOf(await login("sara"))]
    const { json } = await service.call("GET", "/api/me/sessions", { cookie: here })
    assert.deepEqual(json.map((s: { isThis: boolean; agent: string }) => [s.isThis, s.agent]).sort(), [
        [false, "browser of sara"],
        [true, "browser of sara"],
    ])
    const other = json.find((s: { isThis: boolean }) => !s.isThis) as { id: number }
    const end = (path: string) => service.call("DELETE", path, { cookie: here, headers: ownPage() })
    assert.equal((await end(`/api/me/sessions/${other.id}`)).status, 204)
    assert.equal((await end(`/api/me/sessions/${other.id}`)).status, 404)
    assert.equal((await service.call("GET", "/api/me", { cookie: there })).status, 401)
    assert.equal((await admin("GET", "/api/users/sara/sessions")).json.length, 1)
    assert.equal((await admin("DELETE", "/api/users/sara/sessions")).status, 204)
    assert.equal((await service.call("GET", "/api/me", { cookie: here })).status, 401)
})

test("tokens have names, rights and an end, and are revoked one by one; an integrator reads and does nothing else", async () => {
    await user("lab", { role: "integrator", wards: "all" })
    const token = async (json?: object) =>
        (await admin("POST", "/api/users/lab/tokens", json)).json as { id: number; token: string }
    const all = await token()
    const some = await token({ name: "dashboard", days: 30, actions: ["watch"] })
    const status = async (path: string, { token }: { token: string }, method = "GET") =>
        (await service.call(method, path, { token })).status
    assert.deepEqual([await status("/fhir/Patient", all), await status("/api/ward", all)], [200, 200])
    assert.deepEqual([await status("/api/users", all), await status("/api/patients", all)], [403, 403])
    assert.deepEqual([await status("/fhir/Patient", some), await status("/api/ward", some)], [403, 200])
    const { json } = await admin("GET", "/api/users/lab/tokens")
    assert.deepEqual(
        json.map((t: { name: string; actions: unknown; expiresAt: number; usedAt: number }) => [
            t.name,
            t.actions,
            t.expiresAt > t.usedAt,
        ]),
        [
            ["", null, false],
            ["dashboard", ["watch"], true],
        ],
    )
    assert.doesNotMatch(JSON.stringify(json), new RegExp(`${some.token}|hash`))
    clock.step(30 * 24 * 60 * minute)
    assert.equal(await status("/api/ward", some), 401, "over")
    clock.step(-30 * 24 * 60 * minute)
    assert.equal((await admin("DELETE", `/api/users/lab/tokens/${all.id}`)).status, 204)
    assert.equal((await admin("DELETE", `/api/users/nora/tokens/${some.id}`)).status, 404, "somebody else's")
    assert.deepEqual([await status("/api/ward", all), await status("/api/ward", some)], [401, 200])
    assert.equal((await admin("POST", "/api/users/lab/tokens", { actions: ["fly"] })).status, 400)
})

test("a limited token gives nothing that it does not have: no right, no user, no link, no time", async () => {
    const make = async (token: string, path: string, json: object) => await service.call("POST", path, { token, json })
    await admin("POST", "/api/users", { user: "door", role: "integrator", wards: "all" })
    const tokens = "/api/users/door/tokens"
    const limited = (
        await admin("POST", "/api/users/doctor/tokens", { actions: ["manage-users", "deliver"], days: 30 })
    ).json.token as string
    const refused = async (path: string, json: object) => {
        const { status, json: problem } = await make(limited, path, json)
        assert.deepEqual([status, problem.type], [403, "urn:vitalmote:problem:more-than-own"], JSON.stringify(json))
    }
    await refused(tokens, {})
    await refused(tokens, { actions: ["read"], days: 1 })
    await refused(tokens, { actions: ["manage-users"] })
    await refused(tokens, { actions: ["manage-users"], days: 31 })
    await refused("/api/users", { user: "eve", role: "administrator", password: "correct horse battery" })
    await refused("/api/users", { user: "eve", role: "router" }) // an account does not end
    await refused("/api/users/doctor/setup-link", {})
    const factor = await service.call("DELETE", "/api/users/doctor/second-factor", { token: limited })
    assert.equal(factor.status, 403)
    assert.equal((await make(limited, tokens, { actions: ["manage-users"], days: 29 })).status, 201)
    // What it is for, it does.
    assert.equal((await service.call("GET", "/api/users", { token: limited })).status, 200)
    const lasting = (await admin("POST", "/api/users/doctor/tokens", { actions: ["manage-users", "deliver"] })).json
        .token as string
    assert.equal((await make(lasting, "/api/users", { user: "attic", role: "router" })).status, 201)
    assert.equal((await make(lasting, "/api/users", { user: "eve", role: "nurse", wards: "all" })).status, 403)
})

test("limits: a wrong guesser shuts out nobody else on the ward, and nobody from where they sign in", async () => {
    for (const name of ["tina", "ulla", "vera"]) await user(name)
    const ward = "192.0.2.1"
    assert.equal((await login("ulla", password, ward)).status, 200)
    const statuses: number[] = []
    for (let n = 0; n < 8; n++) statuses.push((await login("tina", "wrong", ward)).status)
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429])
    assert.equal((await login("tina", password, ward)).status, 429, "this account from this address, right or wrong")
    assert.equal((await login("vera", password, ward)).status, 200, "others of the ward")
    assert.equal((await login("tina", password, "192.0.2.2")).status, 200, "the same account elsewhere")

    // Someone far away guesses an account from many addresses, and many accounts from one.
    for (let n = 0; n < 30; n++) await login("ulla", "wrong", `198.51.100.${n}`)
    assert.equal((await login("ulla", password, "198.51.100.99")).status, 429)
    assert.equal((await login("ulla", password, ward)).status, 200, "from where she has signed in before")
    for (let n = 0; n < 70; n++) await login(`nobody ${n}`, "wrong", ward)
    assert.equal((await login("one more", "wrong", ward)).status, 429)
    assert.equal((await login("vera", password, ward)).status, 200)
    await clock.advance(minute)
    assert.equal((await login("tina", password, ward)).status, 200)
    await clock.advance(15 * minute)
    assert.equal((await login("ulla", password, "198.51.100.99")).status, 200)
})

test("second factor: confirmed by a code, asked for at each login, no code twice; recovery codes work once", async () => {
    await user("wendy")
    const cookie = cookieOf(await login("wendy"))
    const own = (method: string, json: object) =>
        service.call(method, "/api/me/second-factor", { cookie, headers: ownPage(), json })
    assert.equal((await own("POST", { password: "wrong" })).status, 401)
    const { json: made } = await own("POST", { password })
    const secret = fromBase32(made.secret as string)
    const code = () => totpAt(secret, stepAt(clock.now()))
    assert.match(made.uri as string, /^otpauth:\/\/totp\/VitalMote%3Awendy\?secret=/)
    assert.equal((await login("wendy")).status, 200, "not before it is confirmed")
    assert.equal((await own("PUT", { code: "000000" === code() ? "111111" : "000000" })).status, 401)
    const { recoveryCodes } = (await own("PUT", { code: code() })).json as { recoveryCodes: string[] }
    assert.equal(new Set(recoveryCodes).size, 10)
    assert.equal((await own("POST", { password })).status, 409)

    const problem = async (code?: string) => {
        await clock.advance(minute)
        const { status, json } = await login("wendy", password, "10.0.0.1", code)
        return status === 200 ? 200 : String(json.type).split(":").at(-1)
    }
    assert.equal(await problem(), "needs-code")
    const stale = code()
    await clock.advance(2 * minute)
    assert.equal(await problem(stale), "bad-credentials")
    await clock.advance(minute)
    const fresh = code()
    const [first, again] = [
        await login("wendy", password, "10.0.0.1", fresh),
        await login("wendy", password, "10.0.0.1", fresh),
    ]
    assert.deepEqual([first.status, again.status], [200, 401], "the same code a second time")
    assert.equal(first.json.secondFactor, true)
    assert.equal(await problem(recoveryCodes[0]!.toLowerCase()), 200)
    assert.equal(await problem(recoveryCodes[0]), "bad-credentials")
    assert.equal((await admin("DELETE", "/api/users/wendy/second-factor")).status, 204)
    assert.equal(await problem(), 200)
})

function ownPage(): Record<string, string> {
    return { origin: service.running.url, "sec-fetch-site": "same-origin" }
}

function fromBase32(text: string): Buffer {
    const bits = [...text].map(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("")
    return Buffer.from(bits.match(/.{8}/g)!.map(byte => parseInt(byte, 2)))
}
