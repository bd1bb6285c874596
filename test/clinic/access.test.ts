import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { ManualClock } from "../support/clock.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"

const clock = new ManualClock(Date.now()) // certificates are judged by the real time
const password = "correct horse battery"
let service: Service
let own: number
let other: number
let patientToken: string
let nurseToken: string
let ownObservation: string
let otherObservation: string
let ownKid: string
let otherKid: string

before(async () => {
    service = await Service.start(clock)
    const observations: string[] = []
    const kids: string[] = []
    const ids: number[] = []
    for (const name of ["Own", "Other"]) {
        const { patient, mote } = await service.admit("A", name)
        const pack = [measurement("hr", 70, clock.now())]
        await service.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
        const { json } = await service.get(`/fhir/Observation?patient=${patient}`)
        ids.push(patient)
        kids.push(Buffer.from(mote.keys.kid).toString("hex"))
        observations.push(json.entry[0].resource.id as string)
    }
    ;[own, other] = ids as [number, number]
    ;[ownKid, otherKid] = kids as [string, string]
    ;[ownObservation, otherObservation] = observations as [string, string]
    const json = { user: "ada", role: "patient", password, patient: own }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    const made = await service.call("POST", "/api/users/ada/tokens", { token: service.doctor })
    patientToken = made.json.token as string
    const nurse = { user: "nora", role: "nurse", wards: "all", password }
    await service.call("POST", "/api/users", { token: service.doctor, json: nurse })
    const nurses = await service.call("POST", "/api/users/nora/tokens", { token: service.doctor })
    nurseToken = nurses.json.token as string
})
after(() => service.close())

