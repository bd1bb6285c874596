import assert from "node:assert/strict"
import { after, before, beforeEach, test, type TestContext } from "node:test"
import { stepAt, totpAt } from "../../../clinic/people/totp.ts"
import type { ClaimRules } from "../../../clinic/sign-in/claims.ts"
import { Provider } from "../../../clinic/sign-in/provider.ts"
import { silentLog } from "../../../host/log.ts"
import { realClock } from "../../../host/clock.ts"
import { Service, type Answer } from "../service.ts"
import { clientId, LyingProvider } from "./lying-provider.ts"

const rules: ClaimRules = {
    ...{ userClaim: "preferred_username", linkClaim: "login", roleClaim: "groups", wardClaim: "groups" },
    roles: [
        { role: "doctor", value: "cn=doctors,ou=ward" },
        { role: "nurse", value: "nurses" },
    ],
    ...{ wards: [{ ward: "3 North", value: "ward-3" }], trustedAmr: ["mfa"], trustedAcr: [] },
}
const ends: (() => Promise<void> | void)[] = []
/** For what lasts as long as all tests here. */
const t = { after: (work: () => Promise<void> | void) => void ends.push(work) } as unknown as TestContext
let provider: LyingProvider
let service: Service

before(async () => {
    provider = await LyingProvider.start(t)
    const { issuer, ca } = provider
    service = await Service.start(realClock, {
        signIn: { openid: { issuer, clientId, clientSecret: "geheim", ca, name: "House", scope: "openid", rules } },
    })
})
after(async () => {
    await service.close()
    for (const end of ends.reverse()) await end()
})
beforeEach(() => {
    provider.claims = {}
    provider.userInfo = {}
    provider.signsWith = "its key"
    provider.instead.clear()
    provider.asked.length = 0
})

const cookiesOf = ({ headers }: Answer) => [headers["set-cookie"] ?? []].flat().map(each => each.split(";")[0]!)
const named = (answer: Answer, name: string) =>
    cookiesOf(answer).find(each => each.startsWith(`__Host-${name}=`) && !each.endsWith("="))

interface Begun {
    cookie: string
    state: string
    nonce: string
    redirectUri: string
}

async function begin(): Promise<Begun> {
    const answer = await service.call("GET", "/openid/start")
    assert.equal(answer.status, 303)
    const { searchParams, origin, pathname } = new URL(String(answer.headers.location))
    assert.equal(origin + pathname, `${provider.issuer}/authorize`)
    assert.equal(searchParams.get("code_challenge_method"), "S256")
    assert.equal(searchParams.get("response_type"), "code")
    const [state, nonce, redirectUri] = ["state", "nonce", "redirect_uri"].map(name => searchParams.get(name)!)
    return { cookie: named(answer, "sign-in")!, state: state!, nonce: nonce!, redirectUri: redirectUri! }
}

/** Comes back from the provider, as somebody who is a nurse unless the test says otherwise. */
async function finish(begun: Begun, query: Record<string, string> = {}, cookie = begun.cookie): Promise<Answer> {
    provider.claims = {
        sub: "s-1",
        preferred_username: "nora",
        groups: ["nurses"],
        nonce: begun.nonce,
        ...provider.claims,
    }
    provider.userInfo = { sub: provider.claims.sub!, ...provider.userInfo }
    const search = new URLSearchParams({ code: "c", state: begun.state, iss: provider.issuer, ...query })
    return await service.call("GET", `/openid/callback?${search}`, cookie === "" ? {} : { cookie })
}

async function walk(claims: object): Promise<Answer> {
    provider.claims = { ...claims }
    return await finish(await begin())
}

const me = (answer: Answer) => service.call("GET", "/api/me", { cookie: named(answer, "session") ?? "none=" })

/** The newest sign-ins in the audit record: outcome, why, who. */
async function recorded(count: number): Promise<unknown[]> {
    const { json } = await service.call("GET", "/fhir/AuditEvent", { token: service.administrator })
    type Event = {
        type: { code: string }
        outcome: string
        outcomeDesc?: string
        agent: { who: { display: string } }[]
    }
    return (json.entry as { resource: Event }[])
        .map(({ resource }) => resource)
        .filter(({ type }) => type.code === "110114")
        .slice(0, count)
        .map(({ outcome, outcomeDesc, agent }) => [outcome, outcomeDesc, agent[0]!.who.display])
}

