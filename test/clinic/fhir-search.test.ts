import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { ManualClock } from "../support/clock.ts"
import { moteTime, type TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { Service, type Answer, type CallOptions } from "./service.ts"

/** What clients of other servers ask, as in the public search cases of R4 servers. */

const clock = new ManualClock(moteTime(Date.now())) // certificates are judged by the real time
let service: Service
let ada: { patient: number; mote: TestMote }
let ken: { patient: number; mote: TestMote }
let start: number

before(async () => {
    service = await Service.start(clock)
    ada = await service.admit("Ada", "Béck")
    ken = await service.admit("Ken", "Ito")
    const put = (patient: number, json: object) =>
        service.call("PUT", `/api/patients/${patient}`, { token: service.doctor, json })
    await put(ada.patient, {
        ...{ given: "Ada", family: "Béck", birthDate: "1949-02-11", gender: "female", identifier: "H-4711" },
        ...{ ward: "3 West", bed: "3" },
    })
    await put(ken.patient, { given: "Ken", family: "Ito", birthDate: "1961-07-30", gender: "male", ward: "3 East" })
    start = clock.now() - 100_000
    for (const [{ mote }, base] of [
        [ada, 60],
        [ken, 90],
    ] as const) {
        const pack = Array.from({ length: 10 }, (_, i) => [
            measurement("hr", base + i, start + i * 2000),
            measurement("temp", 36 + i / 10, start + i * 2000),
        ]).flat()
        await service.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
        await clock.advance(1000)
    }
})
after(() => service.close())

type Entry = { resource: Record<string, unknown> & { resourceType: string; id: string }; search: { mode: string } }

async function ask(path: string, o: CallOptions = {}): Promise<Answer & { entries: Entry[] }> {
    const answer = await service.call("GET", `/fhir/${path}`, { token: service.doctor, ...o })
    return { ...answer, entries: (answer.json?.entry ?? []) as Entry[] }
}

async function ids(path: string): Promise<string[]> {
    const { status, entries, json } = await ask(path)
    assert.equal(status, 200, `${path}: ${JSON.stringify(json)}`)
    return entries.map(({ resource }) => `${resource.resourceType}/${resource.id}`)
}

/** The values found, in their order. */
async function values(query: string): Promise<number[]> {
    const { status, entries, json } = await ask(`Observation?${query}`)
    assert.equal(status, 200, `${query}: ${JSON.stringify(json)}`)
    return entries.map(({ resource }) => (resource.valueQuantity as { value: number }).value)
}

test("patients by name, identifier, day of birth and gender, with the modifiers of R4", async () => {
    const [isAda, isKen] = [[`Patient/${ada.patient}`], [`Patient/${ken.patient}`]]
    const both = [...isAda, ...isKen]
    const cases: [string, string[]][] = [
        ["name=beck", isAda],
        ["name=BÉ", isAda],
        ["name=ada", isAda],
        ["name=eck", []],
        ["name:contains=ec", isAda],
        ["name:exact=Béck", isAda],
        ["name:exact=Beck", []],
        ["family=ito,beck", both],
        ["family=ito&given=ada", []],
        ["identifier=H-4711", isAda],
        ["identifier=h-4711", []],
        ["identifier=|H-4711", isAda],
        ["identifier:missing=true", isKen],
        ["birthdate=1949", isAda],
        ["birthdate=gt1950-01-01", isKen],
        ["birthdate=lt1949-02-11", []],
        ["birthdate=le1949-02-11", isAda],
        ["gender=male,female", both],
        ["gender:not=male", isAda],
        ["gender=http://hl7.org/fhir/administrative-gender|male", isKen],
        ["active=true", both],
        ["active=false", []],
        [`_id=${ken.patient},${ada.patient},999`, both],
        ["_sort=-birthdate", [...isKen, ...isAda]],
        ["_sort=family", both],
        ["_sort=-family", [...isKen, ...isAda]],
        ["_sort=gender,-name", both],
    ]
    for (const [query, expected] of cases) assert.deepEqual(await ids(`Patient?${query}`), expected, query)
})

test("lists of values are alternatives, repeated parameters all hold, quantities compare by their precision", async () => {
    const iso = (i: number) => new Date(start + i * 2000).toISOString()
    const of = `patient=${ada.patient}&code=8867-4&_sort=date`
    assert.deepEqual(await values(`${of}&date=${iso(1)},${iso(4)}`), [61, 64])
    assert.deepEqual(await values(`${of}&date=lt${iso(2)},gt${iso(7)}&date=ne${iso(0)}`), [61, 68, 69])
    const zoned = new Date(start + 2000 + 5.5 * 3_600_000).toISOString().replace("Z", "+05:30")
    assert.deepEqual(await values(`${of}&date=${encodeURIComponent(zoned)}`), [61])
    assert.deepEqual(await values(`${of}&value-quantity=gt67`), [68, 69])
    assert.deepEqual(await values(`${of}&value-quantity=67`), [67])
    assert.deepEqual(await values(`${of}&value-quantity=67.0|http://unitsofmeasure.org|/min`), [67])
    assert.deepEqual(await values(`${of}&value-quantity=67||Cel`), [])
    assert.deepEqual(await values(`${of}&value-quantity=7e1`), [65, 66, 67, 68, 69])
    assert.deepEqual(await values(`${of}&value-quantity=lt61,ge69`), [60, 69])
    assert.deepEqual((await values(`patient=${ada.patient}&code:not=8310-5&_sort=date`)).slice(0, 2), [60, 61])
    assert.deepEqual(await values(`${of}&status:missing=true`), [])
    assert.equal((await values(`patient=${ada.patient}&code=8867-4&_sort=-_lastUpdated`)).length, 10)
})

test("references: absolute, typed, chained, of another server; and by what points here", async () => {
    const own = `${service.running.url}/fhir`
    const newest = [69, 36.9]
    const cases: [string, number[]][] = [
        [`subject=${own}/Patient/${ada.patient}`, newest],
        [`subject:Patient=${ada.patient}`, newest],
        ["subject=https://elsewhere.example/fhir/Patient/1", []],
        ["patient.identifier=H-4711", newest],
        ["patient.name=beck", newest],
        ["subject:Patient.family:exact=Béck", newest],
        ["patient.name=nobody", []],
        [`device=Device/${ada.mote.eui}`, newest],
        [`device=${ada.mote.eui}`, newest],
        [`device.identifier=urn:dev:mac:${ada.mote.eui}`, newest],
        ["device.patient.name=beck", newest],
        ["device=0000000000000000", []],
        [`patient._has:Device:patient:_id=${ada.mote.eui}`, newest],
    ]
    for (const [query, expected] of cases)
        assert.deepEqual(
            (await values(`${query}&_count=2`)).toSorted((a, b) => b - a),
            expected,
            query,
        )
    assert.deepEqual(await ids(`Patient?_has:Observation:patient:value-quantity=gt95`), [`Patient/${ken.patient}`])
})

test("what is included: what matches point at, what points at them, each once", async () => {
    const of = `patient=${ada.patient}&_count=3`
    const modes = async (path: string) =>
        (await ask(path)).entries.map(({ resource, search }) => `${search.mode} ${resource.resourceType}`)
    const matches = Array<string>(3).fill("match Observation")
    assert.deepEqual(await modes(`Observation?${of}&_include=Observation:device`), [...matches, "include Device"])
    const three = [...matches, "include Patient", "include Device"]
    assert.deepEqual(
        await modes(`Observation?${of}&_include=Observation:subject:Patient&_include=Observation:*`),
        three,
    )
    const chained = `Observation?${of}&_include=Observation:device&_include:iterate=Device:patient`
    assert.deepEqual((await modes(chained)).toSorted(), three.toSorted())
    assert.deepEqual(await modes(`Patient?_id=${ada.patient}&_revinclude=DeviceUseStatement:subject`), [
        ...["match Patient", "include DeviceUseStatement"],
    ])
    const both = await modes(`Device?_id=${ada.mote.eui}&_include=Device:patient&_revinclude=Observation:device`)
    assert.equal(both.length, 22)
})

test("parts of resources, numbers of matches, and forms", async () => {
    const { entries, json } = await ask(
        `Observation?patient=${ada.patient}&_count=1&_elements=valueQuantity&_total=accurate`,
    )
    assert.equal(json.total, 20)
    const [{ resource }] = entries as [Entry]
    assert.deepEqual(Object.keys(resource), ["resourceType", "id", "meta", "status", "code", "valueQuantity"])
    assert.equal((resource.meta as { tag: { code: string }[] }).tag[0]!.code, "SUBSETTED")
    const whole = await ask(`Observation?_count=1&_summary=false`)
    assert.ok("device" in whole.entries[0]!.resource)
    const short = await ask(`Observation?_count=1&_summary=true`)
    assert.ok("effectiveDateTime" in short.entries[0]!.resource && !("device" in short.entries[0]!.resource))
    for (const query of ["_summary=count", "_count=0"]) {
        const { json } = await ask(`Observation?patient=${ada.patient}&value-quantity=gt50&${query}`)
        assert.deepEqual([json.total, json.entry], [10, undefined], query)
    }
    assert.equal((await ask(`Patient/${ada.patient}?_elements=gender`)).json.name, undefined)
    const post = (body: string, type = "application/x-www-form-urlencoded") =>
        service.call("POST", "/fhir/Observation/_search?_count=2", {
            ...{ token: service.doctor, body, headers: { "content-type": type } },
        })
    const posted = await post(`patient=${ada.patient}&code=8867-4`)
    assert.deepEqual(
        posted.json.entry.map(
            (entry: { resource: { valueQuantity: { value: number } } }) => entry.resource.valueQuantity.value,
        ),
        [69, 68],
    )
    const next = posted.json.link.find((link: { relation: string }) => link.relation === "next").url as string
    assert.deepEqual(await values(next.split("?")[1]!), [67, 66])
    assert.equal((await post("{}", "application/json")).status, 415)
    assert.equal((await post("foo=1")).status, 400)
    const events = await service.call("GET", "/fhir/AuditEvent?_count=1&action=R&agent=doctor", {
        token: service.administrator,
    })
    assert.equal(events.json.entry[0].resource.action, "R", "a search by POST is a look")
})

test("a parameter that nobody knows is refused by name, or left out and told of", async () => {
    const strict = await ask("Observation?favourite=1")
    assert.equal(strict.status, 400)
    assert.deepEqual(strict.json.issue[0].location, ["http.favourite"])
    const prefer = { headers: { prefer: "handling=lenient; respond-async" } }
    const lenient = await ask(`Observation?favourite=1&patient=${ada.patient}&_count=1`, prefer)
    assert.deepEqual(
        lenient.entries.map(({ search }) => search.mode),
        ["match", "outcome"],
    )
    assert.ok(!lenient.json.link[0].url.includes("favourite"))
    assert.equal((await ask("Observation?date=soon", prefer)).status, 400)
    assert.equal((await ask("Observation?patient.name:not=x")).json.issue[0].location[0], "http.name:not")
})

test("versions, and what has not changed", async () => {
    const first = await ask(`Patient/${ada.patient}`)
    const { etag } = first.headers as { etag: string }
    const { versionId } = first.json.meta as { versionId: string }
    assert.equal(etag, `W/"${versionId}"`)
    const status = async (headers: Record<string, string>) => (await ask(`Patient/${ada.patient}`, { headers })).status
    assert.equal(await status({ "if-none-match": etag }), 304)
    assert.equal(await status({ "if-none-match": `"1", ${etag}` }), 304)
    assert.equal(await status({ "if-none-match": 'W/"1"' }), 200)
    assert.equal(await status({ "if-modified-since": String(first.headers["last-modified"]) }), 304)
    assert.equal(await status({ "if-modified-since": new Date(clock.now() - 3_600_000).toUTCString() }), 200)
    assert.equal((await ask(`Patient/${ada.patient}/_history/${versionId}`)).json.id, String(ada.patient))
    assert.equal((await ask(`Patient/${ada.patient}/_history/1`)).status, 404)
    for (const [method, path, allow] of [
        ["PUT", "/fhir/Patient/1", "GET, HEAD"],
        ["POST", "/fhir/Patient", "GET, HEAD"],
        ["DELETE", "/fhir/Patient/_search", "POST"],
        ["PATCH", "/fhir/metadata", "GET, HEAD"],
    ] as const) {
        const answer = await service.call(method, path, { token: service.doctor })
        assert.deepEqual([answer.status, answer.headers.allow], [405, allow], `${method} ${path}`)
    }
})

test("who polls by the time of storing gets what arrives late, each once, over pages", async () => {
    const { mote, patient } = await service.admit("Lena", "Late")
    await clock.advance(20_000)
    const since = clock.now()
    const old = since - 3_600_000
    const packs = [
        [measurement("hr", 71, since)],
        [measurement("hr", 72, old), measurement("hr", 73, old + 1)],
        [measurement("hr", 74, since + 100)],
    ]
    for (const pack of packs) {
        await service.ingest([delivery(mote.seal(pack, clock.now()), clock.now())])
        await service.call("POST", `/api/patients/${patient}/news2`, {
            token: service.doctor,
            json: { respiration: 16 },
        })
        await clock.advance(1000)
    }
    const of = `patient=${patient}&code=8867-4,9279-1`
    const polled = (query: string) => values(`${of}&_lastUpdated=${query}`)
    const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString())
    assert.deepEqual(await polled(`ge${iso(since)}`), [71, 16, 72, 73, 16, 74, 16])
    assert.deepEqual(await polled(`gt${iso(since)}`), [72, 73, 16, 74, 16])
    assert.deepEqual(await polled(`gt${iso(since + 1000)}&_sort=date`), [74, 16])
    assert.deepEqual(await polled(`gt${iso(clock.now())}`), [])
    const seen: number[] = []
    for (let query: string | undefined = `${of}&_lastUpdated=ge${iso(since)}&_count=2`; query !== undefined;) {
        const { entries, json }: Awaited<ReturnType<typeof ask>> = await ask(`Observation?${query}`)
        seen.push(...entries.map(({ resource }) => (resource.valueQuantity as { value: number }).value))
        query = json.link.find((link: { relation: string }) => link.relation === "next")?.url.split("?")[1]
    }
    assert.deepEqual(seen, [71, 16, 72, 73, 16, 74, 16])
})

