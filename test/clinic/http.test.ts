import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { after, before, test } from "node:test"
import { decodeKeys, encodeWanted } from "../../wire/batch.ts"
import { encode } from "../../wire/cbor.ts"
import { ManualClock } from "../support/clock.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"
import { toProblem } from "../../wire/tables/problems.ts"

const clock = new ManualClock(Date.now()) // certificates are judged by the real time
let service: Service
before(async () => {
    service = await Service.start(clock)
})
after(() => service.close())

test("routers fetch keys and deliver batches, once in effect", async () => {
    const { patient, mote } = await service.admit()
    const { upMac, receipt, mqtt } = mote.keys
    const kid = Uint8Array.from(mote.keys.kid)
    const headers = { "content-type": "application/cbor" }
    const wanted = { token: service.router, headers, body: encodeWanted([kid]) }
    for (const keys of [
        await service.call("POST", "/ingest/keys", wanted),
        await service.call("GET", "/ingest/keys", { token: service.router }),
    ]) {
        assert.equal(keys.headers["content-type"], "application/cbor")
        assert.deepEqual(decodeKeys(keys.bytes), [{ kid, upMac, receipt, mqtt, config: 0 }])
    }

    const now = clock.now()
    const batch = [
        delivery(mote.seal([measurement("hr", 72, now), measurement("temp", 36.6, now)], now), now),
        delivery(randomBytes(100), now),
    ]
    const status = async () => (await service.ingest(batch)).map(result => result.status)
    assert.deepEqual(await status(), ["stored", "refused"])
    assert.deepEqual(await status(), ["duplicate", "refused"])
    const { json } = await service.get(`/fhir/Observation?patient=${patient}&_sort=date`)
    assert.deepEqual(
        json.entry.map((e: { resource: { valueQuantity: { value: number } } }) => e.resource.valueQuantity.value),
        [72, 36.6],
    )
})

test("garbage, oversize and other types are refused at /ingest, and the next batch works", async () => {
    const cbor = { "content-type": "application/cbor" }
    const post = async (body: Uint8Array, headers: Record<string, string> = cbor) => {
        const answer = await service.call("POST", "/ingest", {
            ...{ token: service.router, headers, body },
        })
        return answer.status
    }
    for (const body of [randomBytes(50), Buffer.alloc(0), encode({}), encode([[1]]), encode(7)])
        assert.equal(await post(body), 400)
    assert.equal(await post(Buffer.alloc(3_000_000)), 413)
    assert.equal(await post(encode([]), { "content-type": "application/json" }), 415)
    assert.equal(await post(encode([])), 200)
})

test("garbage bodies get one clear line, never a stack trace", async () => {
    const json = { "content-type": "application/json" }
    const bodies = ["", "{", "[]", "null", '"x"', "{}", '{"given":1,"family":2}', "\u0000"]
    const odd = ['{"given":"A","family":"B","x":1}', '{"given":"A\\n","family":"B"}']
    const dates = ['{"given":"A","family":"B","birthDate":"2024-02-31"}']
    for (const body of [...bodies, ...odd, ...dates]) {
        const answer = await service.call("POST", "/api/patients", {
            ...{ token: service.doctor, headers: json, body },
        })
        assert.equal(answer.status, 400, body)
        assert.equal(toProblem(answer.json)?.code, "bad-request")
        assert.doesNotMatch(answer.json.detail, /\n| at /)
    }
    const large = JSON.stringify({ given: "A".repeat(100_000), family: "B" })
    const answer = await service.call("POST", "/api/patients", {
        ...{ token: service.doctor, headers: json, body: large },
    })
    assert.equal(answer.status, 413)
    for (const [path, kind] of [
        ["/api/%zz", "detail"],
        ["/fhir/%zz", "resourceType"],
    ] as const) {
        const bad = await service.get(path)
        assert.equal(bad.status, 400)
        assert.ok(kind in bad.json)
    }
})

