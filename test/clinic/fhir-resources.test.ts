import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { after, before, test } from "node:test"
import fc from "fast-check"
import { resourceKinds } from "../../clinic/fhir/resources/resources.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, moteTime, type TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"

const password = "correct horse battery"
const clock = new ManualClock(moteTime(Date.now())) // certificates are judged by the real time
let service: Service
let west: { patient: number; mote: TestMote; sealed: Uint8Array }
let east: typeof west
/** Of a nurse of 3 West. */
let ruth: string

type Resource = Record<string, unknown> & { resourceType: string; id: string }

before(async () => {
    service = await Service.start(clock)
    const admit = async (family: string, ward: string) => {
        const { patient, mote } = await service.admit("A", family)
        const json = { given: "A", family, ward, bed: "7" }
        await service.call("PUT", `/api/patients/${patient}`, { token: service.doctor, json })
        const now = clock.now()
        const sealed = mote.seal([measurement("hr", 72, now - 1000)], now)
        const alarm = mote.sealAlarms([alarmEvent("hr-high", true, now - 500, { value: 171 })], now)
        await service.ingest([delivery(sealed, now), delivery(alarm, now, "alarm")])
        return { patient, mote, sealed }
    }
    west = await admit("West", "3 West")
    east = await admit("East", "3 East")
    const json = { user: "ruth", role: "nurse", password, wards: ["3 West"] }
    await service.call("POST", "/api/users", { token: service.administrator, json })
    ruth = await service.login("ruth", password)
})
after(() => service.close())

async function find(path: string, o: { cookie?: string } = {}): Promise<Resource[]> {
    const who = o.cookie === undefined ? { token: service.doctor } : o
    const { status, json } = await service.call("GET", `/fhir/${path}`, who)
    assert.equal(status, 200, `${path}: ${JSON.stringify(json)}`)
    return (json.entry ?? []).map((entry: { resource: Resource }) => entry.resource)
}

test("ward, bed and stay point at each other", async () => {
    const [stay] = await find(`Encounter?patient=${west.patient}`)
    assert.equal(stay!.status, "in-progress")
    const places = (await find(`Encounter?patient=${west.patient}&_include=Encounter:location`)).slice(1)
    assert.deepEqual(places.map(({ name }) => name).toSorted(), ["3 West", "7"])
    const [ward] = await find("Location?name=3 West")
    const beds = await find(`Location?partof=${ward!.id}`)
    assert.deepEqual(
        beds.map(({ name }) => name),
        ["7"],
    )
    assert.deepEqual(
        (await find(`Encounter?location=${beds[0]!.id}`)).map(({ id }) => id),
        [stay!.id],
    )
    const [group] = await find(`Group/${ward!.id}`.replace("/", "?_id="))
    assert.deepEqual(group!.member, [{ entity: { reference: `Patient/${west.patient}` } }])
    const ofWard = await find(`Observation?patient._has:Group:member:_id=${ward!.id}`)
    assert.deepEqual(
        ofWard.map(({ subject }) => subject),
        [{ reference: `Patient/${west.patient}` }],
    )
})

test("an alarm with its life is a DetectedIssue", async () => {
    const [raised] = await find(`DetectedIssue?patient=${west.patient}`)
    assert.deepEqual([raised!.status, raised!.severity, raised!.mitigation], ["preliminary", "high", undefined])
    assert.equal((raised!.code as { coding: { code: string }[] }).coding[0]!.code, "hr-high")
    await clock.advance(1000)
    await service.call("PUT", `/api/alarms/${raised!.id}`, { token: service.doctor, json: { acknowledged: true } })
    const at = clock.now()
    const now = clock.now()
    const over = west.mote.sealAlarms([alarmEvent("hr-high", false, now - 100, { value: 90 })], now)
    await service.ingest([delivery(over, now, "alarm")])
    const [ended] = await find(`DetectedIssue?_id=${raised!.id}&patient.family=west`)
    assert.equal(ended!.status, "final")
    const [mitigation] = ended!.mitigation as { date: string; author: { display: string }; action: { text: string } }[]
    assert.deepEqual([mitigation!.date, mitigation!.author.display], [new Date(at).toISOString(), "doctor"])
    assert.ok("end" in (ended!.identifiedPeriod as object))
    assert.deepEqual(await find(`DetectedIssue?identified=sa2100`), [])
})

test("what a mote measures, by the codes of ISO/IEEE 11073", async () => {
    const metrics = await find(`DeviceMetric?source=Device/${west.mote.eui}&type=urn:iso:std:iso:11073:10101|150364`)
    assert.deepEqual(
        metrics.map(({ id }) => id),
        [`${west.mote.eui}-temp`],
    )
    assert.equal((await find(`Device?_id=${west.mote.eui}&_revinclude=DeviceMetric:source`)).length, 4)
})

