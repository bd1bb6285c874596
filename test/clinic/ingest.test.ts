import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import type { Clinic } from "../../clinic/index.ts"
import type { Delivery } from "../../wire/batch.ts"
import { encode } from "../../wire/cbor.ts"
import { ManualClock } from "../support/clock.ts"
import { onEngine } from "./stores.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement, memoryClinic } from "./support.ts"

async function ward() {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    return { clock, clinic, patient, mote, sealer }
}

async function statuses(clinic: Clinic, batch: Delivery[]): Promise<string[]> {
    const results = await clinic.ingest(batch)
    assert.deepEqual(
        results.map(r => r.id),
        batch.map(d => d.id),
    )
    return results.map(r => (r.reason === undefined ? r.status : `${r.status}: ${r.reason}`))
}

function vitals(clinic: Clinic, patient: number) {
    return clinic.observations.search({
        ...{ patients: [patient], names: ["hr", "temp", "spo2"] },
        ...{ newestFirst: false, limit: 100 },
    })
}

test("what is sealed arrives, decrypted, with value, unit, quality and time", async () => {
    const { clock, clinic, patient, mote, sealer } = await ward()
    const now = clock.now()
    const pack = [
        measurement("hr", 71.5, now - 2000),
        measurement("hr-q", 0.75, now - 2000),
        measurement("temp", 36.9, now - 1000),
    ]
    assert.deepEqual(await statuses(clinic, [delivery(sealer.seal(pack, now), now)]), ["stored"])
    const shared = {
        patient: patient.id,
        kid: mote.kid,
        absent: null,
        relative: false,
        summary: null,
    }
    const [hr, temp, ...others] = await vitals(clinic, patient.id)
    assert.deepEqual(
        [hr, temp],
        [
            {
                ...{ ...shared, id: hr?.id, name: "hr", unit: "beat/min", value: 71.5 },
                ...{ quality: 0.75, time: now - 2000, storedAt: now },
            },
            {
                ...{ ...shared, id: temp?.id, name: "temp", unit: "Cel", value: 36.9 },
                ...{ quality: null, time: now - 1000, storedAt: now },
            },
        ],
    )
    assert.deepEqual(others, [])
})

test("the same envelope counts once, within a batch and across batches", async () => {
    const { clock, clinic, patient, sealer } = await ward()
    const now = clock.now()
    const one = sealer.seal([measurement("hr", 60, now)], now)
    const two = sealer.seal([measurement("hr", 61, now)], now)
    const first = await statuses(clinic, [delivery(one, now), delivery(one, now)])
    assert.deepEqual(first, ["stored", "duplicate"])
    const second = await statuses(clinic, [delivery(one, now + 5), delivery(two, now + 5)])
    assert.deepEqual(second, ["duplicate", "stored"])
    assert.deepEqual(
        (await vitals(clinic, patient.id)).map(o => o.value),
        [60, 61],
    )
})

test("any order and any repetition of deliveries ends in the same records", async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(fc.array(fc.nat(7), { maxLength: 6 }), { maxLength: 6 }), async batches => {
            const { clock, clinic, patient, sealer } = await ward()
            const now = clock.now()
            const sealed = Array.from({ length: 8 }, (_, i) =>
                sealer.seal([measurement("hr", 60 + i, now - 8000 + 1000 * i)], now),
            )
            const seen = new Set<number>()
            for (const batch of batches) {
                const expected = batch.map(i => {
                    const isNew = !seen.has(i)
                    seen.add(i)
                    return isNew ? "stored" : "duplicate"
                })
                const deliveries = batch.map(i => delivery(sealed[i]!, now))
                assert.deepEqual(await statuses(clinic, deliveries), expected)
            }
            assert.deepEqual(
                (await vitals(clinic, patient.id)).map(o => o.value),
                [...seen].sort((a, b) => a - b).map(i => 60 + i),
            )
            await clinic.close()
        }),
        { numRuns: onEngine(25) },
    )
})

test("no envelope with one flipped bit is stored", async () => {
    const { clock, clinic, patient, sealer } = await ward()
    const now = clock.now()
    const good = sealer.seal([measurement("hr", 60, now)], now)
    const flipped = Array.from({ length: good.length * 8 }, (_, bit) => {
        const bad = Uint8Array.from(good)
        bad[bit >> 3]! ^= 1 << (bit & 7)
        return delivery(bad, now)
    })
    for (const result of await clinic.ingest(flipped)) assert.equal(result.status, "refused")
    assert.deepEqual(await vitals(clinic, patient.id), [])
    assert.deepEqual(await statuses(clinic, [delivery(good, now)]), ["stored"])
})

