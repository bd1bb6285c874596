import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import type { Alarm } from "../../clinic/alarms/alarm.ts"
import { Clinic, type ClinicOptions } from "../../clinic/clinic.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import { silentLog } from "../../host/log.ts"
import type { Measurement } from "../../wire/senml.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"

interface Event {
    kind: string
    id: number
    raised: boolean
    atS?: number
    value?: number
}

async function ward(o: Partial<ClinicOptions> = {}) {
    const clock = new ManualClock()
    const start = clock.now()
    const store = openSqlite(":memory:")
    const key = randomBytes(32)
    const reopen = () => Clinic.open({ store, clock, random: randomBytes, key, log: silentLog, ...o })
    const clinic = await reopen()
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const tell = async (...events: Event[]) => {
        const pack = events.flatMap(event => records(event, start))
        const now = clock.now()
        const [result] = await clinic.ingest([delivery(sealer.seal(pack, now, "alarm"), now, "alarm")])
        assert.equal(result!.status, "stored")
    }
    const all = async () => (await clinic.alarms.ofPatient(patient.id, 100)).map(alarm => line(alarm, start))
    const open = async () => (await clinic.alarms.open()).map(alarm => line(alarm, start))
    /** Each beginning on its own. */
    const occurrences = async () => {
        const ids = await store.db.selectFrom("alarm").select("id").execute()
        return (await clinic.alarms.byIds(ids.map(({ id }) => id))).map(alarm => line(alarm, start)).sort()
    }
    const report = async (name: string, value: number, unit: string) => {
        const now = clock.now()
        const envelope = sealer.seal([measurement(name, value, now, { unit })], now)
        await clinic.ingest([delivery(envelope, now)])
    }
    /** Seconds pass. */
    const pass = async (seconds: number) => {
        clock.step(seconds * 1000)
        await clinic.alarms.tick()
    }
    const one = async () => (await clinic.alarms.open())[0]!
    return { clock, start, clinic, reopen, patient, mote, sealer, tell, all, open, occurrences, report, pass, one }
}

/** As docs/alarms.md has it. */
function records({ kind, id, raised, atS = 0, value }: Event, start: number): Measurement[] {
    const time = start + atS * 1000
    const name = `alarm/${kind}`
    const records = [
        measurement(name, raised ? 1 : 0, time, { unit: "/" }),
        measurement(`${name}/id`, id, time, { unit: "count" }),
    ]
    if (value !== undefined) records.push(measurement(`${name}/value`, value, time, { unit: "beat/min" }))
    return records
}

function line({ kind, raisedAt, raisedValue, clearedAt, acknowledgedBy }: Alarm, start: number) {
    const seconds = (at: number | null) => (at === null ? "" : (at - start) / 1000)
    const by = acknowledgedBy === null ? "" : ` by ${acknowledgedBy}`
    return `${kind} ${raisedValue ?? "-"} ${seconds(raisedAt)}…${seconds(clearedAt)}${by}`
}

test("an alarm is open until it is over and somebody has seen to it, whichever comes first", async () => {
    const { clinic, tell, open, all } = await ward()
    await tell({ kind: "hr-high", id: 1, raised: true, value: 171 })
    assert.deepEqual(await open(), ["hr-high 171 0…"])
    const [alarm] = await clinic.alarms.open()
    await clinic.alarms.acknowledge(alarm!.id, "ruth")
    await assert.rejects(clinic.alarms.acknowledge(alarm!.id, "ken"), /^Error: ruth has acknowledged it already$/)
    assert.equal((await clinic.alarms.acknowledge(alarm!.id, "ruth"))?.state, "acknowledged", "an answer got lost")
    assert.deepEqual(await open(), ["hr-high 171 0… by ruth"])
    await tell({ kind: "hr-high", id: 1, raised: false, atS: 40, value: 120 })
    assert.deepEqual(await open(), [])
    assert.deepEqual(await all(), ["hr-high 171 0…40 by ruth"])

    await tell({ kind: "hr-low", id: 2, raised: true, atS: 50, value: 38 })
    await tell({ kind: "hr-low", id: 2, raised: false, atS: 60, value: 46 })
    assert.deepEqual(await open(), ["hr-low 38 50…60"], "over, and nobody saw it")
    const [later] = await clinic.alarms.open()
    await clinic.alarms.acknowledge(later!.id, "ken")
    assert.deepEqual(await open(), [])
    assert.equal(await clinic.alarms.acknowledge(999, "ken"), undefined)
})

test("what is about the mote only goes by itself once it is over", async () => {
    const { tell, open } = await ward()
    await tell({ kind: "contact", id: 1, raised: true })
    assert.deepEqual(await open(), ["contact - 0…"])
    await tell({ kind: "contact", id: 1, raised: false, atS: 9 })
    assert.deepEqual(await open(), [])
})

