import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { Clinic } from "../../clinic/index.ts"
import { migrations } from "../../clinic/store/sqlite/migrations.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import { silentLog } from "../../host/log.ts"
import { closeSqlite, openSqlite as openDatabase } from "../../host/sqlite.ts"
import type { AlarmEvent } from "../../wire/alarms.ts"
import type { Measurement } from "../../wire/pack.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { ManualClock } from "../support/clock.ts"
import { temporaryFolder } from "../support/folder.ts"
import { isLong } from "../support/long.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { newStore, onEngine } from "./stores.ts"

const secondMs = 1000
const minuteMs = 60_000

/** Two patients and one mote, which Ada has on. */
async function ward() {
    const clock = new ManualClock()
    const start = clock.now()
    const store = await newStore()
    const clinic = await Clinic.open({ store, clock, random: randomBytes, key: randomBytes(32), log: silentLog })
    const ada = await clinic.patients.add({ given: "Ada", family: "Beck", ward: "3 West" })
    const ken = await clinic.patients.add({ given: "Ken", family: "Ito", ward: "3 West" })
    const { mote, secret } = await clinic.motes.register(ada.id)
    const { kid } = mote
    const sealer = new TestMote({ kid, secret })
    const ingest = async (envelope: Uint8Array, purpose: "vitals" | "alarm") => {
        const [result] = await clinic.ingest([delivery(envelope, clock.now(), purpose)])
        assert.equal(result!.status, "stored")
    }
    const deliver = (pack: Measurement[]) => ingest(sealer.seal(pack, clock.now()), "vitals")
    /** A heart rate of `value`, measured at that time. */
    const measure = (value: number, time = clock.now(), more: Partial<Measurement> = {}) =>
        deliver([measurement("hr", value, time, more)])
    const say = (kind: string, id: number, raised: boolean, more: Partial<AlarmEvent> = {}) => {
        const event = alarmEvent(kind, raised, clock.now(), { id, ...more })
        return ingest(sealer.sealAlarms([event], clock.now()), "alarm")
    }
    const of = async (patient: number) => {
        const search = { patients: [patient], names: ["hr" as const], newestFirst: false, limit: 1000 }
        return (await clinic.observations.search(search)).map(({ value }) => value)
    }
    const nobodys = async () =>
        (await clinic.observations.unassignedPage(mote.id, Number.MAX_SAFE_INTEGER, 1000))
            .map(({ value }) => value)
            .reverse()
    const open = async () => (await clinic.alarms.open()).map(({ kind, patient }) => `${kind} ${patient}`)
    const pass = (ms: number) => clock.step(ms)
    const pair = (patient: number) => clinic.pair(kid, { patient, by: "ruth" })
    const takeOff = () => clinic.takeOff(kid, "ruth")
    return {
        ...{ clock, start, store, clinic, ada: ada.id, ken: ken.id, mote, kid, sealer, deliver, measure, say, of },
        ...{ nobodys, open, pass, pair, takeOff },
    }
}

test("a reading belongs to who wore the mote when it was measured, however late it is; one from between to nobody", async () => {
    const { ada, clinic, clock, ken, kid, measure, mote, nobodys, of, pair, pass, start, takeOff } = await ward()
    await measure(60)
    pass(10 * minuteMs)
    await takeOff()
    await measure(61, start + minuteMs)
    pass(10 * minuteMs)
    await measure(62)
    await pair(ken)
    pass(10 * minuteMs)
    await measure(63)
    await measure(64, start + 2 * minuteMs)
    await measure(65, start + 15 * minuteMs)
    assert.deepEqual(await of(ada), [60, 61, 64])
    assert.deepEqual(await of(ken), [63])
    assert.deepEqual(await nobodys(), [65, 62])
    assert.equal((await clinic.observations.newest(ada, "hr"))?.value, 64, "by its time, not by who wears it now")
    assert.equal((await clinic.observations.newest(ken, "hr"))?.value, 63)
    assert.deepEqual((await clinic.observations.since(0, 100)).map(({ value }) => value).sort(), [60, 61, 63, 64])
    assert.deepEqual((await clinic.completeness(mote)).unassigned, { count: 2, newest: start + 20 * minuteMs })

    const found = (await clinic.associations.ofMote(mote)).map(a => [
        ...[a.patient, (a.beginsAt - start) / minuteMs, a.begunBy],
        ...[a.endsAt === null ? null : (a.endsAt - start) / minuteMs, a.endedBy, a.reason],
    ])
    assert.deepEqual(found, [
        [ada, 0, null, 10, "ruth", "taken-off"],
        [ken, 20, "ruth", null, null, null],
    ])
    assert.equal((await clinic.motes.get(kid))?.wornSince, start + 20 * minuteMs)
    assert.equal(clock.now(), start + 30 * minuteMs)
})

