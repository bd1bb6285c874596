import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, type TestMote } from "../support/mote.ts"
import { EventReader } from "./event-reader.ts"
import { Service } from "./service.ts"
import { delivery, measurement } from "./support.ts"

const password = "correct horse battery"
const reason = "Reanimation auf der Station"
const minuteMs = 60_000
const clock = new ManualClock(Date.now()) // certificates are judged by the real time
let service: Service
/** Of a nurse of 3 West, and of an administrator. */
let ruth: string
let root: string
let mote: TestMote
let east: number
let alarm: number

type Json = Record<string, unknown>
const admin = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token: service.administrator, ...(json !== undefined && { json }) })
const as = (cookie: string) => (method: string, path: string, json?: unknown) =>
    service.call(method, path, {
        ...{ cookie, headers: { origin: service.running.url } },
        ...(json !== undefined && { json }),
    })
const asRuth = (method: string, path: string, json?: unknown) => as(ruth)(method, path, json)
const asRoot = (method: string, path: string, json?: unknown) => as(root)(method, path, json)
const codeOf = ({ json }: { json: Json }) => String(json.type).replace("urn:vitalmote:problem:", "")
const open = (whom: Json, o: Json = {}) => asRuth("POST", "/api/break-glass", { whom, reason, ...o })
const status = async () => (await asRuth("GET", `/api/patients/${east}`)).status

async function closeAll(): Promise<void> {
    const { json } = await asRuth("GET", "/api/break-glass")
    for (const { id } of json as { id: number }[])
        assert.equal((await asRuth("DELETE", `/api/break-glass/${id}`)).status, 204)
    assert.equal(await status(), 404)
}

before(async () => {
    service = await Service.start(clock)
    ;({ patient: east, mote } = await service.admit("Zoë", "East"))
    const data = { ward: "3 East", bed: "12", birthDate: "1950-02-01", identifier: "H-4711" }
    const json = { given: "Zoë", family: "East", ...data }
    await service.call("PUT", `/api/patients/${east}`, { token: service.doctor, json })
    const now = clock.now()
    await service.ingest([
        delivery(mote.seal([measurement("hr", 72, now - 1000)], now), now),
        delivery(mote.sealAlarms([alarmEvent("hr-high", true, now - 500, { value: 171 })], now), now, "alarm"),
    ])
    const alarms = await service.get(`/api/alarms?patient=${east}`)
    alarm = alarms.json[0].id as number
    for (const json of [
        { user: "ruth", role: "nurse", password, wards: ["3 West"] },
        { user: "root", role: "administrator", password },
        { user: "zoe", role: "patient", password, patient: east },
        { user: "wall", role: "display", password, wards: ["3 West"] },
        { user: "lab", role: "integrator", wards: ["3 West"] },
    ])
        assert.equal((await admin("POST", "/api/users", json)).status, 201)
    ruth = await service.login("ruth", password)
    root = await service.login("root", password)
})
after(() => service.close())

test("a patient of another ward is opened by bed, number, name or mote, and by nothing that is not all right", async () => {
    assert.equal(await status(), 404)
    const name = { family: "east", given: "zoe", birthDate: "1950-02-01" }
    for (const whom of [
        { ward: "3 east", bed: "12" },
        { identifier: "H-4711" },
        name,
        { mote: mote.eui },
        { patient: east },
    ]) {
        const { status: made, json } = await open(whom)
        assert.equal(made, 201, JSON.stringify(whom))
        assert.equal(json.patient, east)
        assert.equal(json.opening.endsAt, Math.trunc(clock.now()) + 60 * minuteMs)
        assert.equal(await status(), 200)
        await closeAll()
    }
    for (const whom of [
        { ward: "3 East", bed: "1" },
        { identifier: "H-471" },
        { ...name, birthDate: "1950-02-02" },
        { ...name, given: "Z" },
        { mote: "00000000000000aa" },
        { patient: 999 },
    ])
        assert.deepEqual([(await open(whom)).status, await status()], [404, 404], JSON.stringify(whom))
    for (const whom of [{}, { family: "East" }, { ward: "3 East" }, { bed: "12" }, { ...name, bed: "12" }])
        assert.equal((await open(whom)).status, 400, JSON.stringify(whom))
})

