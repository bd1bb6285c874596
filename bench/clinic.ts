import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sql } from "kysely"
import { Clinic, openSqlite, type Store } from "../clinic/index.ts"
import { realClock } from "../host/clock.ts"
import { silentLog } from "../host/log.ts"
import type { Delivery } from "../wire/batch.ts"
import { sealEnvelope } from "../wire/envelope.ts"
import { deriveKeys, type MoteKeys } from "../wire/keys.ts"
import { encodePack, maxReadings, maxValues, type Measurement } from "../wire/pack.ts"
import type { Row } from "./row.ts"

const batchSizes = [1, 64, 512]
const fullBatch = 250
const motes = 20
const measureMs = 1_500
/** About what the clinic has in one transaction. */
const ceilingRows = 1250
/** The load of the machine varies: each round measures every size, and the best round counts. */
const rounds = 2
/** Readings per envelope: as a mote sends them every 10 seconds, and after an outage. */
const readingsEach = [5, 30] as const

/**
 * Envelopes per second that a clinic makes durable, by the size of the router's batches: MAC checked, decrypted,
 * decoded, written and committed to a database on disk.
 */
export async function bench(): Promise<Row[]> {
    const data = mkdtempSync(join(tmpdir(), "vitalmote-bench-"))
    const store = openSqlite(join(data, "clinic.db"))
    const clinic = await Clinic.open({
        store,
        clock: realClock,
        random: randomBytes,
        key: randomBytes(32),
        log: silentLog,
    })
    try {
        const sealers = await makeSealers(clinic)
        const rows = await speeds(clinic, sealers, batchSizes)
        rows.push(await ceiling(store))
        const waits = await longestWait(clinic, sealers)
        const note = `beside ${fullBatch} envelopes of ${maxValues} values`
        return [...rows, { what: "clinic, longest wait of others", value: Math.round(waits), unit: "ms CPU", note }]
    } finally {
        await clinic.close()
        rmSync(data, { recursive: true, force: true })
    }
}

/** Motes of one patient. */
export async function makeSealers(clinic: Clinic): Promise<Sealer[]> {
    const { id } = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const sealers: Sealer[] = []
    for (let i = 0; i < motes; i++) {
        const { mote, secret } = await clinic.motes.register(id)
        sealers.push(new Sealer(deriveKeys(secret, mote.kid)))
    }
    return sealers
}

/** How fast batches of each size are made durable; the best of some rounds. */
export async function speeds(clinic: Clinic, sealers: Sealer[], sizes: readonly number[]): Promise<Row[]> {
    const rows: Row[] = []
    for (const readings of readingsEach) rows.push(...(await speedsOf(clinic, sealers, { sizes, readings })))
    return rows
}

async function speedsOf(
    clinic: Clinic,
    sealers: Sealer[],
    { sizes, readings }: { sizes: readonly number[]; readings: number },
): Promise<Row[]> {
    const best = new Map<number, Speed>()
    for (let round = 0; round < rounds; round++)
        for (const size of sizes) {
            const { perSecond, cpuUs } = await measure(clinic, sealers, { size, readings })
            const before = best.get(size) ?? { perSecond: 0, cpuUs: Infinity }
            best.set(size, {
                perSecond: Math.max(perSecond, before.perSecond),
                cpuUs: Math.min(cpuUs, before.cpuUs),
            })
        }
    return [...best].flatMap(([size, { perSecond, cpuUs }]) => {
        const what = `clinic, batches of ${size}`
        const note = `${readings} readings each`
        return [
            { what, value: Math.round(perSecond), unit: "durable envelopes/s", note },
            { what, value: Math.round(perSecond * readings), unit: "readings/s", note },
            { what, value: Math.round(cpuUs), unit: "µs CPU/envelope", note },
        ]
    })
}

interface Speed {
    perSecond: number
    cpuUs: number
}

/** Only the time inside `ingest` counts; sealing is the motes' work. */
async function measure(
    clinic: Clinic,
    sealers: Sealer[],
    { size, readings }: { size: number; readings: number },
): Promise<Speed> {
    let busyMs = 0
    let cpuUs = 0
    let stored = 0
    while (busyMs < measureMs) {
        const now = realClock.now()
        const batch = Array.from({ length: size }, (_, i): Delivery => {
            const sealer = sealers[(stored + i) % sealers.length]!
            return { id: i, purpose: "vitals", receivedAt: now, envelope: sealer.seal(now, readings) }
        })
        const startedAt = performance.now()
        const cpuAtStart = process.cpuUsage()
        const results = await clinic.ingest(batch)
        busyMs += performance.now() - startedAt
        const { user, system } = process.cpuUsage(cpuAtStart)
        cpuUs += user + system
        if (results.some(({ status }) => status !== "stored")) throw new Error("the clinic did not store an envelope")
        stored += size
    }
    return { perSecond: (stored / busyMs) * 1000, cpuUs: cpuUs / stored }
}

