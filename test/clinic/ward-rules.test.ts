import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { after, before, test } from "node:test"
import fc from "fast-check"
import { isWithin, minuteOfDay, type Shift } from "../../clinic/alarms/shifts.ts"
import { priorityOf } from "../../clinic/alarms/urgency.ts"
import { Clinic } from "../../clinic/clinic.ts"
import { silentLog } from "../../host/log.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { Service } from "./service.ts"
import { delivery } from "./support.ts"
import { newStore } from "./stores.ts"

const shifts = [
    { name: "day", from: "06:00", to: "21:00" },
    { name: "night", from: "21:00", to: "06:00" },
]
const settings = {
    acknowledgedMinutes: 5,
    shifts,
    escalation: [
        { afterSeconds: 60, tell: "nurse", shifts: ["day"] },
        { afterSeconds: 30, tell: "doctor", shifts: ["night"] },
        { afterSeconds: 120, tell: "doctor" },
    ],
    priorities: { "hr-high": { priority: "low" as const, severe: { beyond: 40, priority: "medium" as const } } },
}

async function ward(atUtc: number) {
    const clock = new ManualClock(atUtc)
    const store = await newStore()
    const open = { store, clock, random: randomBytes, key: randomBytes(32), log: silentLog, timeZone: "Europe/Berlin" }
    const clinic = await Clinic.open(open)
    await clinic.wardRules.put("ICU", settings, "dora", undefined)
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck", ward: "ICU" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const raise = async (value: number) => {
        const now = clock.now()
        const event = alarmEvent("hr-high", true, now, { id: now, value })
        await clinic.ingest([delivery(sealer.sealAlarms([event], now), now, "alarm")])
        return (await clinic.alarms.open())[0]!
    }
    const pass = async (seconds: number) => {
        clock.step(seconds * 1000)
        await clinic.alarms.tick()
        return (await clinic.alarms.open())[0]!.escalatedTo
    }
    return { clinic, store, open, raise, pass }
}

test("a ward's escalation goes by the shift in which the alarm began, by the ward's time", async () => {
    const day = await ward(Date.UTC(2026, 6, 1, 18, 59, 30)) // 20:59:30 in Berlin
    await day.raise(150)
    assert.deepEqual(await day.pass(59), [])
    assert.deepEqual(await day.pass(1), ["nurse"])
    assert.deepEqual(await day.pass(60), ["nurse", "doctor"])
    const night = await ward(Date.UTC(2026, 6, 1, 19)) // 21:00 in Berlin
    await night.raise(150)
    assert.deepEqual(await night.pass(30), ["doctor"])
})

test("a ward's rules hold over a restart: priorities, and how long an acknowledgement does", async () => {
    const { clinic, open, raise } = await ward(Date.UTC(2026, 6, 1, 10))
    assert.equal((await raise(150)).priority, "low")
    const again = await Clinic.open(open)
    const [alarm] = await again.alarms.open()
    const { until, since } = (await again.alarms.acknowledge(alarm!.id, "ruth"))!
    assert.equal(until! - since, 5 * 60_000)
    assert.equal(clinic.wardRules.get("ICU")?.author, "dora")
})

test("priority: by kind, and by how far the worst value is beyond the limit", () => {
    const of = (kind: string, limit: number | null, worst: number | null) => priorityOf(kind, limit, worst, {})
    assert.deepEqual(
        [of("hr-high", 130, 149.9), of("hr-high", 130, 150), of("hr-low", 40, 30), of("spo2-low", 88, 84)],
        ["medium", "high", "high", "medium"],
    )
    assert.deepEqual(
        [of("temp-high", 38.5, 40), of("hr-high", null, 250), of("contact", null, null)],
        ["high", "medium", "low"],
    )
    assert.equal(of("a-new-kind", null, null), "high", "nobody knows, so it is taken for the worst")
    assert.equal(priorityOf("hr-high", 130, 160, settings.priorities), "low")
    assert.equal(priorityOf("hr-high", 130, 170, settings.priorities), "medium")
})

test("shifts: every minute of the day belongs to one of two that share it, over the changes of the clock", () => {
    const time = fc.integer({ min: 0, max: 24 * 60 - 1 })
    const text = (minute: number) =>
        `${String(Math.trunc(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`
    fc.assert(
        fc.property(time, time, fc.integer({ min: 0, max: 4e12 }), (a, b, at) => {
            fc.pre(a !== b)
            const one: Shift = { name: "one", from: text(a), to: text(b) }
            const other: Shift = { name: "other", from: text(b), to: text(a) }
            const minute = minuteOfDay(at, "Europe/Berlin")
            assert.notEqual(isWithin(one, minute), isWithin(other, minute))
        }),
    )
    // 02:30 comes twice that night.
    assert.equal(minuteOfDay(Date.UTC(2026, 9, 25, 0, 30), "Europe/Berlin"), 150)
    assert.equal(minuteOfDay(Date.UTC(2026, 9, 25, 1, 30), "Europe/Berlin"), 150)
})