test("who may do what", async () => {
    // method, path, then the status for nobody, a router, a patient, a nurse and a doctor
    const matrix: [string, string, number, number, number, number, number][] = [
        ["GET", "/", 200, 200, 200, 200, 200],
        ["GET", "/assets/app.js", 200, 200, 200, 200, 200],
        ["GET", "/favicon.svg", 200, 200, 200, 200, 200],
        ["GET", "/healthz", 200, 200, 200, 200, 200],
        ["GET", "/livez", 200, 200, 200, 200, 200],
        ["GET", "/readyz", 200, 200, 200, 200, 200],
        ["GET", "/fhir/metadata", 200, 200, 200, 200, 200],
        ["GET", "/metrics", 401, 403, 403, 403, 200],
        ["GET", "/nowhere", 401, 404, 404, 404, 404],
        ["GET", "/api/nowhere", 401, 404, 404, 404, 404],
        ["GET", "/fhir/Nothing", 401, 404, 404, 404, 404],
        ["DELETE", "/fhir/Patient/1", 401, 405, 405, 405, 405],
        ["GET", "/ingest/keys", 401, 200, 403, 403, 403],
        ["POST", "/ingest", 401, 400, 403, 403, 403],
        ["GET", "/api/me", 401, 403, 200, 200, 200],
        ["GET", "/api/ward", 401, 403, 200, 200, 200],
        ["GET", "/api/openapi.json", 401, 403, 200, 200, 200],
        ["GET", "/api/patients", 401, 403, 403, 200, 200],
        ["POST", "/api/patients", 401, 403, 403, 400, 400],
        ["GET", `/api/patients/${own}`, 401, 403, 200, 200, 200],
        ["GET", `/api/patients/${other}`, 401, 403, 403, 200, 200],
        ["GET", "/api/patients/999", 401, 403, 403, 404, 404],
        ["PUT", `/api/patients/${own}`, 401, 403, 403, 400, 400],
        ["DELETE", "/api/patients/999", 401, 403, 403, 404, 404],
        ["GET", `/api/patients/${own}/history?from=1&before=2&step=1`, 401, 403, 200, 200, 200],
        ["GET", `/api/patients/${other}/history?from=1&before=2&step=1`, 401, 403, 403, 200, 200],
        ["GET", "/api/motes", 401, 403, 403, 200, 200],
        ["POST", "/api/motes", 401, 403, 403, 400, 400],
        ["DELETE", "/api/motes/0000000000000000", 401, 403, 403, 404, 404],
        ["PUT", `/api/motes/${ownKid}/config`, 401, 403, 403, 403, 400],
        ["POST", `/api/motes/${ownKid}/commands`, 401, 403, 403, 403, 400],
        ["GET", `/api/motes/${ownKid}/config`, 401, 403, 200, 200, 200],
        ["GET", `/api/motes/${otherKid}/config`, 401, 403, 404, 200, 200],
        ["GET", "/api/motes/0000000000000000/config", 401, 403, 404, 404, 404],
        ["GET", "/api/alarms", 401, 403, 200, 200, 200],
        ["GET", `/api/alarms?patient=${other}`, 401, 403, 403, 200, 200],
        ["PUT", "/api/alarms/999", 401, 403, 403, 400, 400],
        ["GET", "/api/users", 401, 403, 403, 403, 200],
        ["POST", "/api/users", 401, 403, 403, 403, 400],
        ["DELETE", "/api/users/nobody", 401, 403, 403, 403, 404],
        ["DELETE", "/api/users/doctor", 401, 403, 403, 403, 409],
        ["POST", "/api/users/nobody/tokens", 401, 403, 403, 403, 404],
        ["GET", "/fhir/Observation", 401, 403, 200, 200, 200],
        ["GET", `/fhir/Observation?patient=${own}`, 401, 403, 200, 200, 200],
        ["GET", `/fhir/Observation?patient=${other}`, 401, 403, 403, 200, 200],
        ["GET", `/fhir/Observation?patient=${own},${other}`, 401, 403, 403, 200, 200],
        ["GET", `/fhir/Observation?subject=Patient/${other}`, 401, 403, 403, 200, 200],
        ["GET", `/fhir/Observation/${ownObservation}`, 401, 403, 200, 200, 200],
        ["GET", `/fhir/Observation/${otherObservation}`, 401, 403, 404, 200, 200],
        ["GET", "/fhir/Observation/999999", 401, 403, 404, 404, 404],
        ["GET", "/fhir/Patient", 401, 403, 200, 200, 200],
        ["GET", `/fhir/Patient?_id=${other}`, 401, 403, 403, 200, 200],
        ["GET", `/fhir/Patient/${own}`, 401, 403, 200, 200, 200],
        ["GET", `/fhir/Patient/${other}`, 401, 403, 403, 200, 200],
        ["GET", "/fhir/Patient/999", 401, 403, 403, 404, 404],
        ["GET", "/fhir/Device", 401, 403, 200, 200, 200],
        ["GET", `/fhir/Device?patient=${other}`, 401, 403, 403, 200, 200],
        ["GET", `/fhir/Device/${ownKid}`, 401, 403, 200, 200, 200],
        ["GET", `/fhir/Device/${otherKid}`, 401, 403, 404, 200, 200],
    ]
    const tokens = [undefined, service.router, patientToken, nurseToken, service.doctor]
    for (const [method, path, ...expected] of matrix) {
        const answers = await Promise.all(
            tokens.map(token => service.call(method, path, token === undefined ? {} : { token })),
        )
        assert.deepEqual(
            answers.map(answer => answer.status),
            expected,
            `${method} ${path}`,
        )
        for (const { status, json } of answers)
            if (status >= 400 && path.startsWith("/fhir")) assert.equal(json.resourceType, "OperationOutcome")
    }
})

test("lists hold nobody else's data", async () => {
    const get = async (path: string) => (await service.call("GET", path, { token: patientToken })).json
    const ids = (bundle: { entry: { resource: { id: string } }[] }) => bundle.entry.map(e => e.resource.id)
    assert.deepEqual(ids(await get("/fhir/Observation")), [ownObservation])
    assert.deepEqual(ids(await get("/fhir/Patient")), [String(own)])
    assert.deepEqual(ids(await get("/fhir/Device")), [ownKid])
    const { patients } = await get("/api/ward")
    assert.deepEqual(
        patients.map((p: { id: number }) => p.id),
        [own],
    )
})

