import type { Log } from "../host/log.ts"
import { toAlarms, type AlarmEvent } from "../wire/alarms.ts"
import type { Delivery, DeliveryResult } from "../wire/batch.ts"
import { WireError } from "../wire/cbor.ts"
import { openEnvelope, parseEnvelope, verifyEnvelope, type Envelope, type Purpose } from "../wire/envelope.ts"
import { eui, type MoteKeys } from "../wire/keys.ts"
import { decodePack, type Measurement } from "../wire/senml.ts"
import type { Alarms } from "./alarms/alarms.ts"
import { noteArrival } from "./motes/completeness.ts"
import { toConfigWord, type Configurations, type ConfigWord } from "./motes/configurations.ts"
import type { Mote, Motes, Secrets } from "./motes/motes.ts"
import { toReadings, type Reading } from "./readings/readings.ts"
import type { Observations } from "./readings/observations.ts"
import type { Tables } from "./store/store.ts"

/** Verified, opened and understood as far as it can be. */
interface Opened {
    mote: Mote
    /** Of the secret it was sealed under. */
    generation: number
    envelope: Envelope
    readings: Reading[]
    alarms: AlarmEvent[]
    /** What the mote says about its configuration. */
    word: ConfigWord | undefined
    problem: string | null
}

interface Context {
    router: number
    now: number
    motes: Motes
    configurations: Configurations
    alarms: Alarms
    observations: Observations
    tables: Tables
    log: Log
}

class Refused extends Error {}

/**
 * Takes one batch within the caller's transaction: verifies the MAC, and only then decrypts, decodes and stores. An
 * authentic envelope is never refused for what is inside: it is kept with its problem. `router` is the delivering
 * account, `now` unix ms.
 */
export async function ingest(batch: Delivery[], o: Context): Promise<DeliveryResult[]> {
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

async function open(delivery: Delivery, o: Context): Promise<Opened> {
    let envelope: Envelope
    try {
        envelope = parseEnvelope(delivery.envelope)
    } catch (error) {
        if (error instanceof WireError) throw new Refused(`malformed: ${error.message}`)
        throw error
    }
    const known = await o.motes.withSecrets(envelope.kid, o.tables)
    if (!known) throw new Refused("unknown kid")
    const { mote } = known
    // What a router took and receipted before the revocation is not lost for arriving late.
    const isLate = mote.revokedAt !== null && delivery.receivedAt > mote.revokedAt
    const arrivedAt = Math.min(delivery.receivedAt, o.now)
    const { keys, generation } = await secretOf(delivery, envelope, known, isLate, o)
    if (isLate) throw new Refused("the mote is revoked")
    const understood = understand(delivery.purpose, envelope, keys, arrivedAt)
    const { problem } = understood
    if (problem) o.log.warn({ mote: eui(mote.kid), problem }, "envelope kept with a problem")
    return { mote, generation, envelope, ...understood }
}

/** Under which of the mote's secrets it was sealed. The next one is taken into use by that. Throws Refused. */
async function secretOf(
    { purpose, receivedAt }: Delivery,
    envelope: Envelope,
    { mote, secrets }: { mote: Mote; secrets: Secrets },
    isLate: boolean,
    o: Context,
): Promise<{ keys: MoteKeys; generation: number }> {
    const { current, next, previous, rotatedAt, generation, nextGeneration } = secrets
    const isUnder = (keys: MoteKeys | undefined): keys is MoteKeys =>
        keys !== undefined && verifyEnvelope(envelope, purpose, keys.upMac)
    if (isUnder(current)) return { keys: current, generation }
    if (isUnder(next)) {
        const arrivedAt = Math.min(receivedAt, o.now)
        if (!isLate) {
            await o.motes.takeNextSecret(mote, arrivedAt, o.tables)
            await o.configurations.takeNextSecret(mote, o.tables)
        }
        return { keys: next, generation: nextGeneration }
    }
    if (!isUnder(previous)) throw new Refused("wrong MAC")
    if (rotatedAt !== null && receivedAt > rotatedAt) throw new Refused("the mote has another secret now")
    return { keys: previous, generation: generation - 1 }
}

function understand(
    purpose: Purpose,
    envelope: Envelope,
    keys: MoteKeys,
    arrivedAt: number,
): Pick<Opened, "readings" | "alarms" | "word" | "problem"> {
    try {
        const pack = decodePack(openEnvelope(envelope, keys.upEnc), envelope.kid, arrivedAt)
        const alarms = purpose === "alarm" ? toAlarms(pack) : []
        const readings = toReadings(pack.filter(isReading), arrivedAt)
        const problem = readings.find(reading => reading.problem !== null)?.problem ?? null
        return { readings, alarms, word: toConfigWord(pack), problem }
    } catch (error) {
        if (!(error instanceof WireError)) throw error
        return { readings: [], alarms: [], word: undefined, problem: error.message }
    }
}

/** Alarms have a table of their own. */
function isReading({ name }: Measurement): boolean {
    return !name.startsWith("alarm/")
}

/** False where this very envelope is stored already. */
async function store(
    delivery: Delivery,
    { mote, generation, envelope, readings, alarms, word, problem }: Opened,
    { router, now, tables, ...o }: Context,
): Promise<boolean> {
    const { boot, salt, seq, bytes } = envelope
    const key = { mote: mote.id, boot, salt, seq }
    const { purpose, receivedAt } = delivery
    const id = await tables.envelope.add({ ...key, purpose, receivedAt, storedAt: now, router, bytes, problem })
    if (id === undefined) {
        if (Buffer.compare((await tables.envelope.bytesOf(key))!, bytes) !== 0)
            throw new Refused("its nonce was used before, for something else")
        return false
    }
    await o.observations.add(readings, { envelope: id, mote }, tables)
    const arrivedAt = Math.min(receivedAt, now)
    for (const event of alarms) await o.alarms.take(mote, generation, event, tables)
    if (word) await o.configurations.heard(mote, word, { boot, seq }, arrivedAt, tables)
    await noteArrival(key, arrivedAt, tables)
    return true
}
