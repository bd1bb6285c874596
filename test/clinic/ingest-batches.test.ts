import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import { sql, type LogEvent } from "kysely"
import { Clinic } from "../../clinic/index.ts"
import type { Store } from "../../clinic/store/store.ts"
import { silentLog } from "../../host/log.ts"
import type { Delivery } from "../../wire/batch.ts"
import { ManualClock } from "../support/clock.ts"
import { isLong } from "../support/long.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { newStore, onEngine } from "./stores.ts"
import { delivery, measurement } from "./support.ts"

/** Seconds before now; some are ahead of the clinic's clock, by less and by more than routers are corrected for. */
const age = fc.oneof(fc.integer({ min: -4, max: 3600 }), fc.constantFrom(-200, -20, -600, 90_000))
const said = fc.oneof(
    {
        weight: 6,
        arbitrary: fc.record({
            what: fc.constant("vitals" as const),
            ages: fc.uniqueArray(age, { minLength: 1, maxLength: 3 }),
            hr: fc.constantFrom(20, 60, 61, 135, 150, 200, 301),
            isRelative: fc.boolean(),
            config: fc.option(fc.nat(2), { nil: undefined }),
        }),
    },
    {
        weight: 3,
        arbitrary: fc.record({
            what: fc.constant("alarm" as const),
            kind: fc.constantFrom("hr-high", "hr-low", "contact"),
            isRaised: fc.boolean(),
            id: fc.integer({ min: 1, max: 3 }),
            value: fc.constantFrom(null, 140, 35),
        }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("garbage" as const) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("flawed" as const) }) },
)
const sent = fc.record({
    /** Two of one patient, one of another patient, one of nobody, the first under its next secret and after a new start, a stranger. */
    mote: fc.nat(6),
    said,
    seq: fc.nat(12),
    purpose: fc.constantFrom(undefined, undefined, undefined, undefined, "alarm" as const),
})
const batchOf = fc.array(sent, { minLength: 1, maxLength: 24 })

/** The same each time it is called: the motes of two clinics have the same secrets. */
async function ward(log?: (event: LogEvent) => void) {
    let draws = 0
    const random = (bytes: number) => {
        const hash = (i: number) => createHash("sha256").update(`${draws} ${i}`).digest()
        draws++
        return new Uint8Array(
            Buffer.concat(Array.from({ length: Math.ceil(bytes / 32) }, (_, i) => hash(i))).subarray(0, bytes),
        )
    }
    const clock = new ManualClock()
    const store = await newStore(log)
    const clinic = await Clinic.open({ store, clock, random, key: random(32), log: silentLog })
    const ada = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const bob = await clinic.patients.add({ given: "Bob", family: "Cole" })
    const made = []
    for (const patient of [ada.id, ada.id, bob.id, null]) made.push(await clinic.register(patient, "doctor"))
    const salt = Uint8Array.of(1, 2, 3, 4, 5)
    const sealers = made.map(({ mote, secret }) => new TestMote({ kid: mote.kid, secret, salt }))
    const [first] = made
    await clock.advance(7_200_000)
    await clinic.takeOff(made[2]!.mote.kid)
    await clock.advance(600_000)
    await clinic.pair(made[2]!.mote.kid, { patient: ada.id, by: "doctor" })
    await clinic.configure(made[1]!.mote.kid, { settings: { hrHigh: 130 }, author: "doctor" })
    const rotated = (await clinic.rotate(first!.mote.kid))!
    await clock.advance(1_800_000)
    sealers.push(new TestMote({ kid: first!.mote.kid, secret: rotated.secret, boot: 2, salt }))
    sealers.push(new TestMote({ kid: first!.mote.kid, secret: first!.secret, boot: 3, salt }))
    sealers.push(new TestMote({ kid: random(8), secret: random(32), salt }))
    return { clinic, store, clock, sealers }
}

type Ward = Awaited<ReturnType<typeof ward>>

