import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { request, type IncomingMessage } from "node:http"
import { request as httpsRequest } from "node:https"
import { afterEach, beforeEach, test } from "node:test"
import { sql } from "kysely"
import type { AuditEvent } from "../../../clinic/audit/event.ts"
import type { Store } from "../../../clinic/store/store.ts"
import { ManualClock } from "../../support/clock.ts"
import { until } from "../../support/until.ts"
import { Service } from "../service.ts"

const password = "correct horse battery"
const minute = 60_000
const hour = 60 * minute
let clock: ManualClock
let service: Service
let ada: number
let ken: number

beforeEach(async () => {
    clock = new ManualClock(Date.now()) // certificates are judged by the real time
    service = await Service.start(clock)
    ;({ patient: ada } = await service.admit("Ada", "Beck"))
    ;({ patient: ken } = await service.admit("Ken", "Ito"))
})
afterEach(() => service.close())

/** What has come into the record since the last time, in order, with what matters to a test. */
let seen = 0
async function news(): Promise<Partial<AuditEvent>[]> {
    const all = (await service.running.clinic.audit.search({ limit: 1000 })).reverse()
    const found = all.filter(({ id }) => id > seen)
    seen = all.at(-1)?.id ?? 0
    return found
}
const brief = async () =>
    (await news()).map(({ user, action, subject, outcome, patients }) =>
        [user, action, subject, outcome === "done" ? "" : outcome, patients!.join("+")].filter(Boolean).join(" "),
    )
const fresh = async () => void ((seen = 0), await news())

async function add(user: string, role: string, more: object = {}): Promise<string> {
    const json = { user, role, password, ...(role === "nurse" && { wards: "all" }), ...more }
    await service.call("POST", "/api/users", { token: service.administrator, json })
    return await service.login(user, password)
}

const store = () => (service.running.clinic as unknown as { o: { store: Store } }).o.store

test("a look says who, with what, whose data, when and from where", async () => {
    const cookie = await add("ruth", "nurse")
    await fresh()
    const at = clock.now()
    assert.equal((await service.call("GET", `/api/patients/${ada}/notes`, { cookie })).status, 200)
    const [event, ...more] = await news()
    assert.deepEqual(more, [])
    const { id: _, account, credential, ...rest } = event as AuditEvent & { id: number }
    assert.ok(account! > 0)
    assert.match(credential!, /^session \d+$/)
    assert.deepEqual(rest, {
        ...{ at, user: "ruth", role: "nurse", address: "127.0.0.1", subject: "notes", action: "look" },
        ...{ outcome: "done", patients: [ada], request: `GET /api/patients/${ada}/notes`, detail: null },
    })
})

test("a page that asks again and again counts once, and again after a pause of ten minutes or in the next shift", async () => {
    const cookie = await add("ruth", "nurse")
    await fresh()
    const look = (path: string) => service.call("GET", path, { cookie })
    for (let i = 0; i < 20; i++) {
        await look("/api/ward")
        await look(`/api/ward/trends?from=${clock.now()}&steps=1&step=5`)
        clock.step(9 * minute - 1)
        clock.step(-(9 * minute - 1)) // a clock that is set counts for nothing
    }
    assert.deepEqual(await brief(), [`ruth look ward ${ada}+${ken}`])
    await look(`/api/patients/${ada}`)
    await look(`/api/patients/${ken}`)
    await look(`/api/patients/${ada}`)
    assert.deepEqual(await brief(), [`ruth look patient ${ada}`, `ruth look patient ${ken}`])
    const { patient: eve } = await service.admit("Eve", "New")
    await fresh()
    await look("/api/ward")
    assert.deepEqual(await brief(), [`ruth look ward ${eve}`], "only who is new")
    await clock.advance(11 * minute)
    await look(`/api/patients/${ada}`)
    assert.deepEqual(await brief(), [`ruth look patient ${ada}`])
    clock.step(8 * hour)
    await look(`/api/patients/${ada}`)
    assert.deepEqual(await brief(), [`ruth look patient ${ada}`], "another shift")
})

