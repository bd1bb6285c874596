import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, type TestMote } from "../support/mote.ts"
import { EventReader } from "./event-reader.ts"
import { Service } from "./service.ts"
import { delivery, measurement } from "./support.ts"

const password = "correct horse battery"
const clock = new ManualClock(Date.now()) // certificates are judged by the real time
let service: Service
/** Of a nurse of 3 West. */
let ruth: string
const motes = new Map<number, TestMote>()
const people: Record<"west" | "east" | "nowhere" | "gone", { patient: number; eui: string; alarm: number }> =
    {} as never

const doctor = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token: service.doctor, ...(json !== undefined && { json }) })
const admin = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token: service.administrator, ...(json !== undefined && { json }) })
const asRuth = (method: string, path: string, json?: unknown) =>
    service.call(method, path, {
        ...{ cookie: ruth, headers: { origin: service.running.url } },
        ...(json !== undefined && { json }),
    })

async function admit(family: string, ward: string | null): Promise<{ patient: number; eui: string; alarm: number }> {
    const { patient, mote } = await service.admit("A", family)
    await doctor("PUT", `/api/patients/${patient}`, { given: "A", family, ...(ward && { ward }) })
    motes.set(patient, mote)
    const now = clock.now()
    await service.ingest([
        delivery(mote.seal([measurement("hr", 72, now - 1000)], now), now),
        delivery(mote.sealAlarms([alarmEvent("hr-high", true, now - 500, { value: 171 })], now), now, "alarm"),
    ])
    const { json } = await doctor("GET", `/api/alarms?patient=${patient}`)
    return { patient, eui: mote.eui, alarm: json[0].id as number }
}

before(async () => {
    service = await Service.start(clock)
    people.west = await admit("West", "3 West")
    people.east = await admit("East", "3 East")
    people.nowhere = await admit("Nowhere", null)
    people.gone = await admit("Gone", "3 West")
    assert.equal((await doctor("DELETE", `/api/patients/${people.gone.patient}`)).status, 204)
    const json = { user: "ruth", role: "nurse", password, wards: ["3 West"] }
    assert.equal((await admin("POST", "/api/users", json)).status, 201)
    ruth = await service.login("ruth", password)
})
after(() => service.close())

/** Patients whom an answer names. */
const patientsIn = (rows: { patient?: number | null; id?: number }[]) =>
    [...new Set(rows.map(({ patient, id }) => (patient === undefined ? id : patient)))].sort()
const resources = (json: { entry?: { resource: { id: string } }[] }) => (json.entry ?? []).map(e => e.resource.id)

test("everything that is listed is of the own wards, of those who are there now", async () => {
    const { west, east, nowhere, gone } = people
    const { json: ward } = await asRuth("GET", "/api/ward")
    assert.deepEqual(patientsIn(ward.patients), [west.patient])
    const period = `from=${clock.now() - 60_000}&before=${clock.now() + 1000}`
    const steps = `from=${clock.now() - 60_000}&steps=10&step=5`
    for (const [path, list] of [
        [`/api/ward/trends?${steps}`, "patients"],
        ["/api/patients", undefined],
        [`/api/alarms`, undefined],
        [`/api/alarms/log?${period}`, "alarms"],
        [`/api/alarms/statistics?${period}`, "loudest"],
    ] as const) {
        const { status, json } = await asRuth("GET", path)
        assert.equal(status, 200, path)
        assert.deepEqual(patientsIn(list === undefined ? json : json[list]), [west.patient], path)
    }
    const { json: counted } = await asRuth("GET", `/api/alarms/statistics?${period}`)
    assert.equal(counted.all.count, 1, "what is counted says nothing of the others")
    for (const name of ["3 East", "3 West"]) {
        const asked = `/api/alarms/log?${period}&ward=${encodeURIComponent(name)}`
        const { json } = await asRuth("GET", asked)
        assert.equal(json.alarms.length, name === "3 West" ? 1 : 0, asked)
        assert.equal((await doctor("GET", asked)).json.alarms.length, name === "3 West" ? 2 : 1, asked)
    }
    const { json: motes } = await asRuth("GET", "/api/motes")
    assert.deepEqual(
        motes.map((mote: { kid: string; patient: number | null }) => [mote.kid, mote.patient]),
        [
            [west.eui, west.patient],
            [gone.eui, null], // on nobody: whoever may manage motes may put it on somebody
        ],
    )
    assert.deepEqual(resources((await asRuth("GET", "/fhir/Patient")).json), [String(west.patient)])
    assert.deepEqual(resources((await asRuth("GET", "/fhir/Device")).json), [west.eui, gone.eui])
    const all = [west, east, nowhere, gone].map(({ patient }) => patient).join()
    for (const query of ["", `?patient=${all}`]) {
        const found = resources((await asRuth("GET", `/fhir/Observation${query}`)).json)
        assert.equal(found.length, 1, query)
        assert.equal(resources((await doctor("GET", `/fhir/Observation?patient=${west.patient}`)).json)[0], found[0])
        assert.equal((await asRuth("GET", `/fhir/DeviceUseStatement${query}`)).json.entry.length, 1, query)
    }
    const count = (await asRuth("GET", "/fhir/Observation?_count=0")).json
    assert.equal(count.total, 1)
})

