import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { ManualClock } from "../../support/clock.ts"
import { Service } from "../service.ts"

const clock = new ManualClock(Date.now()) // certificates are judged by the real time
let service: Service

const admin = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token: service.administrator, ...(json !== undefined && { json }) })
const doctor = (method: string, path: string) => service.call(method, path, { token: service.doctor })
const rule = { ward: null, envelopes: 30, readings: 90, minutes: 365, hours: null }

before(async () => {
    service = await Service.start(clock)
})
after(() => service.close())

test("an administrator decides for the hospital and for wards; what contradicts itself is refused", async () => {
    const { json: before } = await admin("GET", "/api/retention")
    assert.deepEqual(before.rules, [{ ward: null, version: 0, periods: null, author: null, madeAt: null }])
    assert.equal((await doctor("PUT", "/api/retention")).status, 403)
    for (const wrong of [{ readings: 1 }, { readings: 36_501 }, { minutes: 89 }, { readings: null }, { hours: 364 }]) {
        const { status } = await admin("PUT", "/api/retention", { ...rule, ...wrong })
        assert.equal(status, 400, JSON.stringify(wrong))
    }
    assert.equal((await admin("PUT", "/api/retention", { ...rule, base: 0 })).status, 200)
    assert.equal((await admin("PUT", "/api/retention", { ...rule, base: 0 })).status, 409)
    const { ward: _, ...periods } = { ...rule, ward: "ICU", readings: 10 }
    await admin("PUT", "/api/retention", { ...periods, ward: "ICU" })
    const { json } = await admin("DELETE", "/api/retention", { ward: "ICU" })
    assert.deepEqual(
        json.rules.map((one: { ward: string; version: number; periods: unknown }) => [one.ward, one.version]),
        [
            [null, 1],
            ["ICU", 2],
        ],
    )
    const { json: events } = await admin("GET", "/fhir/AuditEvent?_count=3")
    assert.match(JSON.stringify(events), /retention/)
})

test("a legal hold begins with a reason and is lifted once; both are in the audit record", async () => {
    const { patient } = await service.admit("Ada", "Beck")
    assert.equal((await admin("POST", "/api/patients/999999/holds", { reason: "x" })).status, 404)
    const { json: hold, status } = await admin("POST", `/api/patients/${patient}/holds`, { reason: "case 7" })
    assert.equal(status, 201)
    const lift = () => admin("DELETE", `/api/patients/${patient}/holds/${hold.id}`)
    assert.equal((await lift()).status, 204)
    assert.equal((await lift()).status, 404)
    const { json: holds } = await admin("GET", "/api/holds")
    assert.deepEqual([holds[0].reason, typeof holds[0].liftedAt], ["case 7", "number"])
    const { json: events } = await admin("GET", `/fhir/AuditEvent?patient=${patient}&_count=10`)
    assert.match(JSON.stringify(events), /begins/)
    assert.match(JSON.stringify(events), /lifted/)
    const { json: left } = await doctor("GET", `/api/patients/${patient}/left?from=1&before=2`)
    assert.deepEqual(left, [])
})

test("an erasure is asked for by one and confirmed by another; afterwards the patient is known to nobody", async () => {
    const { patient } = await service.admit("Emil", "Dorn")
    const path = `/api/patients/${patient}/erasure`
    const reason = { reason: "asked for in writing" }
    assert.equal((await admin("POST", path, reason)).status, 409)
    assert.equal((await doctor("DELETE", `/api/patients/${patient}`)).status, 204)
    assert.equal((await admin("POST", path, reason)).status, 204)
    assert.equal((await admin("POST", path, reason)).status, 409)
    assert.equal((await admin("POST", `${path}/confirmation`, { patient })).status, 409)
    assert.equal((await admin("DELETE", path)).status, 204)
    assert.equal((await service.call("POST", path, { token: service.doctor, json: reason })).status, 204)
    assert.equal((await doctor("POST", `${path}/confirmation`)).status, 403)
    assert.equal((await admin("POST", `${path}/confirmation`, { patient: patient + 1 })).status, 400)
    assert.equal((await admin("POST", `${path}/confirmation`, { patient })).status, 204)
    assert.equal((await doctor("GET", `/api/patients/${patient}`)).status, 404)
    assert.equal((await doctor("GET", `/fhir/Patient/${patient}`)).status, 404)
    const { json } = await admin("GET", "/api/erasures")
    assert.deepEqual([json[0].patient, json[0].askedBy, typeof json[0].confirmedAt], [patient, "doctor", "number"])
    assert.deepEqual((await admin("POST", "/api/erasures", { patients: [patient] })).json, { patients: [] })
})