let service: Service
before(async () => (service = await Service.start()))
after(() => service.close())

test("a doctor changes a ward's rules, a nurse reads them; what makes no sense is refused with the place", async () => {
    const path = "/api/wards/ICU%202/alarms"
    const put = (json: unknown) => service.call("PUT", path, { token: service.doctor, json })
    const empty = await service.get(path)
    assert.deepEqual([empty.json.version, empty.json.settings, empty.json.receivers], [0, null, ["doctor", "nurse"]])
    assert.equal((await put({ settings, base: 0 })).json.version, 1)
    assert.equal((await put({ settings, base: 0 })).json.type, "urn:vitalmote:problem:newer-configuration")
    const with_ = (change: object) => ({ settings: { ...settings, ...change } })
    for (const [wrong, place] of [
        [with_({ escalation: [{ afterSeconds: 0, tell: "nobody" }] }), "body/settings/escalation/0/tell"],
        [
            with_({ escalation: [{ afterSeconds: 0, tell: "nurse", shifts: ["late"] }] }),
            "body/settings/escalation/0/shifts",
        ],
        [with_({ shifts: [{ name: "day", from: "25:00", to: "06:00" }] }), undefined],
        [with_({ acknowledgedMinutes: 0 }), undefined],
        [with_({ priorities: { "hr-hihg": { priority: "low" } } }), "body/settings/priorities/hr-hihg"],
        [with_({ more: 1 }), undefined],
    ] as const) {
        const { status, json } = await put(wrong)
        assert.equal(status, 400, JSON.stringify(json))
        if (place !== undefined) assert.equal(json.place, place)
    }
    const gap = await put(with_({ escalation: [{ afterSeconds: 60, tell: "nurse", shifts: ["day"] }] }))
    assert.deepEqual([gap.json.type, gap.json.time], ["urn:vitalmote:problem:nobody-to-tell", "00:00"])
    const json = { user: "nina", role: "nurse", wards: "all", password: "correct horse battery" }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    const cookie = await service.login("nina", json.password)
    assert.equal((await service.call("GET", path, { cookie })).json.version, 1)
    assert.equal((await service.call("PUT", path, { cookie, json: { settings } })).status, 403)
})

test("two nurses acknowledge at once: one of them is told who was first; history and log say who, when and what", async () => {
    const { mote, patient } = await service.admit()
    const now = Date.now()
    const event = alarmEvent("spo2-low", true, now, { value: 81 })
    await service.ingest([delivery(mote.sealAlarms([event], now), now, "alarm")])
    const [{ id, priority }] = (await service.get("/api/alarms")).json
    assert.equal(priority, "high")
    const path = `/api/alarms/${id}`
    const cookies = []
    for (const user of ["olga", "piet"]) {
        const json = { user, role: "nurse", wards: "all", password: "correct horse battery" }
        await service.call("POST", "/api/users", { token: service.doctor, json })
        cookies.push(await service.login(user, json.password))
    }
    const json = { acknowledged: true }
    const answers = await Promise.all(cookies.map(cookie => service.call("PUT", path, { cookie, json })))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409])
    const first = answers.find(({ status }) => status === 200)!.json.acknowledgedBy
    assert.equal(answers.find(({ status }) => status === 409)!.json.by, first)
    const history = (await service.get(`${path}/history`)).json as { change: string; by: string | null }[]
    assert.deepEqual(
        history.map(({ change, by }) => [change, by]),
        [
            ["raised", null],
            ["acknowledged", first],
        ],
    )
    const query = `from=${now - 60_000}&before=${now + 60_000}&patient=${patient}`
    const log = (await service.get(`/api/alarms/log?${query}`)).json
    assert.deepEqual([log.isWhole, log.alarms.length, log.alarms[0].firstSeenBy], [true, 1, first])
    const { bytes, headers } = await service.get(`/api/alarms/log?${query}&format=csv`)
    assert.match(String(headers["content-type"]), /^text\/csv/)
    const lines = bytes.toString().split("\r\n")
    assert.match(lines[0]!, /^ward,bed,family,given,alarm,priority,/)
    assert.match(lines[1]!, /^,,Beck,Ada,Oxygen saturation low,high,\d{4}-.*[+-]\d\d:\d\d,,1,81,81,%,\d+,(olga|piet),/)
    assert.equal(
        (await service.get("/api/alarms/log?from=1&before=9999999999999")).json.type,
        "urn:vitalmote:problem:too-long-a-time",
    )
})