test("somebody who fits twice is asked for in another way", async () => {
    const twin = await service.admit("Zoë", "East")
    const data = { birthDate: "1950-02-01", confirmed: ["patient-known"] }
    const json = { given: "Zoë", family: "East", ...data }
    await service.call("PUT", `/api/patients/${twin.patient}`, { token: service.doctor, json })
    assert.equal(codeOf(await open({ family: "East", given: "Zoë", birthDate: "1950-02-01" })), "more-than-one")
    await service.call("DELETE", `/api/patients/${twin.patient}`, { token: service.doctor })
    assert.equal((await open({ patient: twin.patient })).status, 404, "who is discharged is no emergency")
})

test("without a reason that somebody can read, nobody is opened, nor for longer than a shift", async () => {
    for (const wrong of ["", "ok", "     ", "......", "12345678", "line\nline\nline", "x".repeat(301)])
        assert.equal((await open({ patient: east }, { reason: wrong })).status, 400, JSON.stringify(wrong))
    for (const minutes of [0, 4, 481, 1.5, "60"])
        assert.equal((await open({ patient: east }, { minutes })).status, 400, String(minutes))
    assert.equal((await asRuth("POST", "/api/break-glass", { whom: { patient: east } })).status, 400)
    assert.equal(await status(), 404)
})

test("roles that may not, and tokens, open nobody", async () => {
    const json = { whom: { patient: east }, reason }
    const token = (await admin("POST", "/api/users/ruth/tokens", {})).json.token as string
    for (const other of [token, service.administrator, service.router, service.doctor])
        assert.equal(codeOf(await service.call("POST", "/api/break-glass", { token: other, json })), "forbidden")
    for (const user of ["root", "zoe", "wall"]) {
        const cookie = await service.login(user, password)
        assert.equal(codeOf(await as(cookie)("POST", "/api/break-glass", json)), "forbidden", user)
    }
    // What a person has opened, the person's tokens do not see.
    await open({ patient: east })
    assert.equal((await service.call("GET", `/api/patients/${east}`, { token })).status, 404)
    assert.equal(codeOf(await asRuth("GET", "/api/break-glass/openings")), "forbidden")
    assert.equal(codeOf(await asRuth("PUT", "/api/break-glass/openings/1/review")), "forbidden")
    // Nor does anybody else, who cannot end it either.
    await admin("POST", "/api/users", { user: "otto", role: "doctor", password, wards: ["3 West"] })
    const asOtto = as(await service.login("otto", password))
    assert.equal((await asOtto("GET", `/api/patients/${east}`)).status, 404)
    const [{ id }] = (await asRuth("GET", "/api/break-glass")).json
    assert.equal((await asOtto("DELETE", `/api/break-glass/${id}`)).status, 404)
    await closeAll()
    // For who sees everybody there is nothing to open.
    await admin("PUT", "/api/users/otto/wards", { wards: "all" })
    const seen = await asOtto("POST", "/api/break-glass", json)
    assert.deepEqual([seen.status, seen.json], [201, { patient: east, opening: null }])
})

test("what is opened is worked with, the ward it is on is not", async () => {
    await open({ patient: east })
    const { json: ward } = await asRuth("GET", "/api/ward")
    assert.deepEqual(
        ward.patients.map(({ id }: { id: number }) => id),
        [east],
    )
    assert.equal((await asRuth("POST", `/api/patients/${east}/notes`, { text: "ROSC" })).status, 201)
    assert.equal((await asRuth("PUT", `/api/alarms/${alarm}`, { pauseMinutes: 2 })).status, 200)
    assert.equal((await asRuth("GET", `/fhir/Observation?patient=${east}`)).json.entry.length, 1)
    assert.equal((await asRuth("DELETE", `/api/patients/${east}`)).status, 404)
    assert.equal((await asRuth("DELETE", `/api/motes/${mote.eui}/association`)).status, 404)
    assert.equal((await asRuth("GET", "/api/wards/3%20East/alarms")).status, 403)
    assert.deepEqual((await asRuth("GET", "/api/patients")).json, [])
    await closeAll()
})