test("every session and token counts by itself", async () => {
    const cookie = await add("ruth", "nurse")
    const other = await service.login("ruth", password)
    await fresh()
    for (const o of [{ cookie }, { cookie: other }, { token: service.doctor }, { cookie }])
        await service.call("GET", `/api/patients/${ada}`, o)
    const found = await news()
    assert.equal(found.length, 3)
    assert.equal(new Set(found.map(({ credential }) => credential)).size, 3)
})

test("a screen on the wall counts once per shift and patient", async () => {
    await service.call("PUT", `/api/patients/${ada}`, {
        ...{ token: service.doctor, json: { given: "Ada", family: "Beck", ward: "3 West" } },
    })
    const cookie = await add("wall", "display", { wards: ["3 West"] })
    await fresh()
    for (let i = 0; i < 3; i++) {
        await service.call("GET", "/api/ward", { cookie })
        await clock.advance(20 * minute)
    }
    const found = await brief()
    assert.ok(found.length >= 1 && found.length <= 2, "a shift may have ended in between")
    assert.deepEqual(found[0], `wall look ward ${ada}`)
    clock.step(8 * hour)
    await service.call("GET", "/api/ward", { cookie })
    await service.call("GET", "/api/ward", { cookie })
    assert.deepEqual(await brief(), [`wall look ward ${ada}`])
})

test("changes are there with what became of them; a refused one too", async () => {
    const cookie = await add("ruth", "nurse")
    await fresh()
    const headers = { origin: service.running.url }
    const call = async (method: string, path: string, json?: object) =>
        (await service.call(method, path, { cookie, headers, ...(json && { json }) })).status
    assert.equal(await call("POST", `/api/patients/${ada}/notes`, { text: "slept well" }), 201)
    assert.equal(await call("POST", "/api/patients", { given: "Eve", family: "New" }), 201)
    assert.equal(await call("PUT", `/api/patients/${ada}/news2/scale`, { scale: 2 }), 403)
    assert.equal(await call("POST", `/api/patients/${ada}/notes`, { text: "" }), 400)
    assert.equal(await call("DELETE", `/api/patients/${ken}`), 204)
    assert.equal(await call("POST", "/api/motes", { patient: ken }), 409)
    assert.deepEqual(await brief(), [
        `ruth add notes ${ada}`,
        `ruth add patient ${ken + 1}`,
        `ruth change news2 refused ${ada}`,
        `ruth add notes refused ${ada}`,
        `ruth remove patient ${ken}`,
        `ruth add motes refused ${ken}`,
    ])
})

test("refused looks: of another patient, of one who is not there, by somebody without the right; not without bound", async () => {
    const own = await add("ada", "patient", { patient: ada })
    await fresh()
    const look = async (path: string, o: object) => (await service.call("GET", path, o)).status
    assert.equal(await look(`/api/patients/${ken}`, { cookie: own }), 403)
    assert.equal(await look(`/fhir/Observation?patient=${ken}`, { cookie: own }), 403)
    assert.equal(await look(`/api/patients/4711`, { token: service.doctor }), 404)
    assert.equal(await look(`/api/patients/${ada}/notes`, { token: service.administrator }), 403)
    assert.deepEqual(await brief(), [
        `ada look patient refused ${ken}`,
        `ada look vital-signs refused ${ken}`,
        "doctor look patient refused 4711",
        `local look notes refused ${ada}`,
    ])
    for (let i = 0; i < 300; i++) await look(`/api/patients/${5000 + i}`, { token: service.doctor })
    const found = await news()
    assert.ok(found.length < 110, String(found.length))
    assert.deepEqual(found.at(-1)!.detail, { problem: "not-found", more: "not listed" })
})

test("what an integrator reads by FHIR is there, with each patient in it", async () => {
    await add("lab", "integrator").catch(() => {})
    await service.call("POST", "/api/users", {
        token: service.administrator,
        json: { user: "lab", role: "integrator", wards: "all" },
    })
    const { json } = await service.call("POST", "/api/users/lab/tokens", { token: service.administrator, json: null })
    const token = json.token as string
    await fresh()
    for (const path of ["/fhir/Patient", `/fhir/Observation?patient=${ken}`, "/fhir/Device", `/fhir/Patient/${ada}`])
        assert.equal((await service.call("GET", path, { token })).status, 200)
    assert.deepEqual(await brief(), [
        `lab look patient ${ada}+${ken}`,
        `lab look vital-signs ${ken}`,
        `lab look motes ${ada}+${ken}`,
    ])
})