test("$lastn: the last ones of each patient and code", async () => {
    const newest = await ask(`Observation/$lastn?patient=${ada.patient},${ken.patient}`)
    const shown = ({ entries }: { entries: Entry[] }) =>
        entries.map(({ resource }) => (resource.valueQuantity as { value: number }).value)
    assert.deepEqual(shown(newest), [69, 36.9, 99, 36.9])
    assert.deepEqual(shown(await ask(`Observation/$lastn?patient.name=beck&code=8867-4&max=3`)), [69, 68, 67])
    const iso = new Date(start + 4000).toISOString()
    assert.deepEqual(shown(await ask(`Observation/$lastn?patient=${ada.patient}&code=8867-4&date=lt${iso}`)), [61])
    for (const query of ["max=0", "max=101", "max=1&max=2", "device=1", "_sort=date", "foo=1"])
        assert.equal((await ask(`Observation/$lastn?${query}`)).status, 400, query)
})

test("$stats: of a patient and a time", async () => {
    const of = `Observation/$stats?patient=${ada.patient}&code=8867-4`
    const shown = async (query: string) =>
        ((await ask(of + query)).json.parameter?.[0].resource.component ?? []).map(
            (part: { code: { coding: { code: string }[] }; valueQuantity: { value: number } }) =>
                `${part.code.coding[0]!.code} ${part.valueQuantity.value}`,
        ) as string[]
    assert.deepEqual(await shown(""), ["average 64.5", "minimum 60", "maximum 69", "count 10"])
    const iso = (i: number) => new Date(start + i * 2000).toISOString()
    assert.deepEqual(await shown(`&date=ge${iso(2)}&date=lt${iso(4)}&statistic=average,count`), [
        "average 62.5",
        "count 2",
    ])
    assert.deepEqual(await shown("&duration=0"), [])
    for (const query of ["&statistic=mode", "&duration=long", "&date=ne2024", "&device=1"])
        assert.equal((await ask(of + query)).status, 400, query)
    assert.equal((await ask("Observation/$stats?code=8867-4")).status, 400)
})

