import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import type { Alarm } from "../../clinic/alarms/alarm.ts"
import { Clinic, type ClinicOptions } from "../../clinic/clinic.ts"
import { silentLog } from "../../host/log.ts"
import { encodeAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import { encode } from "../../wire/cbor.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { isLong } from "../support/long.ts"
import { newStore, onEngine } from "./stores.ts"

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
    const store = await newStore()
    const key = randomBytes(32)
    const reopen = () => Clinic.open({ store, clock, random: randomBytes, key, log: silentLog, ...o })
    const clinic = await reopen()
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const tell = async (...events: Event[]) => {
        const now = clock.now()
        const envelope = sealer.sealAlarms(
            events.map(event => said(event, start)),
            now,
        )
        const [result] = await clinic.ingest([delivery(envelope, now, "alarm")])
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

function said({ kind, id, raised, atS = 0, value }: Event, start: number): AlarmEvent {
    return alarmEvent(kind, raised, start + atS * 1000, { id, value: value ?? null })
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
    await tell({ kind: "kind-40", id: 2, raised: true })
    await clock.advance(30 * 86_400_000)
    assert.equal((await open()).length, 2)
    await clinic.revoke(mote.kid)
    assert.deepEqual(await open(), [])
    assert.deepEqual(await all(), ["kind-40 - 0…2592000", "hr-high 171 0…2592000"])
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
        { numRuns: onEngine(30) },
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
    const deliver = async (purpose: "alarm" | "vitals", plaintext: Uint8Array) => {
        const [result] = await clinic.ingest([delivery(sealer.envelope({ purpose, plaintext }), now, purpose)])
        assert.equal(result!.status, "stored")
        return (await clinic.completeness(mote)).problems.newest
    }
    assert.equal(await deliver("alarm", encode([[1, -1, 1, now, null]])), "an alarm is malformed")
    const event = encodeAlarms([alarmEvent("hr-high", true, now)], now)
    assert.equal(await deliver("vitals", event), "not a pack")
    assert.deepEqual(await all(), [])
})

test("a mote without memory that has another secret numbers anew, and is heard", async () => {
    const { clinic, clock, mote, tell, open, start } = await ward()
    await tell({ kind: "hr-high", id: 1, raised: true })
    const { secret } = (await clinic.rotate(mote.kid))!
    const renewed = new TestMote({ kid: mote.kid, secret })
    const again = async (...events: Event[]) => {
        const envelope = renewed.sealAlarms(
            events.map(event => said(event, start)),
            clock.now(),
        )
        await clinic.ingest([delivery(envelope, clock.now(), "alarm")])
    }
    await again({ kind: "hr-high", id: 1, raised: false, atS: 5 })
    assert.deepEqual(await open(), ["hr-high - 0…5"], "the same alarm, if the mote remembers it")
    await again({ kind: "hr-high", id: 1, raised: true, atS: 60 })
    assert.deepEqual(await open(), ["hr-high - 60…"])
})

const escalating = {
    alarmRules: {
        ...{ acknowledgedMs: 600_000, first: [], priorities: {} },
        steps: [
            { afterMs: 60_000, tell: ["nurse in charge"] },
            { afterMs: 180_000, tell: ["doctor"] },
        ],
    },
}

test("an alarm that nobody attends to escalates, over restarts and clocks that jump", async () => {
    const { clinic, clock, reopen, tell, pass, one } = await ward(escalating)
    await tell({ kind: "hr-high", id: 1, raised: true, value: 171 })
    await pass(59)
    assert.equal((await one()).level, 0)
    const restarted = await reopen()
    clock.step(1000)
    await restarted.alarms.tick()
    assert.equal((await restarted.alarms.open())[0]!.level, 1)
    // Back by a day: the step that is left waits for no longer than it would have from now on.
    clock.step(-86_400_000)
    await restarted.alarms.tick()
    await pass(179)
    assert.equal((await one()).level, 1)
    await pass(1)
    assert.equal((await one()).level, 2)
    const history = await clinic.alarms.history((await one()).id)
    assert.deepEqual(
        history.map(({ change, level }) => `${change} ${level}`),
        ["raised 0", "escalated 1", "escalated 2"],
    )
})

test("a pause ends with its time, over a restart, and after the clock went back", async () => {
    const { clinic, clock, reopen, tell, pass, one } = await ward()
    await tell({ kind: "hr-high", id: 1, raised: true, value: 171 })
    await clinic.alarms.pause((await one()).id, "ruth", 2)
    await pass(119)
    assert.deepEqual([(await one()).state, (await one()).acknowledgedBy], ["paused", "ruth"])
    const restarted = await reopen()
    clock.step(1000)
    await restarted.alarms.tick()
    assert.deepEqual([(await one()).state, (await one()).acknowledgedBy], ["raised", null])
    await clinic.alarms.pause((await one()).id, "ruth", 30)
    clock.step(-7 * 86_400_000)
    await clinic.alarms.tick()
    await pass(30 * 60)
    assert.equal((await one()).state, "raised", "half an hour, not a week")
})

test("what somebody did can be taken back for a minute; nobody is told less for that", async () => {
    const { clinic, tell, pass, one } = await ward(escalating)
    await tell({ kind: "hr-high", id: 1, raised: true, value: 171 })
    await pass(30)
    const { id } = await one()
    await clinic.alarms.acknowledge(id, "ruth")
    await pass(40)
    assert.equal((await clinic.alarms.undo(id, "ken"))!.state, "raised")
    assert.deepEqual([(await one()).acknowledgedBy, (await one()).firstSeenBy], [null, null])
    await pass(0)
    assert.equal((await one()).level, 1, "the step that had been waited for")
    await clinic.alarms.acknowledge(id, "ruth")
    await pass(61)
    await assert.rejects(clinic.alarms.undo(id, "ruth"), /nothing to take back/)
})

test("acknowledged, it speaks again when it is worse by a step, and when it lasts longer than that allows", async () => {
    const { clinic, tell, report, pass, one } = await ward(escalating)
    await tell({ kind: "hr-high", id: 1, raised: true, value: 131 })
    assert.deepEqual([(await one()).limitValue, (await one()).priority], [130, "medium"])
    await report("hr", 149, "beat/min")
    await report("hr", 140, "beat/min")
    const seen = await clinic.alarms.acknowledge((await one()).id, "ruth")
    assert.deepEqual([seen!.worstValue, seen!.presentValue, seen!.priority], [149, 140, "medium"])
    await report("temp", 39, "Cel")
    await report("hr", 148, "beat/min")
    assert.equal((await one()).state, "acknowledged")
    await report("hr", 150, "beat/min")
    assert.deepEqual([(await one()).state, (await one()).priority], ["raised", "high"], "20 beyond the limit")
    await clinic.alarms.acknowledge((await one()).id, "ken")
    await report("hr", 159, "beat/min")
    assert.equal((await one()).state, "acknowledged")
    await report("hr", 160, "beat/min")
    assert.deepEqual([(await one()).state, (await one()).firstSeenBy], ["raised", "ruth"])
    await clinic.alarms.acknowledge((await one()).id, "ken")
    await pass(599)
    assert.equal((await one()).state, "acknowledged")
    await pass(1)
    assert.equal((await one()).state, "raised")
    const history = await clinic.alarms.history((await one()).id)
    assert.deepEqual(
        history.map(({ change, by }) => (by === null ? change : `${change} by ${by}`)),
        [
            ...["raised", "acknowledged by ruth", "worsened", "acknowledged by ken", "worsened"],
            ...["acknowledged by ken", "acknowledgement-expired"],
        ],
    )
})

test("alarms by the thousand in a minute from one broken mote are one line that still escalates", async () => {
    const { clinic, start, tell, pass, one, all } = await ward(escalating)
    const times = isLong ? onEngine(2000, 50) : onEngine(200, 50)
    const seconds = 50
    for (let i = 0; i < times; i++) {
        const kind = "hr-high"
        await tell(
            ...[0, 1, 2, 3, 4].flatMap(j => [
                { kind, id: 5 * i + j, raised: true, value: 171 },
                { kind, id: 5 * i + j, raised: false, value: 120 },
            ]),
        )
        if ((i + 1) % (times / seconds) === 0) await pass(1)
    }
    assert.equal((await one()).count, 5 * times)
    assert.deepEqual([(await all()).length, (await clinic.alarms.open()).length], [1, 1])
    const { all: counted } = await clinic.burden.statistics({ from: start, before: clinic.now() + 1, seen: "all" })
    assert.deepEqual([counted.count, counted.begun, counted.waiting.unseen], [1, 5 * times, 1])
    const history = await clinic.alarms.history((await one()).id)
    assert.ok(history.length < 60, `${history.length} entries`)
    await tell({ kind: "hr-high", id: 10 * times, raised: true, value: 171 })
    await pass(60 - seconds)
    assert.equal((await one()).level, 1)
})

test("an alarm of tomorrow's clock is not on top for ever", async () => {
    const { tell, open } = await ward()
    await tell({ kind: "temp-high", id: 1, raised: true, atS: 86_400 })
    await tell({ kind: "hr-high", id: 2, raised: true, value: 171 })
    assert.deepEqual(await open(), ["hr-high 171 0…", "temp-high - 86400…"])
})