test("somebody of another ward is not found, as somebody who does not exist", async () => {
    const { east, nowhere, gone } = people
    const limits = { from: 1, before: 2, limits: { hrHigh: 130 } }
    const body = { given: "A", family: "X" }
    const paths = (id: number | string, mote: string, alarm: number): [string, string, unknown?][] => [
        ...["", "/history?from=1&before=5000&step=5", "/news2", "/news2/history?from=1&before=5000&step=5"].map(
            path => ["GET", `/api/patients/${id}${path}`] as [string, string],
        ),
        ["GET", `/api/patients/${id}/notes`],
        ["POST", `/api/patients/${id}/notes`, { text: "x" }],
        ["POST", `/api/patients/${id}/news2`, { respiration: 12 }],
        ["POST", `/api/patients/${id}/alarms/replay`, limits],
        ["PUT", `/api/patients/${id}`, body],
        ["DELETE", `/api/patients/${id}`],
        ["GET", `/api/patients/${id}/associations`],
        ["GET", `/api/alarms?patient=${id}`],
        ["GET", `/api/alarms/${alarm}/history`],
        ["PUT", `/api/alarms/${alarm}`, { acknowledged: true }],
        ["POST", "/api/motes", { patient: Number(id) }],
        ["PUT", `/api/motes/${gone.eui}/association`, { patient: Number(id) }],
        ["GET", `/api/motes/${mote}/config`],
        ["GET", `/api/motes/${mote}/config/history`],
        ["GET", `/api/motes/${mote}/associations`],
        ["GET", `/api/motes/${mote}/unassigned`],
        ["PUT", `/api/motes/${mote}/association`, { patient: people.west.patient, confirmed: ["mote-in-use"] }],
        ["DELETE", `/api/motes/${mote}/association`],
        ["POST", `/api/motes/${mote}/rotate`],
        ["DELETE", `/api/motes/${mote}`],
        ["GET", `/fhir/Patient/${id}`],
        ["GET", `/fhir/Device/${mote}`],
    ]
    const missing = paths(999, "00000000000000aa", 999)
    for (const [who, wears] of [
        [east, east],
        [nowhere, nowhere],
        [gone, east],
    ] as const) {
        const hidden = paths(who.patient, wears.eui, who.alarm)
        for (const [i, [method, path, json]] of hidden.entries()) {
            const [, nobodys, ofNobody] = missing[i]!
            const [one, other] = [await asRuth(method, path, json), await asRuth(method, nobodys, ofNobody)]
            assert.deepEqual([one.status, one.json], [404, other.json], `${method} ${path}`)
            assert.equal(other.status, 404, nobodys)
        }
    }
    const { json: found } = await doctor("GET", `/fhir/Observation?patient=${east.patient}`)
    const [id] = resources(found)
    assert.deepEqual((await asRuth("GET", `/fhir/Observation/${id}`)).status, 404)
    assert.equal((await asRuth("GET", `/fhir/Observation?patient=${east.patient}`)).json.entry, undefined)
    assert.equal((await doctor("GET", `/api/patients/${east.patient}`)).json.family, "East", "nothing has changed")
})

test("a ward that is not one's own: nobody is admitted there, its rules are not shown; a twin there has no name", async () => {
    const admitted = await asRuth("POST", "/api/patients", { given: "B", family: "Beck", ward: "3 East" })
    assert.deepEqual([admitted.status, admitted.json.type], [403, "urn:vitalmote:problem:other-ward"])
    assert.equal((await asRuth("POST", "/api/patients", { given: "B", family: "Beck" })).status, 403)
    assert.equal((await asRuth("GET", "/api/wards/3%20East/alarms")).status, 403)
    assert.equal((await asRuth("GET", "/api/wards/3%20West/alarms")).status, 200)
    const twin = await asRuth("POST", "/api/patients", { given: "A", family: "East", ward: "3 West" })
    assert.deepEqual([twin.status, twin.json.type], [409, "urn:vitalmote:problem:patient-known"])
    assert.equal(twin.json.patient, undefined)
    const found = await admin("GET", `/fhir/AuditEvent?patient=${people.east.patient}&agent=ruth&_count=1`)
    assert.equal(found.json.entry[0].resource.outcome, "4", "the record says that somebody learnt of that patient")
})

