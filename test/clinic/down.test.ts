import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { decodeKeys, encodeWanted } from "../../wire/batch.ts"
import { openCommand, openConfig } from "../../wire/config.ts"
import { configFields, defaultConfig } from "../../wire/tables/settings.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, moteTime, TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"
import { toProblem } from "../../wire/tables/problems.ts"

const clock = new ManualClock(Date.now()) // certificates are judged by the real time
const password = "correct horse battery"
let service: Service
let ada: { patient: number; mote: TestMote; eui: string }
let ken: { patient: number; mote: TestMote; eui: string }
/** Ada's own. */
let token: string

before(async () => {
    service = await Service.start(clock)
    const admit = async (given: string) => {
        const admitted = await service.admit(given)
        return { ...admitted, eui: Buffer.from(admitted.mote.keys.kid).toString("hex") }
    }
    ada = await admit("Ada")
    ken = await admit("Ken")
    const doctor = { token: service.doctor }
    const json = { user: "ada", role: "patient", password, patient: ada.patient }
    await service.call("POST", "/api/users", { ...doctor, json })
    ;({ token } = (await service.call("POST", "/api/users/ada/tokens", doctor)).json)
})
after(() => service.close())

const asDoctor = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token: service.doctor, ...(json !== undefined && { json }) })
const asAda = (method: string, path: string, json?: unknown) =>
    service.call(method, path, { token, ...(json !== undefined && { json }) })

async function alarm(mote: TestMote, id: number, raised: boolean): Promise<void> {
    const now = clock.now()
    const event = alarmEvent("hr-high", raised, now, { id, value: 171 })
    await service.ingest([delivery(mote.sealAlarms([event], now), now, "alarm")])
}

test("routers get what waits, and a short answer where nothing has changed", async () => {
    const ask = (etag?: string) =>
        service.call("GET", "/ingest/keys", {
            token: service.router,
            ...(etag !== undefined && { headers: { "if-none-match": etag } }),
        })
    await service.call("POST", "/ingest/keys", {
        ...{ token: service.router, headers: { "content-type": "application/cbor" } },
        body: encodeWanted([Buffer.from(ken.eui, "hex")]),
    })
    const first = await ask()
    const etag = String(first.headers.etag)
    const same = await ask(etag)
    assert.deepEqual([same.status, same.bytes.length, same.headers.etag], [304, 0, etag])
    const path = `/api/motes/${ken.eui}`
    const put = await asDoctor("PUT", `${path}/config`, { settings: { hrHigh: 140 } })
    assert.equal(put.status, 202)
    assert.equal((await asDoctor("POST", `${path}/commands`, { command: "identify" })).status, 202)
    const changed = await ask(etag)
    assert.equal(changed.status, 200)
    const keys = decodeKeys(changed.bytes).find(({ kid }) => Buffer.from(kid).toString("hex") === ken.eui)!
    assert.equal(openConfig(keys.sealedConfig!, ken.mote.keys).values.hrHigh, 140)
    assert.equal(openCommand(keys.commands![0]!.sealed, ken.mote.keys).command, "identify")
})

test("doctors set, patients read their own; everybody gets the ranges", async () => {
    const path = `/api/motes/${ada.eui}/config`
    const first = await asAda("GET", path)
    assert.deepEqual(first.json, {
        ...{ kid: ada.eui, patient: ada.patient, newest: null, commands: [] },
        inForce: { version: 0, heardAt: null, settings: defaultConfig },
        settings: defaultConfig,
        fields: JSON.parse(JSON.stringify(configFields)),
        router: first.json.router,
    })
    assert.equal((await asAda("PUT", path, { settings: {} })).status, 403)
    assert.equal((await asAda("GET", `/api/motes/${ken.eui}/config`)).status, 404)
    assert.equal((await asAda("GET", "/api/motes/0011223344556677/config")).status, 404)
    assert.equal((await asDoctor("GET", "/api/motes/0011223344556677/config")).status, 404)
    assert.equal((await asDoctor("PUT", "/api/motes/0011223344556677/config", { settings: {} })).status, 404)
    assert.equal((await asAda("POST", `/api/motes/${ada.eui}/commands`, { command: "clear" })).status, 403)

    const put = await asDoctor("PUT", path, { settings: { report: 30 }, base: 0 })
    assert.deepEqual([put.json.version, put.json.author, put.json.state], [1, "doctor", "pending"])
    const again = await asDoctor("PUT", path, { settings: { report: 31 }, base: 0 })
    assert.equal(again.status, 409)
    const { json } = await asAda("GET", path)
    assert.deepEqual([json.inForce.version, json.newest.version, json.settings.report], [0, 1, 30])
    const history = await asAda("GET", `${path}/history`)
    assert.deepEqual([history.json.length, history.json[0].settings.report], [1, 30])
})

