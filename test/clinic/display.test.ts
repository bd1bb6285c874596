import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { ManualClock } from "../support/clock.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"

const password = "correct horse battery"
const idleMs = 31 * 60_000
const clock = new ManualClock(Date.now()) // certificates are judged by the real time
let service: Service
let west: number
let east: number
let cookie: string
const as = (method: string, path: string, o: object = {}) => service.call(method, path, { cookie, ...o })
const doctor = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token: service.doctor, ...(json !== undefined && { json }) })

async function admit(family: string, ward: string): Promise<number> {
    const { json } = await doctor("POST", "/api/patients", { given: "A", family, ward })
    return json.id as number
}

before(async () => {
    service = await Service.start(clock)
    west = await admit("West", "3 West")
    east = await admit("East", "3 East")
    await doctor("POST", "/api/users", { user: "wall", role: "display", password, wards: ["3 West"] })
    cookie = await service.login("wall", password)
})
after(() => service.close())

test("a display has one ward", async () => {
    for (const wards of [undefined, [], ["a", "b"]]) {
        const { status, json } = await doctor("POST", "/api/users", { user: "w", role: "display", password, wards })
        assert.deepEqual([status, json.type], [400, "urn:vitalmote:problem:needs-ward"])
    }
    const { json } = await as("GET", "/api/me")
    assert.deepEqual([json.ward, json.permissions, json.endsInMs], ["3 West", ["use-session", "watch"], null])
})

test("a display sees its ward, also who comes later, and nothing else", async () => {
    const ids = async () => {
        const { json } = await as("GET", "/api/ward")
        return json.patients.map((p: { id: number }) => p.id) as number[]
    }
    assert.deepEqual(await ids(), [west])
    const later = await admit("Xu", "3 West")
    assert.deepEqual(await ids(), [west, later])
    const trends = await as("GET", `/api/ward/trends?from=${clock.now()}&steps=10&step=5`)
    assert.deepEqual(
        trends.json.patients.map((p: { patient: number }) => p.patient),
        [west, later],
    )
    assert.deepEqual((await as("GET", "/api/alarms")).json, [])
    for (const path of [
        ...[`/api/patients/${west}`, `/api/patients/${east}`, `/api/alarms?patient=${west}`, "/api/patients"],
        ...[`/api/patients/${west}/history?from=1&before=2&step=1`, "/api/motes", "/api/users", "/metrics"],
        ...["/fhir/Observation", "/fhir/Patient", `/fhir/Patient/${west}`, "/fhir/Device", "/ingest/keys"],
    ])
        assert.equal((await as("GET", path)).status, 403, path)
    const origin = service.running.url
    for (const [method, path, json] of [
        ["PUT", "/api/alarms/1", { acknowledged: true }],
        ["POST", "/api/patients", { given: "A", family: "B" }],
        ["DELETE", `/api/patients/${west}`, undefined],
    ] as const)
        assert.equal((await as(method, path, { headers: { origin }, ...(json && { json }) })).status, 403, path)
})

test("a display's session has no end, others say when theirs comes", async () => {
    const login = await service.call("POST", "/api/login", { json: { user: "wall", password } })
    const [, age] = /Max-Age=(\d+)/.exec(String(login.headers["set-cookie"])) ?? []
    assert.ok(Number(age) * 1000 > 300 * 86_400_000)
    const own = { user: "doctor", password: service.credentials.doctor.password }
    const session = await service.login(own.user, own.password)
    const { json } = await service.call("GET", "/api/me", { cookie: session })
    assert.equal(json.endsInMs, 12 * 3_600_000)
    await clock.advance(idleMs)
    assert.equal((await as("GET", "/api/ward")).status, 200)
    assert.equal((await service.call("GET", "/api/me", { cookie: session })).status, 401)
})

test("curves of everyone come in one answer, compressed for who takes that", async () => {
    const { mote } = await service.admit("Ada", "Beck")
    const start = Math.floor(clock.now() / 5000) * 5000 - 100_000
    const pack = [60, 62, 70].map((hr, i) => measurement("hr", hr, start + i * 2500))
    await service.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
    const path = `/api/ward/trends?from=${start + 1}&steps=360&step=5`
    const { json } = await doctor("GET", path)
    assert.deepEqual([json.from, json.stepMs], [start, 5000])
    const beck = json.patients.find((p: { hr: (number | null)[] }) => p.hr.some(value => value !== null))
    assert.deepEqual(beck.hr.slice(0, 3), [61, 70, null])
    assert.equal(beck.hr.length, 360)
    const packed = await service.call("GET", path, {
        ...{ token: service.doctor, headers: { "accept-encoding": "gzip" } },
    })
    assert.equal(packed.headers["content-encoding"], "gzip")
    assert.deepEqual(packed.json.patients, json.patients)
    assert.equal((await doctor("GET", `/api/ward/trends?from=1&steps=361&step=5`)).status, 400)
})