test("a mote's first association begins with its identity, by whatever clock", async () => {
    /** As a real one: later each time that it is read. */
    class RunningClock extends ManualClock {
        private reads = 0

        override now(): number {
            return super.now() + this.reads++
        }
    }
    const clock = new RunningClock()
    const store = await newStore()
    const key = randomBytes(32)
    const clinic = await Clinic.open({ store, clock, random: randomBytes, key, log: silentLog })
    const { id } = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote } = await clinic.motes.register(id)
    assert.equal(mote.wornSince, mote.registeredAt)
})

test("a mote that somebody wears is given to another one only on purpose; for ten seconds it is nobody's", async () => {
    const { ada, clinic, ken, kid, measure, nobodys, of, pair, pass } = await ward()
    pass(minuteMs)
    await assert.rejects(pair(ken), { problem: { code: "mote-in-use", patient: ada } })
    assert.equal((await pair(ada))?.patient, ada, "nothing to do")
    assert.equal((await clinic.pair(kid, { patient: ken, by: "ruth", isConfirmed: true }))?.patient, ken)
    pass(9 * secondMs)
    await measure(60)
    pass(secondMs)
    await measure(61)
    assert.deepEqual([await of(ada), await nobodys(), await of(ken)], [[], [60], [61]])
})

test("one patient, two motes one after the other", async () => {
    const { ada, clinic, clock, measure, of, pass, takeOff } = await ward()
    await measure(60)
    pass(minuteMs)
    await takeOff()
    const other = await clinic.register(null, "ruth")
    assert.equal(other.mote.patient, null)
    pass(minuteMs)
    await clinic.pair(other.mote.kid, { patient: ada, by: "ruth" })
    pass(minuteMs)
    const sealer = new TestMote({ kid: other.mote.kid, secret: other.secret })
    const now = clock.now()
    await clinic.ingest([delivery(sealer.seal([measurement("hr", 70, now)], now), now)])
    assert.deepEqual(await of(ada), [60, 70])
    const found = await clinic.associations.search({ patients: [ada] })
    assert.deepEqual(
        found.map(({ kid, endsAt }) => [Buffer.from(kid).toString("hex"), endsAt === null]),
        [
            [Buffer.from((await clinic.associations.search({ patients: [ada] }))[0]!.kid).toString("hex"), false],
            [Buffer.from(other.mote.kid).toString("hex"), true],
        ],
    )
})

test("a discharge ends the association and keeps the mote, which may have the next patient", async () => {
    const { ada, clinic, ken, kid, measure, mote, nobodys, of, open, pair, pass, say, start } = await ward()
    await say("hr-high", 1, true)
    pass(minuteMs)
    assert.equal(await clinic.discharge(ada, "ruth"), true)
    assert.deepEqual(await open(), [])
    pass(minuteMs)
    await measure(60)
    await measure(61, start + 1)
    assert.deepEqual([await nobodys(), await of(ada)], [[60], [61]])
    const [ended] = await clinic.associations.ofMote(mote)
    assert.deepEqual([ended!.reason, ended!.endedBy], ["discharged", "ruth"])
    await assert.rejects(clinic.pair(kid, { patient: ada, by: "ruth" }), { problem: { code: "not-on-the-ward" } })
    await pair(ken)
    await measure(62)
    assert.deepEqual(await of(ken), [62])
})