test("refusals say why: garbage, unknown kid, other purpose, reused nonce", async () => {
    const { clock, clinic, sealer } = await ward()
    const now = clock.now()
    const stranger = new TestMote({ kid: randomBytes(8), secret: randomBytes(32) })
    const pack = [measurement("hr", 60, now)]
    const good = sealer.seal(pack, now)
    sealer.seq = 0
    const reused = sealer.seal([measurement("hr", 61, now)], now)
    assert.deepEqual(
        await statuses(clinic, [
            delivery(randomBytes(40), now),
            delivery(stranger.seal(pack, now), now),
            delivery(good, now, "alarm"),
            delivery(good, now),
            delivery(reused, now),
        ]),
        ["refused: malformed", "refused: unknown-mote", "refused: wrong-mac", "stored", "refused: nonce-reused"],
    )
})

test("after a revocation nothing new is taken, what the router had before still is", async () => {
    const { clock, clinic, mote, sealer } = await ward()
    const before = clock.now()
    const early = sealer.seal([measurement("hr", 60, before)], before)
    await clock.advance(1000)
    assert.equal(await clinic.revoke(mote.kid), true)
    assert.equal(await clinic.revoke(mote.kid), false)
    await clock.advance(1000)
    const late = sealer.seal([measurement("hr", 61, clock.now())], clock.now())
    assert.deepEqual(await statuses(clinic, [delivery(early, before), delivery(late, clock.now())]), [
        "stored",
        "refused: revoked",
    ])
    assert.deepEqual(await clinic.keys(), [])
})

test("an authentic envelope with a malformed inside is kept with its problem", async () => {
    const { clock, clinic, mote, patient, sealer } = await ward()
    const now = clock.now()
    const insides = [randomBytes(20), new Uint8Array(), encode([]), encode([now, [0, 32], new Map([[0, [720, null]]])])]
    const batch = insides.map(inside => delivery(sealer.envelope({ plaintext: inside }), now))
    assert.deepEqual(await statuses(clinic, batch), ["stored", "stored", "stored", "stored"])
    assert.deepEqual(await vitals(clinic, patient.id), [])
    const { problems, missing } = await clinic.completeness(mote)
    assert.equal(problems.count, 4)
    assert.equal(missing, 0)
})

test("implausible values are kept with a problem and are no vital signs", async () => {
    const { clock, clinic, mote, patient, sealer } = await ward()
    const now = clock.now()
    const packs = [
        [measurement("hr", 19.9, now), measurement("temp", 36.5, now)],
        [measurement("hr", 301, now)],
        [measurement("temp", 9, now)],
        [measurement("temp", 50.1, now)],
        [measurement("hr", 70, now + 6 * 60_000)],
    ]
    for (const pack of packs)
        assert.deepEqual(await statuses(clinic, [delivery(sealer.seal(pack, now), now)]), ["stored"])
    assert.deepEqual(
        (await vitals(clinic, patient.id)).map(o => [o.name, o.value]),
        [["temp", 36.5]],
    )
    const { problems } = await clinic.completeness(mote)
    assert.deepEqual(problems, { count: 5, newest: "hr is from the future" })
})

test("motion and a weak signal give a heart rate without a value, never a guess", async () => {
    const { clock, clinic, patient, sealer } = await ward()
    const now = clock.now()
    const pack = [
        ...[measurement("hr", 60, now - 6000), measurement("hr-q", 0.9, now - 6000)],
        ...[measurement("motion", 0, now - 6000)],
        ...[measurement("motion", 1, now - 4000), measurement("hr-q", 0.2, now - 4000)],
        ...[measurement("hr-q", 0.1, now - 2000)],
        ...[measurement("motion", 1, now), measurement("hr", 180, now)],
    ]
    await statuses(clinic, [delivery(sealer.seal(pack, now), now)])
    assert.deepEqual(
        (await vitals(clinic, patient.id)).map(o => [o.time - now, o.value, o.absent, o.quality]),
        [
            [-6000, 60, null, 0.9],
            [-4000, null, "motion", 0.2],
            [-2000, null, "quality", 0.1],
            [0, null, "motion", null],
        ],
    )
})