test("an opening ends by the clinic's clock, and is longer where it is opened again", async () => {
    await open({ patient: east }, { minutes: 5 })
    await clock.advance(5 * minuteMs - 1)
    assert.equal(await status(), 200)
    await open({ patient: east }, { minutes: 5 })
    assert.equal((await asRuth("GET", "/api/break-glass")).json.length, 1)
    await clock.advance(5 * minuteMs - 1)
    assert.equal(await status(), 200)
    await clock.advance(1)
    assert.equal(await status(), 404)
    assert.deepEqual((await asRuth("GET", "/api/break-glass")).json, [])
})

test("an open stream shows the opened patient at once, and nothing more when it is over", async () => {
    // Others, such as that of a silent router, are everybody's.
    const showsAlarm = (event: { data: Json } | undefined) => (event?.data.open as number[]).includes(alarm)
    const arrive = async (value: number) => {
        const now = clock.now()
        await service.ingest([delivery(mote.seal([measurement("hr", value, now)], now), now)])
        await clock.advance(1000)
    }
    const { json } = await asRuth("GET", "/api/ward")
    const path = `/api/live?since=${json.newestId}`
    const stream = await EventReader.open(service, path, { cookie: ruth }, ["alarms", "observation"])
    assert.equal(showsAlarm((await stream.next(1))[0]), false)
    await open({ patient: east }, { minutes: 5 })
    assert.equal(showsAlarm((await stream.next(1))[0]), true)
    await arrive(80)
    assert.equal((await stream.next(1))[0]?.data.value, 80)
    await clock.advance(5 * minuteMs - 1000)
    assert.equal(showsAlarm((await stream.next(1))[0]), false)
    await arrive(81)
    await admin("DELETE", `/api/users/ruth/sessions`)
    await clock.advance(3000)
    assert.deepEqual(await stream.next(1), [], "it ends, and nothing came")
    ruth = await service.login("ruth", password)
})

test("who is switched off has nothing open when they are back", async () => {
    await open({ patient: east })
    assert.equal(await status(), 200)
    await admin("PUT", "/api/users/ruth/active", { active: false })
    assert.equal(await status(), 401)
    await admin("PUT", "/api/users/ruth/active", { active: true })
    ruth = await service.login("ruth", password)
    assert.equal(await status(), 404)
})

interface Resource {
    action: string
    outcome: string
    subtype: { system: string; code: string }[]
    purposeOfEvent?: { coding: { system: string; code: string }[] }[]
    entity?: { name?: string; what?: { reference: string }; detail?: { type: string; valueString: string }[] }[]
}
const events = async (query: string, call = asRoot): Promise<Resource[]> =>
    ((await call("GET", `/fhir/AuditEvent?_count=200&${query}`)).json.entry ?? []).map(
        ({ resource }: { resource: Resource }) => resource,
    )
const subjectOf = ({ subtype }: Resource) => subtype.find(({ system }) => system.endsWith("audit-subject"))?.code
const isBreakGlass = ({ purposeOfEvent = [] }: Resource) =>
    purposeOfEvent.some(({ coding }) =>
        coding.some(
            ({ system, code }) => system === "http://terminology.hl7.org/CodeSystem/v3-ActReason" && code === "BTG",
        ),
    )
const said = ({ entity = [] }: Resource) =>
    Object.fromEntries(entity.flatMap(({ detail = [] }) => detail.map(d => [d.type, d.valueString])))