test("a revoked mote is on nobody, and nobody gets it", async () => {
    const { clinic, ken, kid, mote, pair, pass } = await ward()
    pass(minuteMs)
    assert.equal(await clinic.revoke(kid, "ruth"), true)
    assert.equal(await clinic.revoke(kid, "ruth"), false)
    assert.equal((await clinic.motes.get(kid))?.patient, null)
    assert.equal((await clinic.associations.ofMote(mote))[0]?.reason, "revoked")
    await assert.rejects(pair(ken), { problem: { code: "revoked" } })
    assert.equal(await clinic.takeOff(kid), false)
    assert.equal(await clinic.pair(randomBytes(8), { patient: ken, by: null }), undefined)
})

test("a mean of many belongs to a patient who wore the mote for all of them", async () => {
    const { ada, deliver, ken, nobodys, of, pair, pass, start, takeOff } = await ward()
    const summary = (mean: number, middle: number, spanS: number) =>
        deliver([
            measurement("hr", mean, middle),
            measurement("hr-min", mean - 1, middle, { unit: "beat/min" }),
            measurement("hr-max", mean + 1, middle, { unit: "beat/min" }),
            measurement("hr-n", 30, middle, { unit: "count" }),
            measurement("span", spanS, middle, { unit: "s" }),
        ])
    pass(10 * minuteMs)
    await takeOff()
    pass(10 * minuteMs)
    await pair(ken)
    pass(10 * minuteMs)
    await summary(60, start + 8 * minuteMs, 200)
    await summary(61, start + 9 * minuteMs, 200)
    await summary(62, start + 19 * minuteMs, 200)
    await summary(63, start + 22 * minuteMs, 200)
    assert.deepEqual([await of(ada), await nobodys(), await of(ken)], [[60], [61, 62], [63]])
})

test("a mote without a clock: what may have waited in it since the last patient is nobody's", async () => {
    const { ada, clock, ken, measure, nobodys, of, pair, pass, sealer, takeOff } = await ward()
    await measure(60, clock.now(), { relative: true })
    assert.deepEqual(await of(ada), [60], "nobody else has ever worn it")
    pass(minuteMs)
    await takeOff()
    pass(minuteMs)
    await pair(ken)
    pass(minuteMs)
    await measure(61, clock.now(), { relative: true })
    assert.deepEqual([await of(ken), await nobodys()], [[], [61]], "measured on Ada, perhaps")
    await measure(62)
    pass(minuteMs)
    sealer.reboot()
    await measure(63, clock.now(), { relative: true })
    assert.deepEqual([await of(ken), await nobodys()], [[62, 63], [61]], "the start before was Ken's already")
})

test("a mote with a wrong clock: nothing is measured after it arrived, or before the mote had its identity", async () => {
    const { ada, clock, ken, measure, nobodys, of, pair, pass, start, takeOff } = await ward()
    await measure(60, start - 86_400_000)
    assert.deepEqual(await of(ada), [60], "nobody else has ever worn it")
    pass(minuteMs)
    await measure(61, clock.now() + 2 * minuteMs)
    await takeOff()
    pass(minuteMs)
    await pair(ken)
    pass(minuteMs)
    await measure(62, start - 86_400_000)
    await measure(63, clock.now() + 2 * minuteMs)
    assert.deepEqual([await of(ada), await nobodys(), await of(ken)], [[60, 61], [62], [63]])
})

test("alarms end with a reason when the mote is taken off; what was over and unseen waits on", async () => {
    const { ada, clinic, ken, open, pair, pass, say, start, takeOff } = await ward()
    await say("hr-high", 1, true)
    await say("temp-high", 2, true)
    await say("temp-high", 2, false)
    const [unseen, lasting] = await clinic.alarms.open()
    pass(minuteMs)
    await takeOff()
    assert.deepEqual(await open(), [`temp-high ${ada}`], "somebody should look what that was")
    assert.deepEqual(
        (await clinic.alarms.history(lasting!.id)).map(({ change }) => change),
        ["raised", "taken-off"],
    )
    pass(minuteMs)
    await pair(ken)
    await say("hr-low", 3, true, { time: start + 1000 })
    assert.deepEqual(await open(), [`hr-low ${ken}`, `hr-low ${ada}`, `hr-high ${ken}`, `temp-high ${ada}`])
    assert.equal((await clinic.alarms.get(unseen!.id))?.state, "latched")
})

