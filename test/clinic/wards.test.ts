import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { decodeKeys } from "../../wire/batch.ts"
import { eui } from "../../wire/keys.ts"
import { Service } from "./service.ts"
import { delivery, measurement } from "./support.ts"

let service: Service
before(async () => (service = await Service.start()))
after(() => service.close())

const asDoctor = (method: string, path: string, json?: object) =>
    service.call(method, path, { token: service.doctor, ...(json && { json }) })

test("a router that is limited to wards gets the keys of their motes, and follows who moves", async () => {
    const here = await service.admit("Ada", "Beck")
    const there = await service.admit("Ken", "Ito")
    const nowhere = await service.admit("Eve", "Low")
    const move = async (patient: number, ward: string | null) => {
        const body = { given: "A", family: "B", ward }
        assert.equal((await asDoctor("PUT", `/api/patients/${patient}`, body)).json.ward, ward)
    }
    await move(here.patient, "3 West")
    await move(there.patient, "ICU")
    const made = await asDoctor("POST", "/api/users", {
        user: "router-3w",
        role: "router",
        wards: ["3 West", "3 East"],
    })
    assert.deepEqual(made.json, { user: "router-3w", role: "router", patient: null, wards: ["3 West", "3 East"] })
    const { token } = (await asDoctor("POST", "/api/users/router-3w/tokens")).json
    const keys = async (of: string) => {
        const { bytes } = await service.call("GET", "/ingest/keys", { token: of })
        return decodeKeys(bytes).map(({ kid }) => eui(kid))
    }
    const kid = ({ mote }: typeof here) => eui(mote.keys.kid)
    assert.deepEqual(await keys(token), [kid(here)])
    assert.deepEqual((await keys(service.router)).sort(), [here, there, nowhere].map(kid).sort())
    await move(here.patient, null)
    await move(there.patient, "3 East")
    assert.deepEqual(await keys(token), [kid(there)])

    // What it took before the patient was moved is not lost.
    const now = Date.now()
    const envelope = here.mote.seal([measurement("hr", 60, now)], now)
    const results = await service.running.clinic.ingest([delivery(envelope, now)])
    assert.equal(results[0]!.status, "stored")

    assert.equal((await asDoctor("DELETE", "/api/users/router-3w")).status, 204)
    assert.equal((await service.call("GET", "/ingest/keys", { token })).status, 401)
    const person = { user: "ruth", role: "nurse", password: "correct horse", wards: ["ICU"] }
    assert.equal((await asDoctor("POST", "/api/users", person)).status, 400)
})