/** A live stream, as far as it is open. */
async function live(token: string): Promise<IncomingMessage> {
    const ca = readFileSync(service.running.caFile)
    return await new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}` }
        const asked: ReturnType<typeof request> = httpsRequest(
            `${service.running.url}/api/live`,
            { ca, headers },
            resolve,
        )
        asked.on("error", reject).end()
    })
}

test("a live stream is one look; whoever comes later is in the record before the stream shows them", async () => {
    await fresh()
    const stream = await live(service.doctor)
    let text = ""
    stream.setEncoding("utf8").on("data", (part: string) => (text += part))
    await until(() => text.includes("event: alarms"), "the stream")
    assert.deepEqual(await brief(), [`doctor look ward ${ada}+${ken}`])
    for (let i = 0; i < 30; i++) await clock.advance(3000)
    assert.deepEqual(await brief(), [])
    const { patient, mote } = await service.admit("Eve", "New")
    await fresh()
    const { delivery, measurement } = await import("../support.ts")
    await service.ingest([delivery(mote.seal([measurement("hr", 77, clock.now())], clock.now()), clock.now())])
    await until(() => text.includes(`"patient":${patient}`), "the new patient")
    assert.deepEqual(await brief(), [`doctor look ward ${patient}`])
    stream.destroy()
})

test("a disk that takes nothing: who is at the bedside goes on looking, loudly; others and changes are refused; nothing is forgotten", async () => {
    const cookie = await add("ruth", "nurse")
    await service.call("POST", "/api/users", {
        token: service.administrator,
        json: { user: "lab", role: "integrator", wards: "all" },
    })
    const { json } = await service.call("POST", "/api/users/lab/tokens", { token: service.administrator, json: null })
    await fresh()
    const { db } = store()
    await sql`PRAGMA query_only = 1`.execute(db)
    assert.equal((await service.call("GET", `/api/patients/${ada}`, { cookie })).status, 200)
    const refused = await service.call("GET", `/fhir/Patient/${ada}`, { token: json.token as string })
    assert.deepEqual([refused.status, refused.json.resourceType], [503, "OperationOutcome"])
    const headers = { origin: service.running.url }
    const note = await service.call("POST", `/api/patients/${ada}/notes`, { cookie, headers, json: { text: "x" } })
    assert.equal(note.status, 503)
    const { conditions } = (await service.call("GET", "/api/ward", { cookie })).json
    assert.deepEqual(conditions, [{ code: "store-failed" }], "every page says so")
    await sql`PRAGMA query_only = 0`.execute(db)
    assert.deepEqual(await brief(), [])
    const seenAt = clock.now()
    await until(async () => {
        await clock.advance(1000)
        const found = await service.running.clinic.audit.search({ user: "ruth", limit: 3 })
        return found.some(({ action }) => action === "look")
    }, "the record")
    const found = (await news()).filter(({ user }) => user === "ruth")
    assert.deepEqual(
        found.map(({ action, subject, at }) => [action, subject, at]),
        [
            ["look", "patient", seenAt],
            ["look", "ward", seenAt],
        ],
        "with the time of the look",
    )
    const again = await service.call("GET", `/fhir/Patient/${ada}`, { token: json.token as string })
    assert.equal(again.status, 200)
    assert.deepEqual(await brief(), [`lab look patient ${ada}`], "it was not taken for one that is there")
})

test("a clinic that is killed between a change and its event knows of the change at the next start", async () => {
    await fresh()
    const { audit } = service.running.clinic
    const event: AuditEvent = {
        ...{ at: 5, account: 1, user: "ruth", role: "nurse", credential: "session 1", address: "::1" },
        ...{ subject: "notes", action: "add", outcome: "unknown", patients: [ada] },
        ...{ request: `POST /api/patients/${ada}/notes`, detail: null },
    }
    await audit.begin(event) // and no more is heard of it
    await audit.open()
    assert.deepEqual(await brief(), [`ruth add notes unknown ${ada}`, "start clinic"])
    assert.deepEqual(await store().audit.begun(), [])
})