test("patients are admitted, changed and discharged; what was measured stays", async () => {
    const { patient, mote } = await service.admit("Ken", "Ito")
    const now = clock.now()
    await service.ingest([delivery(mote.seal([measurement("hr", 64, now)], now), now)])
    const data = { given: "Ken", family: "Itō", birthDate: "1961-07-30", gender: "male", bed: "7" }
    const doctor = { token: service.doctor }
    const put = await service.call("PUT", `/api/patients/${patient}`, { ...doctor, json: data })
    assert.deepEqual(put.json, { id: patient, active: true, identifier: null, ward: null, ...data })
    const onWard = async () =>
        (await service.get("/api/ward")).json.patients.some((p: { id: number }) => p.id === patient) as boolean
    assert.equal(await onWard(), true)

    await clock.advance(1000)
    assert.equal((await service.call("DELETE", `/api/patients/${patient}`, doctor)).status, 204)
    assert.equal(await onWard(), false)
    assert.equal((await service.get(`/api/patients/${patient}`)).json.active, false)
    await clock.advance(1000)
    const late = mote.seal([measurement("hr", 65, clock.now())], clock.now())
    const [result] = await service.ingest([delivery(late, clock.now())])
    assert.equal(result?.status, "stored", "nobody's: the mote is kept")
    const found = await service.get(`/fhir/Observation?patient=${patient}`)
    assert.equal(found.json.entry.length, 1)
    assert.equal((await service.call("DELETE", "/api/patients/999", doctor)).status, 404)
    const asked = async (json: object) =>
        toProblem((await service.call("POST", "/api/patients", { ...doctor, json })).json)
    const { patient: other } = await service.admit("Eve", "Low")
    assert.deepEqual(await asked({ given: "eve", family: "LOW" }), { code: "patient-known", patient: other })
    const moved = { given: "Eve", family: "Low", bed: "7", ward: "3 West", identifier: "77" }
    const path = `/api/patients/${other}`
    assert.equal((await service.call("PUT", path, { ...doctor, json: moved })).status, 200)
    const next = { given: "Zoë", family: "Young", bed: "7", ward: "3 West" }
    assert.deepEqual(await asked(next), { code: "bed-taken", patient: other })
    assert.deepEqual(await asked({ ...next, bed: "8", identifier: "77" }), { code: "patient-known", patient: other })
    const zoe = await service.call("POST", "/api/patients", { ...doctor, json: { ...next, confirmed: ["bed-taken"] } })
    assert.equal(zoe.status, 201)
    const here = await service.call("PUT", path, { ...doctor, json: { ...moved, birthDate: "1950-01-01" } })
    assert.equal(here.status, 200, "the bed is what it was")
    const again = await service.call("POST", "/api/motes", { ...doctor, json: { patient } })
    assert.deepEqual([again.status, toProblem(again.json)], [409, { code: "not-on-the-ward" }])
})

test("a mote's secret shows once; what is missing shows until it is revoked", async () => {
    const { mote } = await service.admit("Zoë", "Okafor")
    const now = clock.now()
    mote.seq = 3
    await service.ingest([delivery(mote.seal([measurement("batt", 88, now)], now), now)])
    const kid = Buffer.from(mote.keys.kid).toString("hex")
    const list = await service.get("/api/motes")
    assert.doesNotMatch(list.bytes.toString(), /secret/)
    const shown = list.json.find((m: { kid: string }) => m.kid === kid)
    const salt = Buffer.from(mote.salt).toString("hex")
    assert.deepEqual(shown.gaps, [{ boot: 1, salt, from: 0, to: 2 }])
    assert.deepEqual([shown.missing, shown.stored, shown.battery], [3, 1, 88])
    const doctor = { token: service.doctor }
    assert.equal((await service.call("DELETE", `/api/motes/${kid}`, doctor)).status, 204)
    assert.equal((await service.call("DELETE", `/api/motes/${kid}`, doctor)).status, 404)
})

test("the history is in steps, with extremes, and empty steps left out", async () => {
    const { patient, mote } = await service.admit()
    const start = Math.floor(clock.now() / 60_000) * 60_000 - 600_000
    const at = (s: number, value: number) => measurement("hr", value, start + s * 1000)
    const pack = [at(0, 60), at(2, 70), at(9, 80), at(10, 90), measurement("motion", 1, start + 31_000)]
    await service.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
    const ask = (step: number) =>
        service.get(`/api/patients/${patient}/history?from=${start}&before=${start + 60_000}&step=${step}`)
    assert.deepEqual((await ask(10)).json, {
        hr: [
            { time: start, count: 3, mean: 70, min: 60, max: 80, quality: null },
            { time: start + 10_000, count: 1, mean: 90, min: 90, max: 90, quality: null },
            { time: start + 30_000, count: 0, mean: null, min: null, max: null, quality: null },
        ],
        ...{ temp: [], spo2: [] },
    })
    const much = await service.get(`/api/patients/${patient}/history?from=1&before=${start}&step=1`)
    assert.equal(much.status, 400)
})

test("pages come with a strict content security policy and change by ETag only", async () => {
    const page = await service.call("GET", "/")
    assert.equal(page.status, 200)
    const policy = String(page.headers["content-security-policy"])
    assert.match(policy, /default-src 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    assert.doesNotMatch(page.bytes.toString(), /<script(?![^>]* src=)|style=|https?:/)
    for (const path of ["/assets/app.js", "/assets/app.css", "/favicon.svg"]) {
        const asset = await service.call("GET", path)
        assert.equal(asset.status, 200)
        const headers = { "if-none-match": String(asset.headers["etag"]) }
        assert.equal((await service.call("GET", path, { headers })).status, 304)
    }
})

test("health, metrics and the description of the API", async () => {
    assert.equal((await service.call("GET", "/healthz")).status, 200)
    const metrics = (await service.get("/metrics")).bytes.toString()
    assert.match(metrics, /^vitalmote_clinic_deliveries_total\{status="stored"\} [1-9]/m)
    const { json } = await service.get("/api/openapi.json")
    assert.match(json.openapi, /^3\./)
    assert.ok(json.paths["/api/patients/{id}"].put)
})