/** No session, and the page says why. */
function assertRefused(answer: Answer, code: string, which = ""): void {
    assert.deepEqual([answer.status, answer.headers.location, which], [303, `/#problem=${code}`, which])
    assert.equal(named(answer, "session"), undefined, which)
}

test("somebody signs in: the account is made once, with role and wards of the claims, and follows them", async () => {
    const first = await walk({ sub: "ruth", preferred_username: "ruth", groups: ["nurses", "ward-3", 7] })
    assert.deepEqual([first.status, first.headers.location], [303, "/"])
    const set = [first.headers["set-cookie"] ?? []].flat().find(each => each.startsWith("__Host-session"))
    assert.match(String(set), /HttpOnly; Secure; SameSite=Strict/)
    const { json } = await me(first)
    assert.deepEqual([json.user, json.role, json.way, json.secondFactor], ["ruth", "nurse", "openid", false])
    const token = provider.asked.find(({ path }) => path === "/token")!
    const form = new URLSearchParams(token.body)
    const [, basic = ""] = token.authorization!.split(" ")
    assert.equal(decodeURIComponent(Buffer.from(basic, "base64").toString()), `${clientId}:geheim`)
    assert.match(form.get("code_verifier")!, /^[\w~.-]{43,128}$/)
    assert.equal(form.get("redirect_uri"), `${service.running.url}/openid/callback`)

    type Listed = { user: string; wards: unknown }
    const list = async () => (await service.get("/api/users")).json as Listed[]
    const users = async () => (await list()).length
    const wards = async () => (await list()).find(({ user }) => user === "ruth")!.wards
    assert.deepEqual(await wards(), ["3 North"])
    const before = await users()
    const second = await walk({ sub: "ruth", preferred_username: "renamed", groups: ["cn=doctors,ou=ward"] })
    assert.equal((await me(second)).json.role, "doctor", "the claims of today count")
    assert.equal((await me(second)).json.user, "ruth")
    assert.deepEqual([await users(), await wards()], [before, []])
    assertRefused(await walk({ sub: "ruth", groups: ["cooks"] }), "openid-no-role")
    assert.deepEqual(await recorded(3), [
        ["4", "openid-no-role", "unknown"],
        ["0", undefined, "ruth"],
        ["0", undefined, "ruth"],
    ])
    for (const answer of [first, second]) assert.equal((await me(answer)).status, 401, "her sessions are over")
})

test("roles: none, two and unknown ones are refused, and nobody becomes a doctor by default", async () => {
    for (const groups of [undefined, [], "", ["Nurses"], ["doctor"], [["nurses"]], { nurses: true }, "nurses "])
        assertRefused(await walk({ sub: "eve", preferred_username: "eve", groups }), "openid-no-role")
    assertRefused(
        await walk({ sub: "eve", preferred_username: "eve", groups: ["nurses", "cn=doctors,ou=ward"] }),
        "openid-two-roles",
    )
    for (const preferred_username of [undefined, "", "a\nb", "x".repeat(101), ["eve"]])
        assertRefused(
            await walk({ sub: "eve", preferred_username, groups: "nurses" }),
            "openid-no-name,preferred_username",
        )
    assertRefused(await walk({ sub: "eve", preferred_username: "doctor", groups: "nurses" }), "openid-taken")
})

test("an account that is there already is linked by the named claim, once, and keeps its role", async () => {
    const { doctor: token } = service
    await service.call("POST", "/api/users", { token, json: { user: "olga", role: "doctor", wards: "all" } })
    const linked = await walk({ sub: "o-1", login: "olga", groups: ["nurses"] })
    assert.deepEqual([(await me(linked)).json.user, (await me(linked)).json.role], ["olga", "doctor"])
    assert.equal((await me(await walk({ sub: "o-1", login: "whatever" }))).json.user, "olga")
    assertRefused(await walk({ sub: "o-2", login: "olga" }), "openid-taken")
    assertRefused(await walk({ sub: "o-3", login: "router", preferred_username: "router" }), "openid-taken")
    // Switched off, she stays out by every way, and her sessions end.
    const off = (active: boolean) => service.call("PUT", "/api/users/olga/active", { token, json: { active } })
    assert.equal((await off(false)).status, 204)
    assert.equal((await me(linked)).status, 401)
    assertRefused(await walk({ sub: "o-1" }), "account-off")
    assert.equal((await off(true)).status, 204)
    assert.equal((await me(await walk({ sub: "o-1" }))).status, 200)
})

