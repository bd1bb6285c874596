import type { Log } from "../host/log.ts"
import type { Delivery, DeliveryResult } from "../wire/batch.ts"
import { WireError } from "../wire/cbor.ts"
import { openEnvelope, parseEnvelope, verifyEnvelope, type Envelope } from "../wire/envelope.ts"
import { eui, type MoteKeys } from "../wire/keys.ts"
import { decodePack } from "../wire/senml.ts"
import { noteArrival } from "./completeness.ts"
import type { Mote, Motes } from "./motes.ts"
import { toReadings, type Reading } from "./readings.ts"
import type { Sql } from "./store/store.ts"

/** Verified, opened and understood as far as it can be. */
interface Opened {
    mote: Mote
    envelope: Envelope
    readings: Reading[]
    problem: string | null
}

class Refused extends Error {}

/**
 * Takes one batch within the caller's transaction: verifies the MAC, and only then decrypts, decodes and stores. An
 * authentic envelope is never refused for what is inside: it is kept with its problem. `router` is the delivering
 * account, `now` unix ms.
 */
export async function ingest(
    batch: Delivery[],
    o: { router: number; now: number; motes: Motes; sql: Sql; log: Log },
): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = []
    for (const delivery of batch) {
        try {
            const opened = await open(delivery, o)
            const isNew = await store(delivery, opened, o)
            results.push({ id: delivery.id, status: isNew ? "stored" : "duplicate" })
        } catch (error) {
            if (!(error instanceof Refused)) throw error
            o.log.warn({ router: o.router, reason: error.message }, "envelope refused")
            results.push({ id: delivery.id, status: "refused", reason: error.message })
        }
    }
    return results
}

async function open(
    delivery: Delivery,
    o: { now: number; motes: Motes; sql: Sql; log: Log },
): Promise<Opened> {
    let envelope: Envelope
    try {
        envelope = parseEnvelope(delivery.envelope)
    } catch (error) {
        if (error instanceof WireError) throw new Refused(`malformed: ${error.message}`)
        throw error
    }
    const known = await o.motes.withKeys(envelope.kid, o.sql)
    if (!known) throw new Refused("unknown kid")
    const { mote, keys } = known
    if (!verifyEnvelope(envelope, delivery.purpose, keys.upMac)) throw new Refused("wrong MAC")
    // What a router took and receipted before the revocation is not lost for arriving late.
    if (mote.revokedAt !== null && delivery.receivedAt > mote.revokedAt)
        throw new Refused("the mote is revoked")
    const arrivedAt = Math.min(delivery.receivedAt, o.now)
    const { readings, problem } = understand(envelope, keys, arrivedAt)
    if (problem) o.log.warn({ mote: eui(mote.kid), problem }, "envelope kept with a problem")
    return { mote, envelope, readings, problem }
}

function understand(
    envelope: Envelope,
    keys: MoteKeys,
    arrivedAt: number,
): Pick<Opened, "readings" | "problem"> {
    try {
        const pack = decodePack(openEnvelope(envelope, keys.upEnc), envelope.kid, arrivedAt)
        const readings = toReadings(pack, arrivedAt)
        const problem = readings.find(reading => reading.problem !== null)?.problem ?? null
        return { readings, problem }
    } catch (error) {
        if (!(error instanceof WireError)) throw error
        return { readings: [], problem: error.message }
    }
}

/** False where this very envelope is stored already. */
async function store(
    delivery: Delivery,
    { mote, envelope, readings, problem }: Opened,
    { router, now, sql }: { router: number; now: number; sql: Sql },
): Promise<boolean> {
    const { boot, salt, seq } = envelope
    const [stored] = await sql.all<{ id: number }>(
        `INSERT INTO envelope (mote, boot, salt, seq, purpose, received_at, stored_at, router, bytes, problem)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
        ...[mote.id, boot, salt, seq, delivery.purpose, delivery.receivedAt, now, router],
        ...[envelope.bytes, problem],
    )
    if (!stored) {
        const [first] = await sql.all<{ bytes: Uint8Array }>(
            "SELECT bytes FROM envelope WHERE mote = ? AND boot = ? AND salt = ? AND seq = ?",
            ...[mote.id, boot, salt, seq],
        )
        if (Buffer.compare(first!.bytes, envelope.bytes) !== 0)
            throw new Refused("its nonce was used before, for something else")
        return false
    }
    for (const reading of readings)
        await sql.run(
            `INSERT INTO measurement
             (envelope, mote, patient, name, unit, value, absent, quality, time, relative, problem)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
            ...[stored.id, mote.id, mote.patient, reading.name, reading.unit, reading.value],
            ...[reading.absent, reading.quality, reading.time, reading.relative ? 1 : 0],
            reading.problem,
        )
    const arrivedAt = Math.min(delivery.receivedAt, now)
    await noteArrival({ mote: mote.id, boot, salt, seq }, arrivedAt, sql)
    return true
}
