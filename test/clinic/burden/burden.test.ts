import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { ManualClock } from "../../support/clock.ts"
import { alarmEvent, moteTime, type TestMote } from "../../support/mote.ts"
import { Service } from "../service.ts"
import { delivery, measurement } from "../support.ts"

const clock = new ManualClock(moteTime(Date.now()))
const hourMs = 3_600_000
const startMs = clock.now() - 3 * hourMs
let service: Service
let patient: number
let mote: TestMote
let nurse = ""

before(async () => {
    service = await Service.start(clock)
    ;({ patient, mote } = await service.admit())
    const data = { given: "Ada", family: "Beck", bed: "3", ward: "North" }
    await service.call("PUT", `/api/patients/${patient}`, { token: service.doctor, json: data })
    const json = { user: "nora", role: "nurse", wards: "all", password: "a long enough one" }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    nurse = (await service.call("POST", "/api/users/nora/tokens", { token: service.doctor })).json.token
    // An hour at 72, ten minutes at 135 and at 145, an hour at 72; a value every 10 s.
    const hr = [...Array(360).fill(72), ...Array(60).fill(135), ...Array(60).fill(145), ...Array(360).fill(72)]
    const batch = []
    for (let i = 0; i < hr.length; i += 20) {
        const pack = hr.slice(i, i + 20).map((bpm: number, j) => measurement("hr", bpm, startMs + (i + j) * 10_000))
        batch.push(delivery(mote.seal(pack, clock.now()), clock.now()))
    }
    await service.ingest(batch)
    await raise("hr-high", 1, startMs + hourMs + 10_000, 135)
    await clear("hr-high", 1, startMs + hourMs + 1_210_000)
    await raise("contact", 2, startMs)
    await clear("contact", 2, startMs + 30_000)
})
after(() => service.close())

async function event(kind: string, id: number, raised: boolean, time: number, value?: number): Promise<void> {
    const alarm = alarmEvent(kind, raised, time, { id, value: value ?? null })
    await service.ingest([delivery(mote.sealAlarms([alarm], clock.now()), clock.now(), "alarm")])
}
const raise = (kind: string, id: number, time: number, value?: number) => event(kind, id, true, time, value)
const clear = (kind: string, id: number, time: number) => event(kind, id, false, time)

const ask = (query: string, token = nurse) => service.call("GET", `/api/alarms/statistics?${query}`, { token })
const period = () => `from=${startMs - hourMs}&before=${clock.now() + hourMs}`
const replay = (body: object, token = nurse) =>
    service.call("POST", `/api/patients/${patient}/alarms/replay`, {
        ...{ token, json: { from: startMs - hourMs, before: clock.now(), limits: {}, ...body } },
    })

test("statistics: alarms for the time in which something was measured, the beds by name, by ward", async () => {
    const { json } = await ask(period())
    assert.equal(json.all.count, 2)
    assert.equal(json.all.endedSoon, 1)
    assert.ok(json.patientDays >= 2 / 24 && json.patientDays <= 4 / 24, String(json.patientDays))
    assert.deepEqual([json.loudest[0].family, json.loudest[0].bed, json.loudest[0].count], ["Beck", "3", 2])
    assert.equal((await ask(`${period()}&ward=North`)).json.all.count, 2)
    const elsewhere = (await ask(`${period()}&ward=South`)).json
    assert.deepEqual([elsewhere.all.count, elsewhere.patientDays], [0, 0])
})

test("statistics: as CSV a line for each kind", async () => {
    const answer = await ask(`${period()}&format=csv`)
    assert.match(String(answer.headers["content-type"]), /^text\/csv/)
    const lines = answer.bytes.toString().split("\r\n")
    assert.match(lines[0]!, /^kind,alarms,/)
    assert.deepEqual(
        lines
            .slice(1, 4)
            .map(line => line.split(",").slice(0, 2))
            .sort(),
        [
            ["all", "2"],
            ["contact", "1"],
            ["hr-high", "1"],
        ],
    )
})

test("statistics: not for a patient, and not for a year", async () => {
    const json = { user: "ada", role: "patient", patient, password: "a long enough one" }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    const { token } = (await service.call("POST", "/api/users/ada/tokens", { token: service.doctor })).json
    assert.equal((await ask(period(), token)).status, 403)
    assert.equal((await replay({}, token)).status, 403)
    assert.equal((await ask(`from=1&before=${clock.now()}`)).json.type, "urn:vitalmote:problem:too-long-a-time")
    assert.equal((await ask(`from=2&before=1`)).status, 400)
})

test("what if: the limits in force give what was; others fewer alarms, and say which they would have missed", async () => {
    const hrOf = (json: { kinds: { kind: string }[] }) => json.kinds.find(({ kind }) => kind === "hr-high")
    const same = await replay({})
    assert.deepEqual(hrOf(same.json), { kind: "hr-high", asSet: 1, whatIf: 1, missed: 0, latestMs: 0 })
    assert.equal(same.json.readings, 840)
    const later = await replay({ limits: { hrHigh: 140 } })
    assert.deepEqual(hrOf(later.json), { kind: "hr-high", asSet: 1, whatIf: 1, missed: 0, latestMs: 600_000 })
    const missed = await replay({ limits: { hrHigh: 150 } })
    assert.deepEqual(hrOf(missed.json), { kind: "hr-high", asSet: 1, whatIf: 0, missed: 1, latestMs: 0 })
    assert.deepEqual(missed.json.missed, [
        ...[{ kind: "hr-high", from: startMs + hourMs + 10_000, to: startMs + hourMs + 1_210_000, worst: 145 }],
    ])
    const patientOnes = await replay({ limits: { delay: 600 } })
    assert.deepEqual(hrOf(patientOnes.json), { kind: "hr-high", asSet: 1, whatIf: 1, missed: 0, latestMs: 590_000 })
    for (const limits of [{ hrHigh: 500 }, { led: 10 }, { hrHigh: "140" }, []])
        assert.equal((await replay({ limits })).status, 400, JSON.stringify(limits))
})