function deliveries(
    { clock, sealers }: Ward,
    all: readonly (typeof sent extends fc.Arbitrary<infer T> ? T : never)[],
): Delivery[] {
    const now = clock.now()
    return all.map(({ mote, said, seq, purpose }) => {
        const sealer = sealers[mote]!
        sealer.seq = seq
        if (said.what === "garbage") return delivery(Uint8Array.of(1, 2, 3), now)
        if (said.what === "flawed") return delivery(sealer.envelope(), now)
        if (said.what === "alarm") {
            const { kind, isRaised, id, value } = said
            const event = alarmEvent(kind, isRaised, now - 1000 * seq, { id, value, unit: "beat/min" })
            return delivery(sealer.sealAlarms([event], now), now, "alarm")
        }
        const { ages, hr, isRelative: relative, config } = said
        const pack = [...new Set(relative ? [Math.abs(ages[0]!)] : ages)]
            .sort((a, b) => b - a)
            .flatMap(age => {
                const time = now - 1000 * age
                return [measurement("hr", hr, time, { relative }), measurement("temp", 37, time, { relative })]
            })
        if (config !== undefined) pack.push(measurement("config", config, pack.at(-1)!.time, { relative }))
        return delivery(sealer.seal(pack, now), now, purpose)
    })
}

/** Everything that a batch writes; ids as their places, since a duplicate may use one up. */
async function contents({ db }: Store): Promise<unknown> {
    const rows = async (table: string, order: string) =>
        (await sql<Record<string, unknown>>`SELECT * FROM ${sql.table(table)} ORDER BY ${sql.raw(order)}`.execute(db))
            .rows
    const envelopes = await rows("envelope", "id")
    const place = new Map(envelopes.map(({ id }, i) => [id, i]))
    const without = (all: Record<string, unknown>[], ...columns: string[]) =>
        all.map(row => Object.fromEntries(Object.entries(row).filter(([name]) => !columns.includes(name))))
    return {
        envelopes: without(envelopes, "id"),
        starts: (await rows("start", "mote, boot, salt")).map(row => ({ ...row, newest_id: place.get(row.newest_id) })),
        gaps: await rows("gap", "mote, boot, salt, first"),
        measurements: without(await rows("measurement", "id"), "id").map(row => ({
            ...row,
            envelope: place.get(row.envelope),
        })),
        currents: await rows("current", "patient, name"),
        alarms: await rows("alarm", "id"),
        entries: await rows("alarm_entry", "id"),
        moteAlarms: await rows("mote_alarm", "mote, kind"),
        reports: await rows("config_report", "mote"),
        configurations: await rows("configuration", "mote, version"),
        motes: await rows("mote", "id"),
    }
}

test("a batch leaves the same database and gets the same answers as its envelopes one by one, in any split", async () => {
    await fc.assert(
        fc.asyncProperty(batchOf, fc.array(fc.nat(23), { maxLength: 3 }), async (all, cuts) => {
            const [one, some] = [await ward(), await ward()]
            const batch = deliveries(one, all)
            const singly = []
            for (const single of batch) singly.push(...(await one.clinic.ingest([single])))
            const ends = [...new Set(cuts.filter(cut => cut < batch.length))].sort((a, b) => a - b)
            const parts = [0, ...ends].map((from, i) => batch.slice(from, ends[i]))
            const together = []
            for (const part of parts) together.push(...(await some.clinic.ingest(part)))
            assert.deepEqual(together, singly)
            assert.deepEqual(await contents(some.store), await contents(one.store))
            await Promise.all([one.clinic.close(), some.clinic.close()])
        }),
        { includeErrorInReport: true, numRuns: Number(process.env.VITALMOTE_RUNS ?? onEngine(isLong ? 60 : 15)) },
    )
})

test("a transaction takes the same few statements, whatever its number of envelopes", async () => {
    let count = 0
    const { clinic, clock, sealers } = await ward(() => void count++)
    const now = clock.now()
    const vitals = (envelopes: number) =>
        Array.from({ length: envelopes }, (_, i) => {
            const sealer = sealers[i % 4]!
            return delivery(
                sealer.seal([measurement("hr", 60, now - 1000), measurement("temp", 37, now - 1000)], now),
                now,
            )
        })
    const statements = async (batch: Delivery[]) => {
        count = 0
        const results = await clinic.ingest(batch)
        assert.ok(results.every(({ status }) => status === "stored"))
        return count
    }
    await statements(vitals(4))
    const few = await statements(vitals(4))
    assert.equal(await statements(vitals(100)), few)
    assert.ok(few <= 12, `${few} statements`)
    await clinic.close()
})