test("who moves wards moves rights at once; other wards of an account count at once", async () => {
    const { east } = people
    const to = (ward: string) => doctor("PUT", `/api/patients/${east.patient}`, { given: "A", family: "East", ward })
    const status = async () => (await asRuth("GET", `/api/patients/${east.patient}`)).status
    await to("3 West")
    assert.equal(await status(), 200)
    await to("3 East")
    assert.equal(await status(), 404)
    const set = (wards: unknown) => admin("PUT", "/api/users/ruth/wards", { wards })
    assert.deepEqual((await set(["3 East", "3 East"])).status, 200)
    assert.deepEqual((await asRuth("GET", "/api/me")).json.wards, ["3 East"])
    assert.equal(await status(), 200)
    assert.equal((await set("all")).json.wards, "all")
    assert.deepEqual((await asRuth("GET", "/api/me")).json.wards, "all")
    assert.equal((await asRuth("GET", `/api/patients/${people.nowhere.patient}`)).status, 200)
    assert.deepEqual((await set([])).json.wards, [])
    assert.deepEqual((await asRuth("GET", "/api/ward")).json.patients, [])
    await set(["3 West"])
    const events = (await admin("GET", "/fhir/AuditEvent?agent=local&_count=1")).json
    assert.match(JSON.stringify(events), /3 West/)
    for (const [user, wards] of [
        ["router", "all"],
        ["nobody", ["3 West"]],
    ] as const)
        assert.ok([400, 404].includes((await admin("PUT", `/api/users/${user}/wards`, { wards })).status))
})

test("a token can be limited to wards, and never reaches further than its user", async () => {
    await admin("POST", "/api/users", { user: "lab", role: "integrator", wards: ["3 West", "ICU"] })
    const seen = async (wards?: string[]) => {
        const { json } = await admin("POST", "/api/users/lab/tokens", wards && { wards })
        const found = await service.call("GET", "/fhir/Patient", { token: json.token })
        return resources(found.json)
    }
    assert.deepEqual(await seen(), [String(people.west.patient)])
    assert.deepEqual(await seen(["3 West"]), [String(people.west.patient)])
    assert.deepEqual(await seen(["3 East"]), [])
    await admin("PUT", "/api/users/lab/wards", { wards: "all" })
    assert.deepEqual(await seen(["3 East"]), [String(people.east.patient)])
    assert.equal((await seen()).length, 4)
    const refused = await admin("POST", "/api/users/router/tokens", { wards: ["3 West"] })
    assert.equal(refused.json.type, "urn:vitalmote:problem:has-no-wards")
})

test("an open stream tells of who comes to the ward and nothing more of who has left it", async () => {
    const { west, east } = people
    const to = (ward: string) => doctor("PUT", `/api/patients/${east.patient}`, { given: "A", family: "East", ward })
    const arrive = async (who: { patient: number }, value: number) => {
        const mote = motes.get(who.patient)!
        const now = clock.now()
        await service.ingest([delivery(mote.seal([measurement("hr", value, now)], now), now)])
        await clock.advance(1000)
    }
    const names = ["alarms", "alarm", "observation", "reset"]
    const { json } = await asRuth("GET", "/api/ward")
    const stream = await EventReader.open(service, `/api/live?since=${json.newestId}`, { cookie: ruth }, names)
    const brief = async (count: number) =>
        (await stream.next(count)).map(({ event, data }) => [event, data.open ?? data.patient ?? null])
    assert.deepEqual(await brief(2), [
        ["alarms", [west.alarm]],
        ["alarm", west.patient],
    ])
    await arrive(east, 66)
    await arrive(west, 67)
    assert.deepEqual(await brief(1), [["observation", west.patient]])
    await to("3 West")
    const come = await brief(4)
    assert.deepEqual(come.map(([event]) => event).sort(), ["alarm", "alarm", "alarms", "reset"])
    assert.deepEqual(
        come.find(([event]) => event === "alarms"),
        ["alarms", [east.alarm, west.alarm]],
    )
    await arrive(east, 68)
    assert.deepEqual(await brief(1), [["observation", east.patient]])
    await to("3 East")
    await arrive(east, 69)
    await arrive(west, 70)
    const left = await brief(4)
    assert.deepEqual(
        left.find(([event]) => event === "alarms"),
        ["alarms", [west.alarm]],
    )
    assert.deepEqual(left.at(-1), ["observation", west.patient])
    assert.ok(!left.some(([, patient]) => patient === east.patient))

    // So does an account whose wards are taken away, and one that is removed.
    await admin("PUT", "/api/users/ruth/wards", { wards: [] })
    assert.deepEqual(await brief(2), [
        ["alarms", []],
        ["reset", null],
    ])
    await arrive(west, 71)
    await admin("DELETE", "/api/users/ruth")
    assert.deepEqual(await stream.next(1), [], "it ends, and nothing came")
})