test("$everything: all there is of a patient, over pages", async () => {
    const seen: string[] = []
    let path: string | undefined = `Patient/${ada.patient}/$everything?_count=5`
    while (path !== undefined) {
        const { entries, json }: Awaited<ReturnType<typeof ask>> = await ask(path)
        assert.ok(entries.length > 0 && entries.length <= 5)
        seen.push(...entries.map(({ resource }) => `${resource.resourceType}/${resource.id}`))
        path = json.link.find((link: { relation: string }) => link.relation === "next")?.url.split("/fhir/")[1]
    }
    assert.equal(new Set(seen).size, seen.length)
    const kinds = seen.map(one => one.split("/")[0]!)
    const count = (kind: string) => kinds.filter(one => one === kind).length
    assert.deepEqual(["Observation", "Patient", "Device", "DeviceUseStatement"].map(count), [20, 1, 1, 1])
    const only = await ids(`Patient/${ada.patient}/$everything?_type=Device,Patient`)
    assert.deepEqual(only, [`Patient/${ada.patient}`, `Device/${ada.mote.eui}`])
    const late = await ask(
        `Patient/${ada.patient}/$everything?_type=Observation&start=${new Date(start + 16_000).toISOString()}`,
    )
    assert.equal(late.entries.length, 4)
    assert.equal((await ask("Patient/999/$everything")).status, 404)
    for (const query of ["_type=AuditEvent", "_cursor=x", "foo=1", "start=soon"])
        assert.equal((await ask(`Patient/${ada.patient}/$everything?${query}`)).status, 400, query)
})