test("what lasts in the mote is the next patient's, until the mote says that it is over", async () => {
    const { ada, clinic, ken, open, pair, pass, say, start, takeOff } = await ward()
    await say("hr-high", 1, true)
    await takeOff()
    pass(minuteMs)
    await say("contact", 2, true)
    assert.deepEqual(await open(), [], "there is nobody to go to")
    await pair(ken)
    assert.deepEqual(await open(), [`hr-high ${ken}`, `contact ${ken}`])
    assert.equal((await clinic.alarms.open())[0]!.raisedAbout, true)
    pass(minuteMs)
    await say("contact", 2, false)
    assert.deepEqual(await open(), [`hr-high ${ken}`])
    await say("hr-high", 1, false, { time: start + 2 })
    // The late end is that of nobody's time; Ken's has no other one.
    const [over] = await clinic.alarms.open()
    assert.deepEqual([over!.kind, over!.patient, over!.state], ["hr-high", ken, "latched"])
    await clinic.alarms.acknowledge(over!.id, "ruth")
    await say("hr-high", 3, true)
    assert.deepEqual(await open(), [`hr-high ${ken}`])
    assert.deepEqual(
        (await clinic.alarms.ofPatient(ada, 10)).map(({ kind, isOpen }) => [kind, isOpen]),
        [["hr-high", false]],
    )
})

test("an alarm without a time of its own is that of who wears the mote now, rather than nobody's", async () => {
    const { ken, open, pair, pass, say, takeOff } = await ward()
    await takeOff()
    pass(minuteMs)
    await pair(ken)
    pass(minuteMs)
    await say("spo2-low", 1, true, { relative: true })
    assert.deepEqual(await open(), [`spo2-low ${ken}`])
})

test("worst values are those of the alarm's own patient", async () => {
    const { ada, clinic, ken, measure, open, pair, pass, say, start, takeOff } = await ward()
    pass(minuteMs)
    await takeOff()
    pass(minuteMs)
    await pair(ken)
    pass(minuteMs)
    await say("hr-high", 1, true)
    await measure(150)
    await measure(199, start + 1)
    assert.deepEqual(await open(), [`hr-high ${ken}`])
    assert.equal((await clinic.alarms.open())[0]!.worstValue, 150)
    assert.equal((await clinic.observations.newest(ada, "hr"))?.value, 199)
})

test("the next patient begins with the limits that are the default, and the mote keeps what is its own", async () => {
    const { clinic, ken, kid, mote, pair, takeOff } = await ward()
    await clinic.configure(kid, { settings: { hrHigh: 170, report: 30 }, author: "doctor" })
    await takeOff()
    assert.equal((await clinic.configurations.newest(mote))?.settings.hrHigh, 170)
    await pair(ken)
    const newest = await clinic.configurations.newest(mote)
    assert.deepEqual(newest?.settings, { ...defaultConfig, report: 30 })
    assert.deepEqual([newest?.version, newest?.state, newest?.author], [2, "pending", "ruth"])
    await takeOff()
    await pair(ken)
    assert.equal((await clinic.configurations.newest(mote))?.version, 2, "it gets them already")
})

test("a mote on nobody is not missed when it is silent, and one that is put on has its whole time", async () => {
    const { clinic, clock, ken, measure, open, pair, takeOff } = await ward()
    await measure(60)
    await clinic.silence.check()
    await takeOff()
    await clock.advance(3_600_000)
    await clinic.silence.check()
    assert.deepEqual(await open(), [])
    await pair(ken)
    await clinic.silence.check()
    assert.deepEqual(await open(), [])
    await clock.advance(10 * minuteMs)
    await clinic.silence.check()
    assert.deepEqual(await open(), [`mote-silent ${ken}`])
})

