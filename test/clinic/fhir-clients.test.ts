import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { MedplumClient } from "@medplum/core"
import { Client } from "fhir-kit-client"
import { Agent, fetch as undiciFetch, getGlobalDispatcher, setGlobalDispatcher } from "undici"
import { ManualClock } from "../support/clock.ts"
import { moteTime } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"

/* Clients of others, as their users call them. */

const clock = new ManualClock(moteTime(Date.now())) // certificates are judged by the real time
let service: Service
let patient: number
let agent: Agent
const dispatcher = getGlobalDispatcher()

before(async () => {
    service = await Service.start(clock)
    const admitted = await service.admit("Ada", "Beck")
    patient = admitted.patient
    const now = clock.now()
    const pack = Array.from({ length: 7 }, (_, i) => measurement("hr", 60 + i, now - 9000 + i * 1000))
    await service.ingest([delivery(admitted.mote.seal(pack, now), now)])
    agent = new Agent({ connect: { ca: readFileSync(service.running.caFile) } })
    setGlobalDispatcher(agent)
})
after(async () => {
    setGlobalDispatcher(dispatcher)
    await agent.close()
    await service.close()
})

interface Page {
    resourceType: string
    entry?: { resource: { id: string; resourceType: string; valueQuantity?: { value: number } } }[]
    link: { relation: string; url: string }[]
}
const valuesOf = ({ entry = [] }: Page) => entry.map(({ resource }) => resource.valueQuantity?.value)

test("fhir-kit-client reads, searches by GET and POST, turns pages, calls operations", async () => {
    const client = new Client({ baseUrl: `${service.running.url}/fhir`, bearerToken: service.doctor })
    const statement = await client.capabilityStatement()
    assert.equal(statement.resourceType, "CapabilityStatement")
    assert.equal((await client.read({ resourceType: "Patient", id: String(patient) })).id, String(patient))
    const searchParams = {
        "patient.name": "beck",
        code: "http://loinc.org|8867-4",
        _count: 5,
        _include: "Observation:device",
    }
    const first = (await client.search({ resourceType: "Observation", searchParams })) as unknown as Page
    assert.deepEqual(valuesOf(first), [66, 65, 64, 63, 62, undefined])
    const second = (await client.nextPage({ bundle: { ...first } })) as unknown as Page
    assert.deepEqual(valuesOf(second), [61, 60, undefined])
    const options = { postSearch: true }
    const posted = await client.resourceSearch({ resourceType: "Patient", searchParams: { name: "beck" }, options })
    assert.equal((posted as unknown as Page).entry?.[0]?.resource.id, String(patient))
    const { meta } = await client.read({ resourceType: "Patient", id: String(patient) })
    const version = String((meta as { versionId: string }).versionId)
    assert.ok(await client.vread({ resourceType: "Patient", id: String(patient), version }))
    const last = await client.operation({
        ...{ name: "lastn", resourceType: "Observation", method: "GET" as const },
        input: { patient: String(patient) },
    })
    assert.deepEqual(valuesOf(last as unknown as Page), [66])
    const refused = client.search({ resourceType: "Observation", searchParams: { favourite: 1 } })
    await assert.rejects(
        refused,
        (error: { response: { status: number; data: { issue: { location: string[] }[] } } }) => {
            assert.equal(error.response.status, 400)
            assert.deepEqual(error.response.data.issue[0]!.location, ["http.favourite"])
            return true
        },
    )
})

test("MedplumClient reads, searches, pages and reads everything of a patient", async () => {
    const client = new MedplumClient({
        baseUrl: `${service.running.url}/`,
        fhirUrlPath: "fhir",
        fetch: undiciFetch as unknown as typeof fetch,
    })
    client.setAccessToken(service.doctor)
    const ada = await client.readResource("Patient", String(patient))
    assert.equal(ada.name?.[0]?.family, "Beck")
    const found = await client.searchResources("Observation", {
        patient: `Patient/${patient}`,
        _count: 3,
        _sort: "date",
    })
    assert.deepEqual(
        found.map(({ valueQuantity }) => valueQuantity?.value),
        [60, 61, 62],
    )
    const pages: number[] = []
    for await (const page of client.searchResourcePages("Observation", { subject: `Patient/${patient}`, _count: 3 }))
        pages.push(page.length)
    assert.deepEqual(pages, [3, 3, 1])
    const one = await client
        .searchOne("Patient", { _id: String(patient), _fields: "name" })
        .catch((error: Error) => error)
    assert.match(String(one), /_fields/, "what nobody here knows is refused")
    const all = await client.readPatientEverything(String(patient))
    assert.deepEqual(all.entry?.[0]?.resource?.resourceType, "Patient")
    assert.equal(all.entry?.filter(({ resource }) => resource?.resourceType === "Observation").length, 7)
    assert.equal(await client.searchOne("Patient", { family: "nobody" }), undefined)
})
