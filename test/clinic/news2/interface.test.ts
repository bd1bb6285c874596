import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import fc from "fast-check"
import { bedsideKinds } from "../../../wire/tables/bedside.ts"
import { Service } from "../service.ts"
import { ManualClock } from "../../support/clock.ts"
import { moteTime, type TestMote } from "../../support/mote.ts"
import { delivery, measurement } from "../support.ts"
import { calm } from "./ward.ts"

const clock = new ManualClock(moteTime(Date.now()))
let service: Service
let patient: number
let other: number
let mote: TestMote
const tokens = { nurse: "", own: "" }

before(async () => {
    service = await Service.start(clock)
    ;({ patient, mote } = await service.admit())
    ;({ patient: other } = await service.admit("Ken", "Ito"))
    const user = async (json: { user: string; role: string; password: string; patient?: number; wards?: string }) => {
        await service.call("POST", "/api/users", { token: service.doctor, json })
        const { json: made } = await service.call("POST", `/api/users/${json.user}/tokens`, { token: service.doctor })
        return made.token as string
    }
    tokens.nurse = await user({ user: "nora", role: "nurse", wards: "all", password: "a long enough one" })
    tokens.own = await user({ user: "ada", role: "patient", patient, password: "a long enough one" })
})
after(() => service.close())

const path = () => `/api/patients/${patient}/news2`
const enter = (json: unknown, token = tokens.nurse) => service.call("POST", path(), { token, json })

test("a nurse enters, the doctor chooses the scale, a patient reads the own score; nobody else does", async () => {
    const now = clock.now()
    const pack = [measurement("hr", 72, now), measurement("spo2", 97, now), measurement("temp", 36.8, now)]
    await service.ingest([delivery(mote.seal(pack, now), now)])
    const entered = await enter(calm)
    assert.deepEqual([entered.status, entered.json.total, entered.json.missing], [200, 0, []])
    const own = await service.call("GET", path(), { token: tokens.own })
    assert.equal(own.json.total, 0)
    const scale = (token: string) => service.call("PUT", `${path()}/scale`, { token, json: { scale: 2 } })
    assert.equal((await scale(tokens.nurse)).status, 403)
    const chosen = await scale(service.doctor)
    assert.deepEqual([chosen.json.scale.scale, chosen.json.scale.by], [2, "doctor"])
    assert.equal((await enter(calm, tokens.own)).status, 403)
    assert.equal((await enter(calm, service.router)).status, 403)
    const stranger = await service.call("GET", `/api/patients/${other}/news2`, { token: tokens.own })
    assert.equal(stranger.status, 403)
    assert.equal((await service.call("GET", path())).status, 401)
    const query = `from=${now - 600_000}&before=${now + 1000}&step=60`
    const history = await service.call("GET", `${path()}/history?${query}`, { token: tokens.own })
    assert.deepEqual(history.json.at(-1).total, 0)
})

test("what cannot be is refused, and nothing of it is kept", async () => {
    const before = (await service.get("/fhir/Observation?_count=0")).json.total
    const wrong = [
        ...[{}, [], "x", { respiration: 16.5 }, { respiration: -1 }, { respiration: "16" }, { systolic: 29 }],
        ...[{ oxygen: true }, { oxygen: 1 }, { consciousness: "asleep" }, { pulse: 70 }, { respiration: 16, by: "x" }],
    ]
    for (const json of wrong) assert.equal((await enter(json)).status, 400, JSON.stringify(json))
    for (const scale of [0, 3, "1", null])
        assert.equal(
            (await service.call("PUT", `${path()}/scale`, { token: service.doctor, json: { scale } })).status,
            400,
        )
    assert.equal((await service.call("GET", "/api/patients/999/news2", { token: service.doctor })).status, 404)
    assert.equal(
        (await service.call("POST", "/api/patients/999/news2", { token: service.doctor, json: calm })).status,
        404,
    )
    assert.equal((await service.get("/fhir/Observation?_count=0")).json.total, before)
})

test("whatever can be entered is answered with a score that has it, by whom", async () => {
    const { respiration, systolic, oxygen, consciousness } = bedsideKinds
    const entry = fc.record(
        {
            respiration: fc.integer(respiration),
            systolic: fc.integer(systolic),
            oxygen: fc.constantFrom(...oxygen.choices),
            consciousness: fc.constantFrom(...consciousness.choices),
        },
        { requiredKeys: [] },
    )
    const some = entry.filter(values => Object.keys(values).length > 0)
    await fc.assert(
        fc.asyncProperty(some, async values => {
            clock.step(1000)
            const { json } = await enter(values)
            for (const [name, value] of Object.entries(values)) {
                const part = json.parts.find((part: { name: string }) => part.name === name)
                assert.deepEqual([part.value, part.by, part.time], [value, "nora", clock.now()])
            }
        }),
        { numRuns: 20 },
    )
})

test("FHIR has what was entered, in one order with what was measured, page by page", async () => {
    const all = await service.get(`/fhir/Observation?patient=${patient}&_count=1000`)
    const ids = all.json.entry.map((e: { resource: { id: string } }) => e.resource.id) as string[]
    for (const sort of ["date", "-date"]) {
        const seen: string[] = []
        let next: string | undefined = `/fhir/Observation?patient=${patient}&_count=3&_sort=${sort}`
        while (next !== undefined) {
            const { json } = await service.get(next)
            seen.push(...(json.entry ?? []).map((e: { resource: { id: string } }) => e.resource.id))
            const link = json.link.find((l: { relation: string }) => l.relation === "next")
            next = link?.url.slice(service.running.url.length)
        }
        assert.deepEqual(sort === "date" ? seen.toReversed() : seen, ids, sort)
    }
    const { json } = await service.get(`/fhir/Observation?patient=${patient}&code=9279-1&_count=1`)
    const { resource } = json.entry[0]
    assert.deepEqual([resource.performer, resource.code.text], [[{ display: "nora" }], "Breathing rate"])
    assert.equal((await service.get(`/fhir/Observation/${resource.id}`)).json.id, resource.id)
    const foreign = await service.call("GET", `/fhir/Observation?patient=${patient}`, { token: tokens.nurse })
    assert.equal(foreign.status, 200)
    assert.equal((await service.get("/fhir/Observation/499999999999999")).status, 404)
    const later = await service.get(`/fhir/Observation?patient=${patient}&date=gt2100&_count=0`)
    assert.equal(later.json.total, 0)
})
