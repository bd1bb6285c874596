import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { decodeKeys, encodeWanted } from "../../wire/batch.ts"
import { eui } from "../../wire/keys.ts"
import type { TestMote } from "../support/mote.ts"
import { Service } from "./service.ts"
import { delivery, measurement } from "./support.ts"

let service: Service
before(async () => (service = await Service.start()))
after(() => service.close())

const asDoctor = (method: string, path: string, json?: object) =>
    service.call(method, path, { token: service.doctor, ...(json && { json }) })

const router = async (user: string, o: { wards?: string[]; prefetch?: boolean } = {}) => {
    const made = await asDoctor("POST", "/api/users", { user, role: "router", ...o })
    assert.equal(made.status, 201)
    const { token } = (await asDoctor("POST", `/api/users/${user}/tokens`)).json
    const read = (bytes: Uint8Array) => decodeKeys(bytes).map(({ kid }) => eui(kid))
    return {
        token,
        made: made.json,
        keys: async () => read((await service.call("GET", "/ingest/keys", { token })).bytes),
        ask: async (...kids: string[]) => {
            const body = encodeWanted(kids.map(kid => Buffer.from(kid, "hex")))
            const headers = { "content-type": "application/cbor" }
            return read((await service.call("POST", "/ingest/keys", { token, headers, body })).bytes)
        },
    }
}
const kidOf = ({ mote }: { mote: TestMote }) => eui(mote.keys.kid)
const move = async (patient: number, ward: string | null) => {
    const body = { given: "A", family: "B", ward, confirmed: ["patient-known"] }
    assert.equal((await asDoctor("PUT", `/api/patients/${patient}`, body)).json.ward, ward)
}

test("a router gets the keys of the motes that have shown up at it, and no others; the clinic says who has them", async () => {
    const [one, two, elsewhere] = [await service.admit(), await service.admit(), await service.admit()]
    await move(one.patient, "2 East")
    await move(two.patient, "2 East")
    const { made, keys, ask } = await router("router-2e", { wards: ["2 East"] })
    assert.deepEqual([made.wards, made.prefetch], [["2 East"], false])
    assert.deepEqual(await keys(), [])
    assert.deepEqual(await ask(kidOf(one), kidOf(elsewhere), "0".repeat(16)), [kidOf(one)])
    assert.deepEqual(await keys(), [kidOf(one)])
    const holders = async () => {
        const { json } = await service.get("/api/motes")
        return Object.fromEntries(
            (json as { kid: string; routers: string[] }[]).map(({ kid, routers }) => [kid, routers]),
        )
    }
    const before = await holders()
    assert.deepEqual(
        [one, two, elsewhere].map(mote => before[kidOf(mote)]),
        [["router-2e"], [], []],
    )
    assert.deepEqual(await ask(kidOf(two)), [kidOf(two)])
    assert.deepEqual((await keys()).sort(), [kidOf(one), kidOf(two)].sort())

    assert.equal((await asDoctor("DELETE", `/api/motes/${kidOf(two)}`)).status, 204)
    assert.deepEqual(await keys(), [kidOf(one)])
    assert.deepEqual(await ask(kidOf(two)), [])
    await move(one.patient, "2 West")
    assert.deepEqual([await keys(), await ask(kidOf(one))], [[], []])
})

test("a router that only asks for keys is not silent", async () => {
    const { keys, ask } = await router("router-quiet")
    const { routers } = service.running.clinic
    const isHeard = async () => (await routers.all()).some(({ name }) => name === "router-quiet")
    assert.equal(await isHeard(), false)
    await keys()
    assert.equal(await isHeard(), true)
    const asking = await router("router-asking")
    await asking.ask("0".repeat(16))
    assert.ok((await routers.all()).some(({ name }) => name === "router-asking"))
    assert.deepEqual(await ask(), [])
})

test("a router's questions that are no questions are refused", async () => {
    const { token } = await router("router-odd")
    for (const body of [
        Uint8Array.of(0x81, 0x41, 0x00),
        Uint8Array.of(0xff),
        new Uint8Array(0),
        new Uint8Array(4096),
    ]) {
        const headers = { "content-type": "application/cbor" }
        const { status } = await service.call("POST", "/ingest/keys", { token, headers, body })
        assert.ok(status === 400 || status === 413, String(status))
    }
    const headers = { "content-type": "application/cbor" }
    assert.equal(
        (await service.call("POST", "/ingest/keys", { token: service.doctor, headers, body: encodeWanted([]) })).status,
        403,
    )
})

test("a router that prefetches, limited to wards, has the keys of their motes, and follows who moves", async () => {
    const here = await service.admit("Ada", "Beck")
    const there = await service.admit("Ken", "Ito")
    const nowhere = await service.admit("Eve", "Low")
    await move(here.patient, "3 West")
    await move(there.patient, "ICU")
    const wards = ["3 West", "3 East"]
    const { made, token, keys } = await router("router-3w", { wards, prefetch: true })
    assert.deepEqual(made, {
        ...{ user: "router-3w", role: "router", patient: null, active: true },
        ...{ wards, prefetch: true },
    })
    assert.deepEqual(await keys(), [kidOf(here)])
    const everywhere = await router("router-all", { prefetch: true })
    for (const mote of [here, there, nowhere]) assert.ok((await everywhere.keys()).includes(kidOf(mote)))
    await move(here.patient, null)
    await move(there.patient, "3 East")
    assert.deepEqual(await keys(), [kidOf(there)])

    // What it took before the patient was moved is not lost.
    const now = Date.now()
    const envelope = here.mote.seal([measurement("hr", 60, now)], now)
    const results = await service.running.clinic.ingest([delivery(envelope, now)])
    assert.equal(results[0]!.status, "stored")

    assert.equal((await asDoctor("DELETE", "/api/users/router-3w")).status, 204)
    assert.equal((await service.call("GET", "/ingest/keys", { token })).status, 401)
    for (const [code, more] of [
        ["has-no-wards", { role: "administrator", wards: ["ICU"] }],
        ["needs-wards", { role: "nurse" }],
        ["has-no-motes", { role: "nurse", wards: "all", prefetch: true }],
    ] as const) {
        const person = { user: "ruth", password: "correct horse", ...more }
        const { status, json } = await asDoctor("POST", "/api/users", person)
        assert.deepEqual([status, json.type], [400, `urn:vitalmote:problem:${code}`])
    }
})