test("wrong state, nonce, issuer, audience, signature, time: no session", async () => {
    const begun = await begin()
    assertRefused(await finish(begun, { state: "x".repeat(43) }), "openid-invalid")
    assertRefused(await finish(await begin(), { iss: "https://evil.example" }), "openid-invalid")
    const withoutIss = await begin()
    provider.claims = { nonce: withoutIss.nonce }
    const search = new URLSearchParams({ code: "c", state: withoutIss.state })
    const { cookie } = withoutIss
    assertRefused(await service.call("GET", `/openid/callback?${search}`, { cookie }), "openid-invalid")
    const past = Math.trunc(Date.now() / 1000) - 3600
    for (const claims of [
        { nonce: "another" },
        { nonce: undefined },
        { iss: "https://evil.example" },
        { aud: "another-client" },
        { aud: [clientId, "another"] },
        { exp: past },
        { exp: undefined },
        { nbf: past + 7200 },
        { sub: "" },
        { sub: undefined },
    ])
        assertRefused(await walk(claims), "openid-invalid", JSON.stringify(claims))
    for (const key of ["another key", "nothing"] as const) {
        provider.signsWith = key
        assertRefused(await walk({}), "openid-invalid")
    }
    provider.signsWith = "its key"
    assert.equal((await me(await walk({}))).status, 200, "and a correct one is let in")
})

test("a callback without its cookie, with another browser's, an old or a made-up one is refused without asking anybody", async () => {
    const [mine, theirs] = [await begin(), await begin()]
    provider.asked.length = 0
    assertRefused(await finish(mine, {}, ""), "sign-in-over")
    assertRefused(await finish(mine, {}, "__Host-sign-in=AAAA"), "sign-in-over")
    assertRefused(await finish(mine, {}, `${mine.cookie.slice(0, -8)}AAAAAAAA`), "sign-in-over")
    assertRefused(await finish(mine, {}, theirs.cookie), "openid-invalid")
    assert.deepEqual(provider.asked, [])
    // What was sealed for the second step does not pass for the first.
    assertRefused(await finish(mine, {}, mine.cookie.replace("sign-in", "sign-in-code")), "sign-in-over")
})

test("no query makes the clinic send a browser elsewhere, and what it refuses it does not repeat", async () => {
    for (const path of [
        "/openid/start?return_to=https://evil.example&redirect_uri=https://evil.example",
        "/openid/start//evil.example",
        "/openid/callback?error=access_denied&error_description=%3Cscript%3E&error_uri=https://evil.example",
        "/openid/callback?code=c&state=s&iss=https://evil.example",
        "/openid/sign-out?post_logout_redirect_uri=https://evil.example",
    ]) {
        const answer = await service.call("GET", path, { headers: { "x-forwarded-host": "evil.example" } })
        const { location } = answer.headers
        assert.doesNotMatch(`${String(location)}${answer.bytes.toString()}`, /evil|script/, path)
        if (location !== undefined) assert.match(String(location), new RegExp(`^(/#|${provider.issuer}/)`))
    }
    const begun = await begin()
    assertRefused(await finish(begun, { error: "access_denied", error_description: "<script>" }), "openid-refused")
})

test("a provider that is down, slow to end, huge, or sends somebody on: passwords still work", async () => {
    const huge = JSON.stringify({ access_token: "a".repeat(1_000_000), token_type: "Bearer" })
    const answers: [{ status?: number; body: string; headers?: Record<string, string> }, string][] = [
        [{ body: huge }, "openid-down"],
        [{ body: "{", headers: {} }, "openid-invalid"],
        [{ body: "<html>", headers: { "content-type": "text/html" } }, "openid-invalid"],
        [{ status: 302, body: "", headers: { location: "https://evil.example/" } }, "openid-invalid"],
        [{ status: 400, body: '{"error":"invalid_grant"}' }, "openid-invalid"],
        [{ status: 500, body: "" }, "openid-invalid"],
    ]
    for (const [instead, code] of answers) {
        provider.instead.set("/token", instead)
        assertRefused(await walk({}), code)
    }
    const { user, password } = service.credentials.doctor
    assert.match(await service.login(user, password), /^__Host-session=/)
})