/**
 * CPU time for which the process is blocked by the largest possible batch. CPU time excludes the machine's other work.
 */
async function longestWait(clinic: Clinic, sealers: Sealer[]): Promise<number> {
    const now = realClock.now()
    const full = Array.from({ length: maxValues }, (_, i): Measurement => {
        const time = now - 2000 * (i % maxReadings)
        return { name: `x-${1000 + Math.floor(i / maxReadings)}`, unit: "/", value: 60, time, relative: false }
    })
    const batch = Array.from({ length: fullBatch }, (_, i): Delivery => {
        const envelope = sealers[i % sealers.length]!.sealPack(full, now)
        return { id: i, purpose: "vitals", receivedAt: now, envelope }
    })
    let longestMs = 0
    let isOver = false
    const watching = (async () => {
        while (!isOver) {
            const before = process.cpuUsage()
            await new Promise(resolve => setImmediate(resolve))
            const { user, system } = process.cpuUsage(before)
            longestMs = Math.max(longestMs, (user + system) / 1000)
        }
    })()
    await clinic.ingest(batch)
    isOver = true
    await watching
    return longestMs
}

export class Sealer {
    private readonly keys: MoteKeys
    private readonly salt = randomBytes(5)
    private seq = 0

    constructor(keys: MoteKeys) {
        this.keys = keys
    }

    seal(now: number, readings: number): Uint8Array {
        return this.sealPack(pack(now, readings), now)
    }

    sealPack(measurements: Measurement[], now: number): Uint8Array {
        const { kid, upEnc, upMac } = this.keys
        const plaintext = encodePack(measurements, now)
        return sealEnvelope({
            kid,
            upEnc,
            upMac,
            purpose: "vitals",
            boot: 1,
            salt: this.salt,
            seq: this.seq++,
            plaintext,
        })
    }
}

/** A reading is a heart rate with its quality, or a temperature, or a saturation: that is what is stored as one. */
function pack(now: number, readings: number): Measurement[] {
    const measurements: Measurement[] = []
    for (let i = 0; i < readings; i++) {
        const time = now - 2000 * (readings - i)
        const add = (name: string, unit: string, value: number) =>
            measurements.push({ name, unit, value, time, relative: false })
        if (i % 5 < 3) {
            add("hr", "beat/min", 72 + (i % 20))
            add("hr-q", "/", 0.9)
        } else if (i % 5 === 3) add("temp", "Cel", 36.6)
        else add("spo2", "%", 97)
    }
    return measurements
}

/** Readings per second of a bare INSERT of rows that are the same, in transactions of as many as the clinic has in one: the ceiling. */
export async function ceiling(store: Store): Promise<Row> {
    const { rows } = await sql<{
        mote: number
        envelope: number
    }>`SELECT mote, id AS envelope FROM envelope LIMIT 1`.execute(store.db)
    const none = { absent: null, problem: null, count: null, least: null, greatest: null, span: null }
    const now = realClock.now()
    const some = Array.from({ length: ceilingRows }, (_, i) => ({
        ...{
            ...rows[0]!,
            patient: 1,
            name: "hr",
            unit: "beat/min",
            value: 60 + (i % 40),
            quality: 0.9,
            relative: 0,
            ...none,
        },
        time: now - i,
    }))
    let inserted = 0
    const startedAt = performance.now()
    const cpuAtStart = process.cpuUsage()
    while (performance.now() - startedAt < measureMs) {
        await store.transaction(t => t.measurement.add(some))
        inserted += ceilingRows
    }
    const { user, system } = process.cpuUsage(cpuAtStart)
    const value = Math.round((inserted / (performance.now() - startedAt)) * 1000)
    const note = `${((user + system) / inserted).toFixed(1)} µs CPU each, ${ceilingRows} a transaction`
    return { what: "bare INSERT of readings", value, unit: "readings/s", note }
}