test("relative times count back from the arrival, never from the future", async () => {
    const { clock, clinic, patient, sealer } = await ward()
    const now = clock.now()
    const pack = [measurement("hr", 60, now - 4000, { relative: true })]
    await statuses(clinic, [delivery(sealer.seal(pack, now), now - 10_000)])
    await statuses(clinic, [delivery(sealer.seal(pack, now), now + 3_600_000)])
    assert.deepEqual(
        (await vitals(clinic, patient.id)).map(o => [o.time - now, o.relative]),
        [
            [-14_000, true],
            [-4000, true],
        ],
    )
})

test("missing numbers show as gaps until they arrive", async () => {
    const { clock, clinic, mote, sealer } = await ward()
    const now = clock.now()
    const sealed = Array.from({ length: 10 }, (_, i) => sealer.seal([measurement("hr", 60 + i, now)], now))
    const salt = Buffer.from(sealer.salt).toString("hex")
    const arrive = (...seqs: number[]) =>
        statuses(
            clinic,
            seqs.map(seq => delivery(sealed[seq]!, now)),
        )
    await arrive(2, 3, 6, 9)
    const gap = (from: number, to: number) => ({ boot: 1, salt, from, to })
    const before = await clinic.completeness(mote)
    assert.deepEqual(before.gaps, [gap(0, 1), gap(4, 5), gap(7, 8)])
    assert.equal(before.missing, 6)
    await arrive(8, 1, 0, 2)
    const after = await clinic.completeness(mote)
    assert.deepEqual(after.gaps, [gap(4, 5), gap(7, 7)])
    assert.deepEqual([after.stored, after.missing], [7, 3])
    // Another start counts for itself.
    const restarted = new TestMote({ ...mote, secret: randomBytes(32), boot: 2 })
    Object.assign(restarted, { keys: sealer.keys, seq: 3 })
    const next = restarted.seal([measurement("lost", 4, now), measurement("batt", 80, now)], now)
    await statuses(clinic, [delivery(next, now)])
    const found = await clinic.completeness(mote)
    assert.deepEqual([found.missing, found.lost, found.battery], [6, 4, 80])
    assert.deepEqual(found.gaps[0], {
        ...{ boot: 2, salt: Buffer.from(restarted.salt).toString("hex") },
        ...{ from: 0, to: 2 },
    })
})

test("whatever arrives in whatever order, the gaps are exactly what is missing", async () => {
    const seqs = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 31 })
    await fc.assert(
        fc.asyncProperty(seqs, async arrived => {
            const { clock, clinic, mote, sealer } = await ward()
            const now = clock.now()
            for (const seq of arrived) {
                sealer.seq = seq
                await clinic.ingest([delivery(sealer.seal([measurement("hr", 60, now)], now), now)])
            }
            const newest = Math.max(...arrived)
            const { gaps, missing, stored } = await clinic.completeness(mote)
            const shown = gaps.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
            const all = Array.from({ length: newest + 1 }, (_, seq) => seq)
            assert.deepEqual(
                shown,
                all.filter(seq => !arrived.includes(seq)),
            )
            assert.ok(gaps.every((gap, i) => i === 0 || gap.from > gaps[i - 1]!.to + 1))
            assert.deepEqual([missing, stored], [shown.length, arrived.length])
            await clinic.close()
        }),
        { numRuns: onEngine(25) },
    )
})

test("live listeners hear every vital sign once, in order", async () => {
    const { clock, clinic, sealer } = await ward()
    const now = clock.now()
    const heard: (number | null)[] = []
    const stop = clinic.live.subscribe(found => heard.push(...found.map(o => o.value)))
    const envelopes = Array.from({ length: 20 }, (_, i) =>
        sealer.seal([measurement("hr", 60 + i, now), measurement("batt", 50, now)], now),
    )
    await Promise.all(envelopes.map(e => clinic.ingest([delivery(e, now), delivery(e, now)])))
    await clinic.live.settled()
    assert.deepEqual(
        heard,
        envelopes.map((_, i) => 60 + i),
    )
    stop()
    await clinic.ingest([delivery(sealer.seal([measurement("hr", 99, now)], now), now)])
    assert.equal(heard.length, envelopes.length)
})

test("routers get the keys of every mote and nothing that opens a reading", async () => {
    const { clinic, mote, sealer } = await ward()
    const [keys, ...others] = await clinic.keys()
    assert.deepEqual(others, [])
    const { upMac, receipt, mqtt } = sealer.keys
    assert.deepEqual(keys, { kid: mote.kid, upMac, receipt, mqtt, config: 0 })
})
