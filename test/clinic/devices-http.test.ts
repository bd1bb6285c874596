import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { toProblem } from "../../wire/tables/problems.ts"
import { ManualClock } from "../support/clock.ts"
import type { TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"

const clock = new ManualClock(Date.now()) // certificates are judged by the real time
const minuteMs = 60_000
let service: Service
let ada: number
let ken: number
let mote: TestMote
/** Of the routes about the mote. */
let path: string

before(async () => {
    service = await Service.start(clock, { timeZone: "UTC" })
    ;({ patient: ada, mote } = await service.admit())
    ;({ patient: ken } = await service.admit("Ken", "Ito"))
    path = `/api/motes/${mote.eui}`
})
after(() => service.close())

const doctor = (method: string, what: string, json?: object) =>
    service.call(method, what, { token: service.doctor, ...(json && { json }) })
const measure = async (value: number, time = clock.now()) => {
    await service.ingest([delivery(mote.seal([measurement("hr", value, time)], clock.now()), clock.now())])
}

test("a mote is taken off and put on somebody else, and says so as JSON, CSV, XML and HTML", async () => {
    await measure(60)
    await clock.advance(minuteMs)
    assert.equal((await doctor("DELETE", `${path}/association`)).status, 204)
    assert.equal((await doctor("DELETE", `${path}/association`)).status, 204, "an answer got lost")
    await clock.advance(minuteMs)
    await measure(61)
    const put = await doctor("PUT", `${path}/association`, { patient: ken })
    assert.deepEqual([put.status, put.json.patient, put.json.wornSince], [200, ken, clock.now()])
    const again = await doctor("PUT", `${path}/association`, { patient: ada })
    assert.deepEqual([again.status, toProblem(again.json)], [409, { code: "mote-in-use", patient: ken }])

    const found = (await doctor("GET", `${path}/associations`)).json as { patient: number; reason: string | null }[]
    assert.deepEqual(
        found.map(({ patient, reason }) => [patient, reason]),
        [
            [ada, "taken-off"],
            [ken, null],
        ],
    )
    assert.deepEqual((await doctor("GET", `/api/patients/${ada}/associations`)).json, [found[0]])
    const as = async (type: string, what: string) => {
        const { bytes, headers } = await service.call("GET", what, { token: service.doctor, headers: { accept: type } })
        assert.match(String(headers["content-type"]), new RegExp(`^${type}`))
        return bytes.toString()
    }
    assert.match(
        await as("text/csv", `${path}/associations`),
        new RegExp(`^id,mote,patient,begins.*\\r?\\n1,${mote.eui},${ada},`),
    )
    assert.match(await as("application/xml", `/api/patients/${ada}/associations`), /<reason>taken-off<\/reason>/)
    assert.match(await as("text/html", `${path}/associations`), new RegExp(`<td>${mote.eui}</td>`))

    const { json } = await doctor("GET", `${path}/unassigned`)
    assert.deepEqual([json.count, json.readings.map((r: { value: number }) => r.value), json.before], [1, [61], null])
    assert.match(await as("text/csv", `${path}/unassigned`), /^name,value,unit.*\r?\nhr,61,beat\/min,/)
    assert.deepEqual((await doctor("GET", `${path}/unassigned?before=1`)).json.readings, [])
    const listed = (await doctor("GET", "/api/motes")).json as { kid: string; unassigned: object; patient: number }[]
    const shown = listed.find(({ kid }) => kid === mote.eui)!
    assert.deepEqual([shown.patient, shown.unassigned], [ken, json && { count: 1, newest: json.readings[0].time }])
})

test("who may not administer motes neither moves them nor sees what is nobody's", async () => {
    const password = "correct horse battery"
    const json = { user: "own", role: "patient", password, patient: ada }
    assert.equal((await service.call("POST", "/api/users", { token: service.administrator, json })).status, 201)
    const cookie = await service.login("own", password)
    const own = (method: string, what: string) =>
        service.call(method, what, { cookie, headers: { origin: service.running.url } })
    for (const what of [`${path}/associations`, `${path}/unassigned`])
        assert.equal((await own("GET", what)).status, 403, what)
    assert.equal((await own("DELETE", `${path}/association`)).status, 403)
    assert.equal((await own("GET", `/api/patients/${ada}/associations`)).status, 200)
    assert.equal((await own("GET", `/api/patients/${ken}/associations`)).status, 403)
    assert.equal((await own("GET", `${path}/config`)).status, 404, "it is Ken's now")
})

test("there is no such mote, or patient", async () => {
    const none = "/api/motes/0000000000000000"
    for (const [method, what, body] of [
        ["PUT", `${none}/association`, { patient: ken }],
        ["DELETE", `${none}/association`],
        ["GET", `${none}/associations`],
        ["GET", `${none}/unassigned`],
        ["GET", "/api/patients/999/associations"],
    ] as const) {
        const { status, json } = await doctor(method, what, body)
        assert.deepEqual([status, toProblem(json)?.code], [404, "not-found"], `${method} ${what}`)
    }
    const nobody = await doctor("PUT", `${path}/association`, { patient: 999, confirmed: ["mote-in-use"] })
    assert.deepEqual([nobody.status, toProblem(nobody.json)?.code], [409, "not-on-the-ward"])
    assert.equal((await doctor("GET", "/api/motes")).json[0].patient, ken, "it was not taken off for that")
})
