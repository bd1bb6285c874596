import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { BreakGlass } from "../../clinic/people/break-glass.ts"
import { Patients } from "../../clinic/people/patients.ts"
import { ManualClock } from "../support/clock.ts"
import { newStore } from "./stores.ts"
import type { Store } from "../../clinic/store/store.ts"

const minuteMs = 60_000
const ruth = { id: 1, name: "ruth" }
const reason = "resuscitation"
let clock: ManualClock
let store: Store
let breakGlass: BreakGlass
let patient: number

beforeEach(async () => {
    clock = new ManualClock()
    store = await newStore()
    breakGlass = started()
    patient = await somebody("1")
})

/** As another process, or the same after a restart, has it. */
const started = () => new BreakGlass(store, clock, new Patients(store, clock))
const somebody = async (bed: string) => {
    const row = { given: "A", family: "East", birth_date: null, gender: null, identifier: null, bed, ward: "3 East" }
    return (await store.patient.add(row, 0)).id
}
const isOpen = async (of = breakGlass) => (await of.of(ruth.id)).some(opening => opening.patient === patient)
const open = (minutes: number) => breakGlass.open(ruth, { patient, reason, minutes })

test("an opening ends by the clock, for its account only, and stays for the review", async () => {
    const { id, endsAt } = await open(10)
    assert.equal(endsAt, clock.now() + 10 * minuteMs)
    await clock.advance(10 * minuteMs - 1)
    assert.deepEqual([await isOpen(), await isOpen(started())], [true, true])
    assert.deepEqual(await breakGlass.of(2), [])
    assert.equal(await breakGlass.end(2, id), undefined)
    await clock.advance(1)
    assert.deepEqual([await isOpen(), await isOpen(started())], [false, false])
    assert.equal(await breakGlass.end(ruth.id, id), undefined, "it has ended already")
    const [waiting] = await breakGlass.page({ isReviewed: false, limit: 10 })
    assert.deepEqual([waiting?.id, waiting?.user, waiting?.endsAt, waiting?.reason], [id, "ruth", endsAt, reason])
})

test("a clock that is set back prolongs nothing; before its beginning an opening is not open", async () => {
    await open(60)
    await clock.advance(30 * minuteMs)
    assert.equal(await isOpen(), true)
    clock.step(-25 * minuteMs)
    assert.equal(await isOpen(), true)
    await clock.advance(30 * minuteMs - 1)
    assert.equal(await isOpen(), true)
    await clock.advance(1)
    assert.equal(await isOpen(), false, "an hour has passed, whatever the clock says")
    await open(60)
    clock.step(-minuteMs)
    assert.equal(await isOpen(), false)
    clock.step(minuteMs)
    assert.equal(await isOpen(), true)
    clock.step(24 * 60 * minuteMs)
    assert.equal(await isOpen(), false)
})

test("opened again it is one opening, which ends by itself, by its user, by a discharge, or with the account", async () => {
    const first = await open(60)
    const second = await open(5)
    assert.deepEqual(
        (await breakGlass.of(ruth.id)).map(({ id }) => id),
        [second.id],
    )
    assert.equal(await breakGlass.end(ruth.id, first.id), undefined)
    assert.equal(await breakGlass.end(ruth.id, second.id), patient)
    assert.equal(await isOpen(), false)
    await open(5)
    await store.breakGlass.end(ruth.id, clock.now())
    assert.equal(await isOpen(), false)
    await open(5)
    await store.patient.update(patient, { active: 0 }, 1)
    assert.equal(await isOpen(), false)
    assert.equal(await breakGlass.unreviewed(), 4)
})

test("who asks for somebody who is not there is slowed down, also where the guess is right then, and nobody else is", async () => {
    const find = (bed: string, account = ruth.id) => breakGlass.find(account, { ward: "3 East", bed })
    assert.equal(await find("1"), patient)
    for (let i = 0; i < 10; i++) await assert.rejects(find("9"), { problem: { code: "not-found", what: "patient" } })
    await assert.rejects(find("1"), { problem: { code: "too-often" } })
    assert.equal(await find("1", 2), patient)
    clock.step(60 * minuteMs)
    await assert.rejects(find("1"), { problem: { code: "too-often" } })
    await clock.advance(15 * minuteMs)
    assert.equal(await find("1"), patient)
    await somebody("1")
    await assert.rejects(find("1"), { problem: { code: "more-than-one" } })
})

test("what was reviewed stays as it was reviewed first; the rest is found page by page", async () => {
    const ids: number[] = []
    for (let i = 0; i < 5; i++) ids.unshift((await open(5)).id)
    const page = async (o: Parameters<BreakGlass["page"]>[0]) => (await breakGlass.page(o)).map(({ id }) => id)
    assert.equal((await breakGlass.review(ids[1]!, "root"))?.reviewedBy, "root")
    assert.equal((await breakGlass.review(ids[1]!, "other"))?.reviewedBy, "root")
    assert.equal(await breakGlass.review(4711, "root"), undefined)
    assert.deepEqual(await page({ isReviewed: true, limit: 10 }), [ids[1]])
    assert.deepEqual(await page({ isReviewed: false, limit: 2 }), [ids[0], ids[2]])
    assert.deepEqual(await page({ isReviewed: false, limit: 10, beforeId: ids[2]! }), [ids[3], ids[4]])
    assert.equal(await breakGlass.unreviewed(), 4)
})

test("nobody opens a whole hospital", async () => {
    for (let i = 0; i < 40; i++) await breakGlass.open(ruth, { patient: await somebody(`${i}`), reason, minutes: 5 })
    await assert.rejects(open(5), { problem: { code: "too-many-open", max: 40 } })
    await clock.advance(5 * minuteMs)
    await open(5)
})
