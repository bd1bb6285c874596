import assert from "node:assert/strict"
import { test } from "node:test"
import { calm, ward, well } from "./ward.ts"

const minuteMs = 60_000

test("score: none is made up, and it says what is missing, who entered what, and how old it is", async () => {
    const { clinic, clock, patient, measure } = await ward()
    const empty = await clinic.news2.of(patient)
    assert.deepEqual(
        [empty.total, empty.atLeast, empty.risk, empty.missing.length, empty.oldestAt],
        [null, 0, null, 7, null],
    )
    await clinic.observe(patient, { respiration: 22, oxygen: "oxygen" }, "nora")
    const enteredAt = clock.now()
    await clock.advance(5 * minuteMs)
    await measure(well)
    const some = await clinic.news2.of(patient)
    assert.deepEqual(some.missing, ["systolic", "consciousness"])
    assert.deepEqual([some.total, some.atLeast, some.oldestAt], [null, 4, enteredAt])
    const whole = await clinic.observe(patient, { systolic: 120, consciousness: "alert" }, "nora")
    assert.deepEqual([whole.total, whole.risk, whole.missing], [4, "low", []])
    const respiration = whole.parts.find(({ name }) => name === "respiration")
    assert.deepEqual(respiration, {
        ...{ name: "respiration", score: 2, value: 22, time: enteredAt, by: "nora", isOld: false },
    })
    assert.deepEqual(whole.parts.find(({ name }) => name === "oxygen")!.value, "oxygen")
})

test("score: what is too old counts no longer, and is still shown as old", async () => {
    const { clinic, clock, patient, measure } = await ward()
    await clinic.observe(patient, calm, "nora")
    await measure(well)
    assert.equal((await clinic.news2.of(patient)).total, 0)
    await clock.advance(11 * minuteMs)
    const later = await clinic.news2.of(patient)
    assert.deepEqual(later.missing, ["saturation", "pulse", "temperature"])
    assert.deepEqual(
        later.parts.filter(({ isOld }) => isOld).map(({ name, value, score }) => [name, value, score]),
        [
            ["saturation", 98, null],
            ["pulse", 72, null],
            ["temperature", 36.8, null],
        ],
    )
    await clock.advance(12 * 3_600_000)
    await measure(well)
    assert.deepEqual((await clinic.news2.of(patient)).missing, ["respiration", "oxygen", "systolic", "consciousness"])
})

test("score: a mote that rests counts for as long as its settings let it be silent", async () => {
    const { clinic, clock, patient, mote, measure } = await ward()
    await clinic.observe(patient, calm, "nora")
    await clinic.configure(mote.kid, { settings: { power: 1, every: 1800 }, author: "ruth" })
    await measure({ ...well, config: 1 })
    await clock.advance(30 * minuteMs)
    assert.equal((await clinic.news2.of(patient)).total, 0)
    await clock.advance(2 * minuteMs)
    assert.equal((await clinic.news2.of(patient)).total, null)
})

test("score: one restless second is no pulse", async () => {
    const { clinic, clock, patient, measure } = await ward()
    for (const hr of [80, 82, 190, 81, 83]) {
        await clock.advance(2000)
        await measure({ hr })
    }
    assert.equal((await clinic.news2.of(patient)).parts.find(({ name }) => name === "pulse")!.value, 82)
})

test("scale: it is the patient's, somebody chose it, and it changes the score at once", async () => {
    const { clinic, clock, patient, measure } = await ward()
    await clinic.observe(patient, calm, "nora")
    await measure({ ...well, spo2: 88 })
    const first = await clinic.news2.of(patient)
    assert.deepEqual([first.total, first.scale], [3, { scale: 1, by: null, madeAt: null }])
    const second = await clinic.chooseScale(patient, 2, "ruth")
    assert.deepEqual([second.total, second.scale], [0, { scale: 2, by: "ruth", madeAt: clock.now() }])
})