test("the record has the opening with its reason, every look and change by it, and its end; the patient sees that, too", async () => {
    await clock.advance(minuteMs)
    const { json } = await open({ patient: east }, { minutes: 20 })
    const opening = String(json.opening.id)
    const since = new Date(clock.now()).toISOString()
    await asRuth("GET", `/api/patients/${east}`)
    await asRuth("GET", "/api/ward")
    await asRuth("POST", `/api/patients/${east}/notes`, { text: "stable" })
    await clock.advance(minuteMs)
    await closeAll()
    const found = (await events(`patient=${east}&agent=ruth&date=ge${since}`)).filter(isBreakGlass)
    assert.deepEqual(found.map(event => [event.action, subjectOf(event), said(event).opening]).reverse(), [
        ["C", "break-glass", opening],
        ["R", "patient", opening],
        ["R", "ward", opening],
        ["C", "notes", opening],
        ["D", "break-glass", opening],
    ])
    assert.equal(said(found.at(-1)!).reason, reason)
    assert.equal(said(found.at(-1)!).minutes, "20")
    const asZoe = as(await service.login("zoe", password))
    const own = (await events(`date=ge${since}`, asZoe)).filter(isBreakGlass)
    assert.equal(own.length, 5)
    assert.doesNotMatch(JSON.stringify(own), new RegExp(reason), "the reason is for who reviews it")
    const refused = (await events("agent=ruth&outcome=4")).filter(event => subjectOf(event) === "break-glass")
    assert.ok(refused.length > 0, "attempts are in the record")
    assert.ok(!refused.some(isBreakGlass))
})

test("a look counts anew where it is by another right", async () => {
    const to = (ward: string) =>
        service.call("PUT", `/api/patients/${east}`, {
            ...{ token: service.doctor, json: { given: "Zoë", family: "East", ward, bed: "12" } },
        })
    await clock.advance(minuteMs)
    const since = new Date(clock.now()).toISOString()
    await to("3 West")
    assert.equal(await status(), 200)
    await to("3 East")
    await open({ patient: east })
    assert.equal(await status(), 200)
    const looks = (await events(`patient=${east}&agent=ruth&date=ge${since}`)).filter(
        event => event.action === "R" && subjectOf(event) === "patient",
    )
    assert.deepEqual(looks.map(isBreakGlass), [true, false])
    await closeAll()
})

test("administrators review what was opened; the first review stays, and the number of what waits goes down", async () => {
    const waiting = async () => {
        const { bytes } = await asRoot("GET", "/metrics")
        return Number(/^vitalmote_clinic_break_glass_unreviewed (\d+)$/m.exec(bytes.toString())?.[1])
    }
    const { json: before } = await asRoot("GET", "/api/break-glass/openings")
    assert.equal(before.openings.length, await waiting())
    assert.ok(before.isWhole)
    const [newest, second] = before.openings
    assert.deepEqual([newest.user, newest.patient, newest.reason, newest.reviewedAt], ["ruth", east, reason, null])
    const path = `/api/break-glass/openings/${newest.id}/review`
    assert.equal((await asRoot("PUT", path)).json.reviewedBy, "root")
    await clock.advance(minuteMs)
    const { json: again } = await admin("PUT", path)
    assert.deepEqual([again.reviewedBy, again.reviewedAt], ["root", Math.trunc(clock.now()) - minuteMs])
    assert.equal(await waiting(), before.openings.length - 1)
    const { json: left } = await asRoot("GET", `/api/break-glass/openings?before=${newest.id}`)
    assert.equal(left.openings[0].id, second.id)
    const { json: done } = await asRoot("GET", "/api/break-glass/openings?reviewed=true")
    assert.deepEqual(
        done.openings.map(({ id }: { id: number }) => id),
        [newest.id],
    )
    assert.equal((await asRoot("PUT", "/api/break-glass/openings/999/review")).status, 404)
    const [last] = await events(`patient=${east}&agent=root`)
    assert.deepEqual([last?.action, subjectOf(last!), said(last!).opening], ["U", "break-glass", String(newest.id)])
})