test("a session says what one may do", async () => {
    const me = async (token: string) => (await service.call("GET", "/api/me", { token })).json
    assert.deepEqual(await me(patientToken), {
        ...{ user: "ada", role: "patient", patient: own },
        ward: null,
        wards: null,
        permissions: ["use-session", "watch", "read", "read-audit"],
        endsInMs: null,
        secondFactor: false,
        way: null,
        hasPassword: true,
        passkeyFactor: false,
        timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    })
    const { permissions } = await me(nurseToken)
    assert.ok(permissions.includes("acknowledge") && !permissions.includes("configure"))
})

test("a session lives in a cookie that scripts and other sites cannot use, and ends", async () => {
    const { password: doctorPassword } = service.credentials.doctor
    const login = (user: string, word: string) => service.call("POST", "/api/login", { json: { user, password: word } })
    const good = await login("doctor", doctorPassword)
    assert.equal(good.status, 200)
    const setCookie = String(good.headers["set-cookie"])
    assert.match(setCookie, /^__Host-session=[\w-]{43}; /)
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"])
        assert.ok(setCookie.includes(attribute), attribute)
    const cookie = setCookie.split(";")[0]!

    const wrong = await login("doctor", "wrong")
    const nobody = await login("nobody", "wrong")
    const router = await login("router", "")
    assert.deepEqual([wrong.status, nobody.status, router.status], [401, 401, 400])
    assert.deepEqual(wrong.json, nobody.json)

    const me = async () => (await service.call("GET", "/api/me", { cookie })).status
    assert.equal(await me(), 200)
    const logout = async (headers: Record<string, string>) =>
        (await service.call("POST", "/api/logout", { cookie, headers })).status
    assert.equal(await logout({ origin: "https://evil.example" }), 403)
    assert.equal(await logout({ origin: "null" }), 403)
    assert.equal(await logout({ "sec-fetch-site": "cross-site" }), 403)
    assert.equal(await me(), 200)
    assert.equal(await logout({ origin: service.running.url }), 204)
    assert.equal(await me(), 401)
})

test("sessions end by idleness, tokens with their user", async () => {
    const idle = await service.login("ada", password)
    await clock.advance(31 * 60_000)
    assert.equal((await service.call("GET", "/api/me", { cookie: idle })).status, 401)

    const json = { user: "bob", role: "patient", password, patient: other }
    const users = { token: service.doctor }
    await service.call("POST", "/api/users", { ...users, json })
    const { token } = (await service.call("POST", "/api/users/bob/tokens", users)).json
    const session = await service.login("bob", password)
    const both = async () => [
        (await service.call("GET", "/api/me", { token })).status,
        (await service.call("GET", "/api/me", { cookie: session })).status,
    ]
    assert.deepEqual(await both(), [200, 200])
    assert.equal((await service.call("DELETE", "/api/users/bob", users)).status, 204)
    assert.deepEqual(await both(), [401, 401])
})

test("users: names are unique, roles get what they need and nothing else", async () => {
    const post = async (json: object) => {
        const answer = await service.call("POST", "/api/users", { token: service.doctor, json })
        return answer.status
    }
    assert.equal(await post({ user: "ada", role: "doctor", wards: "all", password }), 409)
    assert.equal(await post({ user: "x", role: "doctor", password: "short" }), 400)
    assert.equal(await post({ user: "x", role: "patient", password }), 400)
    assert.equal(await post({ user: "x", role: "nurse", wards: "all", password, patient: own }), 400)
    assert.equal(await post({ user: "x", role: "patient", password, patient: 999 }), 409)
    assert.equal(await post({ user: "x", role: "router", password }), 400)
    assert.equal(await post({ user: "x", role: "king", password }), 400)
    assert.equal(await post({ user: "ward router", role: "router" }), 201)
    const { json } = await service.get("/api/users")
    assert.ok(json.some((u: { user: string }) => u.user === "ward router"))
    assert.doesNotMatch(JSON.stringify(json), /password|hash|argon/)
})

test("logins are limited, for right and wrong passwords alike", async () => {
    const { user, password } = service.credentials.doctor
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
        const json = { user, password: i < 11 ? "wrong" : password }
        statuses.push((await service.call("POST", "/api/login", { json })).status)
    }
    assert.deepEqual([...new Set(statuses)].sort(), [401, 429])
    assert.equal(statuses.at(-1), 429)
})