test("routers keep the keys of a mote that was taken off: those of the last patient's ward", async () => {
    const { ada, clinic, ken, kid, pair, takeOff } = await ward()
    const { accounts } = clinic
    const wests = await accounts.add({ name: "west", role: "router", wards: ["3 West"], prefetch: true })
    const easts = await accounts.add({ name: "east", role: "router", wards: ["3 East"], prefetch: true })
    const held = async () => [(await clinic.keys(wests.id)).length, (await clinic.keys(easts.id)).length]
    await takeOff()
    assert.deepEqual(await held(), [1, 0])
    await clinic.discharge(ada)
    assert.deepEqual(await held(), [1, 0])
    const { birthDate, gender, identifier, bed } = (await clinic.patients.get(ken))!
    await clinic.patients.update(ken, {
        given: "Ken",
        family: "Ito",
        birthDate,
        gender,
        identifier,
        bed,
        ward: "3 East",
    })
    await pair(ken)
    assert.deepEqual(await held(), [0, 1])
    await clinic.revoke(kid)
    assert.deepEqual(await held(), [0, 0])
})

/** What happens `afterS` seconds after what happened before. */
const step = fc.record({
    afterS: fc.integer({ min: 0, max: 40 }),
    what: fc.oneof(
        fc.record({ pair: fc.integer({ min: 0, max: 1 }), isConfirmed: fc.boolean() }),
        fc.constant("take off" as const),
        fc.constant("measure" as const),
        fc.constant("measure" as const),
    ),
    /** How long what is measured waits before it is sent. */
    waitsS: fc.integer({ min: 0, max: 200 }),
})

test("property: whatever happens in whatever order, each reading has the owner of its time and no other", async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
            const { ada, clinic, clock, ken, kid, measure, nobodys, of, start } = await ward()
            const now = () => (clock.now() - start) / secondMs
            /** Who wears it from when on until when, in seconds. */
            const worn = [{ patient: ada, from: 0, to: Infinity }]
            const sent: { at: number; time: number; value: number }[] = []
            let at = 0
            const events = steps.map(({ afterS, what, waitsS }, i) => {
                at += afterS
                if (what === "measure") sent.push({ at: at + waitsS, time: at, value: 40 + i })
                return { at, what }
            })
            const deliverUntil = async (until: number) => {
                for (const { at, time, value } of sent
                    .sort((a, b) => a.at - b.at)
                    .splice(0, sent.filter(s => s.at < until).length)) {
                    clock.step((Math.max(at, now()) - now()) * secondMs)
                    await measure(value, start + time * secondMs)
                    measured.push({ time, value })
                }
            }
            const measured: { time: number; value: number }[] = []
            for (const { at, what } of events) {
                await deliverUntil(at)
                clock.step((at - now()) * secondMs)
                const last = worn.at(-1)!
                const isWorn = last.to === Infinity
                if (what === "take off") {
                    assert.equal(await clinic.takeOff(kid), isWorn)
                    if (isWorn) last.to = Math.max(at, last.from)
                } else if (what !== "measure") {
                    const patient = [ada, ken][what.pair]!
                    const isNew = !isWorn || last.patient !== patient
                    const paired = clinic.pair(kid, { patient, by: null, isConfirmed: what.isConfirmed })
                    if (isNew && isWorn && !what.isConfirmed) {
                        await assert.rejects(paired)
                        continue
                    }
                    await paired
                    if (!isNew) continue
                    if (isWorn) last.to = Math.max(at, last.from)
                    worn.push({ patient, from: Math.max(at, last.to + 10), to: Infinity })
                }
            }
            await deliverUntil(Infinity)
            const ownerAt = (time: number) => worn.find(({ from, to }) => from <= time && time < to)?.patient
            const expected = (patient: number | undefined) =>
                measured
                    .filter(({ time }) => ownerAt(time) === patient)
                    .map(({ value }) => value)
                    .sort()
            assert.deepEqual((await of(ada)).sort(), expected(ada))
            assert.deepEqual((await of(ken)).sort(), expected(ken))
            assert.deepEqual((await nobodys()).sort(), expected(undefined))
        }),
        { numRuns: onEngine(isLong ? 500 : 60) },
    )
})