test("configurations and commands that cannot be are refused in one line", async () => {
    const path = `/api/motes/${ada.eui}`
    for (const [code, method, where, body] of [
        ["bad-request", "PUT", "config", {}],
        ["bad-request", "PUT", "config", { settings: [] }],
        ["bad-settings", "PUT", "config", { settings: { hrHigh: 1000 } }],
        ["bad-settings", "PUT", "config", { settings: { hrHigh: "140" } }],
        ["bad-settings", "PUT", "config", { settings: { __proto__: null, constructor: 1 } }],
        ["bad-settings", "PUT", "config", { settings: { router: "http://x" } }],
        ["bad-request", "PUT", "config", { settings: {}, base: -1 }],
        ["bad-request", "PUT", "config", { settings: {}, more: 1 }],
        ["bad-request", "POST", "commands", { command: "reboot" }],
        ["bad-request", "POST", "commands", null],
    ] as const) {
        const answer = await asDoctor(method, `${path}/${where}`, body)
        assert.equal(answer.status, 400, JSON.stringify(body))
        assert.match(String(answer.headers["content-type"]), /^application\/problem\+json/)
        assert.equal(toProblem(answer.json)?.code, code)
        assert.doesNotMatch(answer.json.detail, /\n| {4}at /)
    }
})

test("alarms: doctors see all, patients their own; who acknowledged is known by name", async () => {
    await alarm(ada.mote, 1, true)
    await alarm(ken.mote, 1, true)
    const list = await asDoctor("GET", "/api/alarms")
    assert.equal(list.json.length, 2)
    const own = await asAda("GET", "/api/alarms")
    assert.equal(own.json.length, 1)
    const [mine] = own.json
    assert.deepEqual(
        [mine.mote, mine.kind, mine.raisedValue, mine.unit, mine.acknowledgedBy, mine.isOpen],
        [ada.eui, "hr-high", 171, "beat/min", null, true],
    )
    const path = `/api/alarms/${mine.id}`
    assert.equal((await asAda("PUT", path, { acknowledged: true })).status, 403)
    assert.equal((await asAda("GET", `/api/alarms?patient=${ken.patient}`)).status, 403)
    assert.equal((await asDoctor("PUT", path, { acknowledged: "no" })).status, 400)
    assert.equal((await asDoctor("PUT", path, { pauseMinutes: 7 })).status, 400)
    assert.equal(
        (await asDoctor("PUT", path, { acknowledged: false })).json.type,
        "urn:vitalmote:problem:nothing-to-undo",
    )
    assert.equal((await asDoctor("PUT", "/api/alarms/999", { acknowledged: true })).status, 404)
    const seen = await asDoctor("PUT", path, { acknowledged: true })
    assert.deepEqual([seen.json.acknowledgedBy, seen.json.isOpen], ["doctor", true])
    await alarm(ada.mote, 1, false)
    assert.deepEqual((await asAda("GET", "/api/alarms")).json, [])
    const all = await asAda("GET", `/api/alarms?patient=${ada.patient}`)
    assert.deepEqual(
        all.json.map((a: { isOpen: boolean; clearedAt: number }) => [a.isOpen, a.clearedAt]),
        [[false, moteTime(clock.now())]],
    )
})

test("a new secret shows once and takes over with the first envelope under it", async () => {
    const path = `/api/motes/${ken.eui}/rotate`
    assert.equal((await asAda("POST", path)).status, 403)
    assert.equal((await asDoctor("POST", "/api/motes/0011223344556677/rotate")).status, 404)
    const { status, json } = await asDoctor("POST", path)
    assert.equal(status, 201)
    assert.match(json.secret, /^[0-9a-f]{64}$/)
    const secret = Buffer.from(json.secret as string, "hex")
    const renewed = new TestMote({ kid: ken.mote.keys.kid, secret })
    const send = async (mote: TestMote) => {
        await clock.advance(1)
        const now = clock.now()
        const envelope = mote.seal([measurement("hr", 70, now)], now)
        const [result] = await service.ingest([delivery(envelope, now)])
        return result!.status
    }
    assert.deepEqual(
        [await send(ken.mote), await send(renewed), await send(ken.mote), await send(renewed)],
        ["stored", "stored", "refused", "stored"],
    )
    assert.doesNotMatch((await asDoctor("GET", "/api/motes")).bytes.toString(), /secret/)
})

test("what is written about the interface names it all", async () => {
    const { json } = await service.get("/api/openapi.json")
    for (const path of [
        "/api/motes/{kid}/config",
        "/api/motes/{kid}/config/history",
        "/api/motes/{kid}/commands",
        "/api/motes/{kid}/rotate",
        "/api/alarms",
        "/api/alarms/{id}",
        "/api/alarms/{id}/history",
        "/api/alarms/log",
    ])
        assert.ok(path in json.paths, path)
})