test("alarms: 5, 7 and a single 3, from what is known; over when the score has been lower for ten minutes", async () => {
    const { clinic, patient, live, alarms } = await ward()
    await live(60, { hr: 72, spo2: 90, temp: 36.8 })
    assert.deepEqual(await alarms(), ["news2-3 lasts"])
    await clinic.observe(patient, { respiration: 22 }, "nora")
    assert.deepEqual(await alarms(), ["news2-3 over", "news2-5 lasts"], "at once, in its place")
    await live(300, { hr: 115, spo2: 90, temp: 36.8 })
    assert.deepEqual(await alarms(), ["news2-3 over", "news2-5 over", "news2-7 lasts"])
    assert.equal((await clinic.alarms.open()).length, 1, "one line")
    await live(300, { hr: 72, spo2: 96, temp: 36.8 })
    assert.deepEqual(await alarms(), ["news2-3 over", "news2-5 over", "news2-7 lasts"])
    await live(600, { hr: 72, spo2: 96, temp: 36.8 })
    assert.deepEqual(await alarms(), ["news2-3 over", "news2-5 over", "news2-7 over"])
    await live(600, { hr: 72, spo2: 96, temp: 36.8 })
    assert.equal((await alarms()).length, 3, "raised once each")
})

test("alarms: a single 3 whose value has an alarm of its own by then calls nobody twice", async () => {
    const { clinic, clock, live, alarms, alarm } = await ward()
    await alarm("hr-high", 1, true, 140)
    await live(300, { ...well, hr: 140 })
    assert.deepEqual(await alarms(), [])
    const [limit] = await clinic.alarms.open()
    await clinic.alarms.acknowledge(limit!.id, "nora")
    await live(300, { ...well, hr: 140 })
    assert.deepEqual(await alarms(), [], "somebody attends to it")
    // The other 3 is news.
    await live(150, { ...well, hr: 72, spo2: 90 })
    assert.deepEqual(await alarms(), ["news2-3 lasts"])
    await live(900, { ...well, hr: 140 })
    assert.deepEqual(await alarms(), ["news2-3 lasts"], "it has not been without a 3")
    await live(900, well)
    assert.deepEqual(await alarms(), ["news2-3 over"])
    // Without the limit's alarm the 3 is said.
    await alarm("hr-high", 1, false, 70)
    await clock.advance(60_000)
    await live(300, { ...well, hr: 140 })
    assert.deepEqual(await alarms(), ["news2-3 lasts"], "the line that nobody has acknowledged")
})

test("alarms: a score that is lower because nobody measures any more ends nothing, nor does a restart", async () => {
    const { live, alarms, open } = await ward()
    await live(300, { hr: 135, spo2: 90, temp: 36.8 })
    assert.deepEqual(await alarms(), ["news2-5 lasts"])
    await live(3900)
    assert.deepEqual(await alarms(), ["news2-5 lasts"])
    const again = await open()
    await live(600, undefined, again)
    assert.deepEqual(await alarms(), ["news2-5 lasts"])
    await live(800, well, again)
    assert.deepEqual(await alarms(), ["news2-5 over"])
})

test("alarms: nothing is raised about a patient who is well, nor on the edge again and again", async () => {
    const { clinic, patient, live, alarms } = await ward()
    await clinic.observe(patient, calm, "nora")
    await live(900, well)
    assert.deepEqual(await alarms(), [])
    for (let i = 0; i < 6; i++) {
        await live(300, { hr: 112, spo2: 90, temp: 36.8 })
        await live(300, { hr: 72, spo2: 96, temp: 36.8 })
    }
    assert.deepEqual(await alarms(), ["news2-5 lasts"])
})

test("history: the score in steps, total only where all was known", async () => {
    const { clinic, clock, patient, live } = await ward()
    const from = clock.now()
    await live(300, well)
    await clinic.observe(patient, calm, "nora")
    await live(300, well)
    await live(600, { hr: 120, spo2: 94, temp: 38.5 })
    const [before, stepMs] = [clock.now() + 1, 300_000]
    const measured = (name: "hr" | "spo2" | "temp") =>
        clinic.observations.history({ patient, name, from, before, stepMs })
    const points = await clinic.news2.history({ patient, from, before, stepMs, measured })
    assert.deepEqual(
        points.map(({ total, atLeast }) => [total, atLeast]),
        [
            [null, 0],
            [0, 0],
            [4, 4],
            [4, 4],
            [4, 4],
        ],
    )
    await assert.rejects(clinic.news2.history({ patient, from: 0, before, stepMs: 1000, measured }))
})