test("in a database of an older version each mote's patient is an association that began when the mote was added", async t => {
    const file = join(temporaryFolder(t), "clinic.db")
    const before = migrations.findIndex(script => script.includes("CREATE TABLE association"))
    const old = openDatabase(file, { name: "old", applicationId: 0x564d636c, migrations: migrations.slice(0, before) })
    old.exec(`
        INSERT INTO patient (id, active, given, family, updated_at) VALUES (1, 1, 'Ada', 'Beck', 0), (2, 0, 'Ken', 'Ito', 0);
        INSERT INTO mote (id, kid, secret, patient, registered_at, revoked_at) VALUES
            (1, x'0102030405060708', x'00', 1, 5000, NULL),
            (2, x'0102030405060709', x'00', 2, 6000, 9000),
            (3, x'010203040506070a', x'00', 1, 7000, NULL);
        INSERT INTO envelope (id, mote, boot, salt, seq, purpose, received_at, stored_at, router, bytes) VALUES
            (1, 1, 1, x'00', 0, 'vitals', 8000, 8000, 1, x'00');
        INSERT INTO measurement (envelope, mote, patient, name, unit, value, time, relative) VALUES
            (1, 1, 1, 'hr', 'beat/min', 60, 4000, 0), (1, 1, 1, 'hr', 'beat/min', 61, 8000, 0);
        INSERT INTO alarm (id, source, mote, patient, kind, generation, number, raised_at, raised_about, cleared_at, cleared_about,
            stored_at, is_open, is_line, count, priority, state, since, waiting_since, level) VALUES
            (1, 'mote/3', 3, 1, 'hr-high', 0, 4, 7100, 0, NULL, 0, 7100, 1, 1, 1, 'high', 'raised', 7100, 7100, 0),
            (2, 'mote/3', 3, 1, 'hr-low', 0, 5, 7100, 0, 7200, 0, 7100, 0, 1, 1, 'high', 'closed', 7100, 7100, 0),
            (3, 'mote/3', 3, 1, 'mote-silent', 0, 9, 7100, 0, NULL, 0, 7100, 1, 1, 1, 'low', 'raised', 7100, 7100, 0),
            (4, 'patient/1', NULL, 1, 'news2-5', 0, 9, 7100, 0, NULL, 0, 7100, 1, 1, 1, 'low', 'raised', 7100, 7100, 0);
    `)
    closeSqlite(old)
    const store = openSqlite(file)
    const found = (await store.association.named({})).map(a => [
        a.id,
        a.mote,
        a.patient,
        a.beginsAt,
        a.endsAt,
        a.reason,
    ])
    assert.deepEqual(found, [
        [1, 1, 1, 4000, null, null],
        [2, 2, 2, 6000, 9000, "revoked"],
        [3, 3, 1, 7000, null, null],
    ])
    const motes = await store.mote.all()
    assert.deepEqual(
        motes.map(({ patient, association, wornSince }) => [patient, association, wornSince]),
        [
            [1, 1, 4000],
            [null, null, null],
            [1, 3, 7000],
        ],
    )
    const alarms = (await store.alarm.open("all")).map(({ id, source }) => [id, source])
    assert.deepEqual(alarms, [
        [4, "patient/1"],
        [3, "mote/3/3"],
        [1, "mote/3/3"],
    ])
    assert.deepEqual(
        (await store.moteAlarm.ofMote(3)).map(({ kind, number, isOn }) => [kind, number, isOn]),
        [
            ["hr-high", 4, true],
            ["hr-low", 5, false],
        ],
    )
    assert.equal((await store.measurement.unassigned(1)).count, 0)
    await store.close()
})