test("a provider whose metadata is wrong, or which is not there, is not used", async () => {
    const { issuer, ca } = provider
    const openid = { issuer, clientId, ca, name: "House", scope: "openid", rules }
    const discover = (o: object = {}) =>
        new Provider({ ...openid, ...o }, { clock: realClock, log: silentLog }).discover()
    await discover()
    await assert.rejects(discover({ ca: undefined }), /certificate/)
    await assert.rejects(discover({ issuer: "https://localhost:1" }), /localhost:1/)
    await assert.rejects(discover({ issuer: `${issuer}/` }), /its issuer is/)
    for (const change of [
        { issuer: "https://evil.example" },
        { token_endpoint: undefined },
        { jwks_uri: undefined },
        { authorization_endpoint: "javascript:alert(1)" },
        { authorization_endpoint: "http://localhost/authorize" },
        { more: "x".repeat(1_000_000) },
    ]) {
        provider.instead.set("/.well-known/openid-configuration", {
            body: JSON.stringify({ ...provider.metadata(), ...change }),
        })
        await assert.rejects(discover(), JSON.stringify(change).slice(0, 80))
    }
    provider.instead.clear()
    const other = new Provider({ ...openid, issuer: "https://localhost:1" }, { clock: realClock, log: silentLog })
    await assert.rejects(other.begin("https://localhost/"), { problem: { code: "openid-down" } })
})

test("a second factor of one's own is asked for, unless the provider is trusted to have asked for one", async () => {
    const first = await walk({ sub: "wendy", preferred_username: "wendy" })
    const cookie = named(first, "session")!
    const own = { cookie, headers: { "sec-fetch-site": "same-origin" } }
    const made = await service.call("POST", "/api/me/second-factor", { ...own, json: {} })
    assert.equal(made.status, 201, "she has no password, and has just signed in")
    const secret = Buffer.from(
        [...(made.json.secret as string)]
            .map(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"))
            .join("")
            .match(/.{8}/g)!
            .map(byte => parseInt(byte, 2)),
    )
    const step = stepAt(Date.now())
    const confirmed = await service.call("PUT", "/api/me/second-factor", {
        ...own,
        json: { code: totpAt(secret, step) },
    })
    const [recovery] = confirmed.json.recoveryCodes as string[]

    const asked = await walk({ sub: "wendy", amr: ["pwd"] })
    assert.deepEqual([asked.status, asked.headers.location], [303, "/#code"])
    assert.equal(named(asked, "session"), undefined)
    const pending = named(asked, "sign-in-code")!
    const confirm = (code: string, cookie: string, site = "same-origin") =>
        service.call("POST", "/api/sign-in/code", { cookie, json: { code }, headers: { "sec-fetch-site": site } })
    assert.equal((await confirm("000000", pending)).status, 401)
    assert.equal((await confirm(recovery!, "none=")).status, 401)
    assert.equal((await confirm(recovery!, pending, "cross-site")).status, 403)
    const passed = await confirm(recovery!, pending)
    assert.deepEqual([passed.status, (await me(passed)).json.user], [204, "wendy"])
    assert.equal((await confirm(recovery!, pending)).status, 401, "once")
    // What the user info says of the authentication is not signed.
    provider.userInfo = { sub: "wendy", amr: ["mfa"] }
    assert.equal((await walk({ sub: "wendy" })).headers.location, "/#code")
    const trusted = await walk({ sub: "wendy", amr: ["pwd", "mfa"] })
    assert.deepEqual([trusted.headers.location, (await me(trusted)).json.user], ["/", "wendy"])
})

test("with password sign-in off only the emergency administrator has a password that works", async () => {
    const { issuer, ca } = provider
    const openid = { issuer, clientId, ca, name: "House", scope: "openid", rules }
    const strict = await Service.start(realClock, { signIn: { openid, passwordsOnlyFor: "root" } })
    try {
        const password = "correct horse battery"
        const { doctor: token } = strict
        for (const [user, role] of [
            ["root", "administrator"],
            ["admin", "administrator"],
        ])
            await strict.call("POST", "/api/users", { token, json: { user, role, password } })
        const login = async (user: string, password: string) => {
            const { status, json } = await strict.call("POST", "/api/login", { json: { user, password } })
            return [status, json.type?.split(":").pop()] as unknown[]
        }
        assert.deepEqual(await login("root", password), [200, undefined])
        const off = [401, "passwords-off"]
        assert.deepEqual(await login("root", "wrong"), off)
        assert.deepEqual(await login("admin", password), off)
        assert.deepEqual(await login("doctor", strict.credentials.doctor.password), off)
        assert.deepEqual(await login("nobody", password), off)
        const { json } = await strict.call("GET", "/api/sign-in")
        assert.deepEqual(json, { passwords: "emergency", passkeys: null, openid: { name: "House" } })
    } finally {
        await strict.close()
    }
})