test("time alone ends nothing; the mote's revocation does", async () => {
    const { clinic, clock, mote, tell, open, all } = await ward()
    await tell({ kind: "hr-high", id: 1, raised: true, value: 171 })
    await tell({ kind: "a-new-kind", id: 2, raised: true })
    await clock.advance(30 * 86_400_000)
    assert.equal((await open()).length, 2)
    await clinic.revoke(mote.kid)
    assert.deepEqual(await open(), [])
    assert.deepEqual(await all(), ["a-new-kind - 0…2592000", "hr-high 171 0…2592000"])
})

test("an alarm that a later one of its kind follows has ended, though nobody said so", async () => {
    const { tell, open, occurrences } = await ward()
    await tell({ kind: "hr-high", id: 1, raised: true })
    await tell({ kind: "hr-high", id: 2, raised: true, atS: 30 })
    await tell({ kind: "hr-low", id: 3, raised: true, atS: 31 })
    assert.deepEqual(await open(), ["hr-low - 31…", "hr-high - 30…"])
    assert.deepEqual(await occurrences(), ["hr-high - 0…30", "hr-high - 30…", "hr-low - 31…"])
})

test("told in any order, any number of times: each alarm once, with the same beginning and end", async () => {
    const story: Event[] = [1, 2, 3].flatMap(id => [
        { kind: "hr-high", id, raised: true, atS: 10 * id, value: 150 },
        { kind: "hr-high", id, raised: false, atS: 10 * id + 5, value: 120 },
    ])
    const expected = ["hr-high 150 10…15", "hr-high 150 20…25", "hr-high 150 30…35"]
    await fc.assert(
        fc.asyncProperty(
            fc.shuffledSubarray([...story.keys()], { minLength: story.length }),
            fc.array(fc.nat(story.length - 1), { maxLength: 6 }),
            async (order, again) => {
                const { clinic, tell, occurrences, open } = await ward()
                for (const i of [...order, ...again]) await tell(story[i]!)
                assert.deepEqual(await occurrences(), expected)
                assert.deepEqual(await open(), [expected[2]], "one line, which nobody has seen to")
                assert.equal((await clinic.alarms.open())[0]!.count, 3)
                await clinic.close()
            },
        ),
        { numRuns: 30 },
    )
})

test("listeners hear of each alarm that has changed, as it is now", async () => {
    const { clinic, patient, tell } = await ward()
    const heard: string[][] = []
    clinic.liveAlarms.subscribe(changed =>
        heard.push(changed.map(({ kind, isOpen }) => `${kind} ${isOpen ? "open" : "over"}`)),
    )
    const told = async (what: Promise<unknown>) => {
        await what
        await clinic.liveAlarms.settled()
    }
    await told(tell({ kind: "hr-high", id: 1, raised: true }))
    await told(tell({ kind: "contact", id: 2, raised: true }))
    await told(clinic.alarms.acknowledge((await clinic.alarms.open())[0]!.id, "ruth"))
    await told(tell({ kind: "contact", id: 2, raised: false }))
    await told(clinic.discharge(patient.id))
    assert.deepEqual(heard, [["hr-high open"], ["contact open"], ["contact open"], ["contact over"], ["hr-high over"]])
})

test("an alarm that cannot be read is kept, with its problem; a reading in vitals is no alarm", async () => {
    const { clinic, clock, mote, sealer, all } = await ward()
    const now = clock.now()
    const bad = [measurement("alarm/hr-high", 1, now)]
    const deliver = (purpose: "alarm" | "vitals", pack: Measurement[]) =>
        clinic.ingest([delivery(sealer.seal(pack, now, purpose), now, purpose)])
    assert.equal((await deliver("alarm", bad))[0]!.status, "stored")
    assert.equal((await clinic.completeness(mote)).problems.newest, "an alarm has no id")
    const event = records({ kind: "hr-high", id: 1, raised: true }, now)
    assert.equal((await deliver("vitals", event))[0]!.status, "stored")
    assert.deepEqual(await all(), [])
})

test("a mote without memory that has another secret numbers anew, and is heard", async () => {
    const { clinic, clock, mote, tell, open, start } = await ward()
    await tell({ kind: "hr-high", id: 1, raised: true })
    const { secret } = (await clinic.rotate(mote.kid))!
    const renewed = new TestMote({ kid: mote.kid, secret })
    const again = async (...events: Event[]) => {
        const pack = events.flatMap(event => records(event, start))
        const envelope = renewed.seal(pack, clock.now(), "alarm")
        await clinic.ingest([delivery(envelope, clock.now(), "alarm")])
    }
    await again({ kind: "hr-high", id: 1, raised: false, atS: 5 })
    assert.deepEqual(await open(), ["hr-high - 0…5"], "the same alarm, if the mote remembers it")
    await again({ kind: "hr-high", id: 1, raised: true, atS: 60 })
    assert.deepEqual(await open(), ["hr-high - 60…"])
})