test("each Observation says from which envelope and router it comes, so that a third party can compare", async () => {
    const found = await find(`Observation?patient=${west.patient}&_revinclude=Provenance:target`)
    const [observation, provenance] = found as [Resource, Resource]
    assert.deepEqual([found.length, provenance.id], [2, observation.id])
    const identifiers = (provenance.entity as { what: { identifier: { system: string; value: string } } }[]).map(
        ({ what }) => what.identifier,
    )
    const [envelope, hash] = identifiers
    assert.match(envelope!.value, new RegExp(`^${west.mote.eui}/\\d+/[0-9a-f]+/\\d+$`))
    assert.equal(hash!.value, createHash("sha256").update(west.sealed).digest("hex"))
    assert.match(JSON.stringify(provenance.agent), /"display":"router"/)
    assert.equal((await find(`Provenance?target=Observation/${observation.id}`)).length, 1)
    assert.equal((await find("Provenance?_count=1")).length, 1)
})

test("of no kind of resource one sees what is another ward's, by no way to ask", async () => {
    const isOf = (resource: Resource, who: typeof west) =>
        new RegExp(`"Patient/${who.patient}"|${who.mote.eui}`).test(JSON.stringify(resource)) ||
        (resource.resourceType === "Patient" && resource.id === String(who.patient))
    const kinds = resourceKinds.filter(({ access }) => access === "read")
    for (const { type, parameters } of kinds) {
        const all = await find(type)
        for (const one of all.filter(one => isOf(one, east))) {
            const path = `/fhir/${type}/${one.id}`
            assert.equal((await service.call("GET", path, { cookie: ruth })).status, 404, path)
            assert.deepEqual(await find(`${type}?_id=${one.id}`, { cookie: ruth }), [], path)
        }
        const named = ["patient", "subject", "source", "target", "member"].filter(name => name in parameters)
        const pointing = Object.entries(parameters).filter(([, { type }]) => type === "reference")
        const queries = [
            ...["", "?_summary=count", "?_sort=_lastUpdated"],
            ...named.map(name => `?${name}=${east.patient}`),
            ...pointing.map(([name]) => `?_include=${type}:${name}`),
            ...pointing.flatMap(([name, { targets = [] }]) =>
                targets.includes("Patient") ? [`?${name}.family=east`, `?${name}:Patient.name=east`] : [],
            ),
        ]
        for (const query of queries) {
            const answer = await service.call("GET", `/fhir/${type}${query}`, { cookie: ruth })
            assert.equal(answer.status, 200, `${type}${query}`)
            const seen = (answer.json.entry ?? []) as { resource: Resource }[]
            assert.ok(!seen.some(({ resource }) => isOf(resource, east)), `${type}${query}`)
            if (query === "?_summary=count") {
                const { json } = await service.call("GET", `/fhir/${type}?_count=1000`, { cookie: ruth })
                assert.equal(answer.json.total, json.entry?.length ?? 0, `${type} counts what is seen`)
            }
        }
    }
    for (const path of [`Patient/${east.patient}/$everything`, `Observation/$stats?patient=${east.patient}`])
        assert.equal((await service.call("GET", `/fhir/${path}`, { cookie: ruth })).status, 404, path)
    const last = await find(`Observation/$lastn?patient=${east.patient},${west.patient}`, { cookie: ruth })
    assert.ok(last.length === 1 && isOf(last[0]!, west))
    const all = await find(`Patient/${west.patient}/$everything`, { cookie: ruth })
    assert.ok(all.length > 5 && !all.some(one => isOf(one, east)))
})

test("whatever is asked: no failure of the server, and nobody else's patient", async () => {
    const known = [...new Set(resourceKinds.flatMap(({ parameters }) => Object.keys(parameters)))]
    const general = ["_id", "_lastUpdated", "_sort", "_count", "_cursor", "_total", "_summary", "_elements"]
    const name = fc.oneof(
        fc.constantFrom(...known, ...general, "_include", "_revinclude", "_include:iterate"),
        fc
            .tuple(fc.constantFrom(...known), fc.constantFrom(":not", ":missing", ":Patient", ".name", ".patient._id"))
            .map(parts => parts.join("")),
    )
    const ofEast = [String(east.patient), `Patient/${east.patient}`, east.mote.eui, "east", "3 East"]
    const value = fc.oneof(
        fc.constantFrom(...ofEast, "true", "ne2024", "ge1", "0", "1", "-date", "*", "count", "accurate", "1.1", "W10"),
        fc.constantFrom("Observation:patient", "Device:patient", "Group:member", "Observation:*", "8867-4,9279-1"),
        fc.string({ maxLength: 20 }),
    )
    const type = fc.constantFrom(...resourceKinds.filter(({ access }) => access === "read").map(({ type }) => type))
    const isEasts = new RegExp(`"Patient/${east.patient}"|"family":"East"|${east.mote.eui}`)
    await fc.assert(
        fc.asyncProperty(type, fc.array(fc.tuple(name, value), { maxLength: 4 }), async (type, pairs) => {
            const path = `/fhir/${type}?${new URLSearchParams(pairs)}`
            const { status, json } = await service.call("GET", path, { cookie: ruth })
            assert.ok([200, 400].includes(status), `${path}: ${status}`)
            assert.doesNotMatch(JSON.stringify(json.entry ?? json.issue ?? null), isEasts, path)
        }),
        { numRuns: 150 },
    )
})
