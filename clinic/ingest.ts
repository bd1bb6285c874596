import type { LogSummary } from "../host/log-summary.ts"
import { decodeAlarms, type AlarmEvent } from "../wire/alarms.ts"
import type { Delivery, DeliveryResult, EnvelopeRefusal } from "../wire/batch.ts"
import { WireError } from "../wire/cbor.ts"
import {
    FormatError,
    InnerTagError,
    openEnvelope,
    parseEnvelope,
    verifyEnvelope,
    type Envelope,
    type Purpose,
} from "../wire/envelope.ts"
import { eui, type MoteKeys } from "../wire/keys.ts"
import { decodePack } from "../wire/pack.ts"
import type { Alarms } from "./alarms/alarms.ts"
import { Attribution } from "./motes/attribution.ts"
import { noteArrival } from "./motes/completeness.ts"
import { toConfigStatement, type Configurations, type ConfigStatement } from "./motes/configurations.ts"
import { isWithinGrace, type Mote, type Motes, type Secrets } from "./motes/motes.ts"
import { toReadings, type Reading } from "./readings/readings.ts"
import type { Observations } from "./readings/observations.ts"
import { maxSkewMs } from "./routers.ts"
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
    statement: ConfigStatement | undefined
    problem: string | null
    /** When it arrived at the router, by the clinic's clock, and what was added to the router's for that. */
    arrivedAt: number
    clockOffset: number
}

/** What one transaction takes: everybody else waits for so many rows. */
const maxRows = 500
/** An envelope costs about as much as so many readings, an alarm as so many. */
const rowsPerEnvelope = 5
const rowsPerAlarm = 10

interface Context {
    router: number
    /** What has to be added to the router's clock, ms. */
    clockOffset: number
    now: number
    motes: Motes
    configurations: Configurations
    alarms: Alarms
    observations: Observations
    tables: Tables
    /**
     * Envelopes that were refused, those of them that were altered, by router, and those that were kept with a problem:
     * strangers decide how many there are.
     */
    refused: LogSummary
    altered: LogSummary
    flawed: LogSummary
}

class Refused extends Error {
    readonly code: EnvelopeRefusal

    constructor(code: EnvelopeRefusal) {
        super(code)
        this.code = code
    }
}

/**
 * Takes the first of a batch, as many as are not too much for one transaction, which is the caller's: verifies the MAC
 * and the inner tag, and only then decodes and stores. What a mote has sealed is never refused for what is inside: it is
 * kept with its problem. `router` is the delivering account, `now` unix ms. The results are those of the first of the batch, one at least.
 */
export async function ingest(batch: Delivery[], o: Context): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = []
    let rows = 0
    for (const delivery of batch) {
        if (rows >= maxRows) break
        rows += rowsPerEnvelope
        try {
            const opened = await open(delivery, o)
            rows += opened.readings.length + rowsPerAlarm * opened.alarms.length
            const isNew = await store(delivery, opened, o)
            results.push({ id: delivery.id, status: isNew ? "stored" : "duplicate" })
        } catch (error) {
            if (!(error instanceof Refused)) throw error
            o.refused.count(error.code)
            if (error.code === "altered") o.altered.count(`router ${o.router}`)
            results.push({ id: delivery.id, status: "refused", reason: error.code })
        }
    }
    return results
}

async function open(delivery: Delivery, o: Context): Promise<Opened> {
    let envelope: Envelope
    try {
        envelope = parseEnvelope(delivery.envelope)
    } catch (error) {
        if (error instanceof FormatError) throw new Refused("unknown-format")
        if (error instanceof WireError) throw new Refused("malformed")
        throw error
    }
    const known = await o.motes.withSecrets(envelope.kid, o.tables)
    if (!known) throw new Refused("unknown-mote")
    const { mote } = known
    const { now } = o
    const { receivedAt } = delivery
    // Nothing is received after it was delivered: what says so has a clock that is ahead by that, at least.
    const isAhead = receivedAt + o.clockOffset > now + maxSkewMs
    const clockOffset = isAhead ? now - receivedAt : o.clockOffset
    const arrivedAt = Math.min(receivedAt + clockOffset, now)
    const isLate = mote.revokedAt !== null && !isWithinGrace(arrivedAt, mote.revokedAt, now)
    const { purpose } = delivery
    const { plaintext, generation } = await unsealed(purpose, envelope, { ...known, arrivedAt, isLate }, o)
    if (isLate) throw new Refused("revoked")
    const understood = understand(purpose, plaintext, { arrivedAt, clockOffset })
    const { problem } = understood
    if (problem) o.flawed.count(eui(mote.kid))
    return { mote, generation, envelope, ...understood, arrivedAt, clockOffset }
}

/**
 * The plaintext, and the generation of the mote's secret under which it was sealed. The next secret is taken into use by
 * that, but only for the inner tag, which no router can make. Throws Refused.
 */
async function unsealed(
    purpose: Purpose,
    envelope: Envelope,
    { mote, secrets, arrivedAt, isLate }: { mote: Mote; secrets: Secrets; arrivedAt: number; isLate: boolean },
    o: Context,
): Promise<{ plaintext: Uint8Array; generation: number }> {
    const { current, next, previous, rotatedAt, generation, nextGeneration } = secrets
    const isUnder = (keys: MoteKeys | undefined): keys is MoteKeys =>
        keys !== undefined && verifyEnvelope(envelope, purpose, keys.upMac)
    if (isUnder(current)) return { plaintext: decrypted(envelope, current), generation }
    if (isUnder(next)) {
        const plaintext = decrypted(envelope, next)
        if (!isLate) {
            await o.motes.takeNextSecret(mote, o.now, o.tables)
            await o.configurations.takeNextSecret(mote, o.tables)
        }
        return { plaintext, generation: nextGeneration }
    }
    if (!isUnder(previous)) throw new Refused("wrong-mac")
    if (rotatedAt !== null && !isWithinGrace(arrivedAt, rotatedAt, o.now)) throw new Refused("old-secret")
    return { plaintext: decrypted(envelope, previous), generation: generation - 1 }
}

/** Throws Refused if anybody but the mote has made the content. */
function decrypted(envelope: Envelope, { upEnc }: MoteKeys): Uint8Array {
    try {
        return openEnvelope(envelope, upEnc)
    } catch (error) {
        if (error instanceof InnerTagError) throw new Refused("altered")
        throw error
    }
}

/** The times that mote and router give are by the router's clock: `clockOffset` makes them the clinic's. */
function understand(
    purpose: Purpose,
    plaintext: Uint8Array,
    { arrivedAt, clockOffset }: { arrivedAt: number; clockOffset: number },
): Pick<Opened, "readings" | "alarms" | "statement" | "problem"> {
    const nothing = { readings: [], alarms: [], statement: undefined, problem: null }
    const receivedAt = arrivedAt - clockOffset
    const atClinic = <T extends { time: number }>(said: T): T => ({ ...said, time: said.time + clockOffset })
    try {
        if (purpose === "alarm") return { ...nothing, alarms: decodeAlarms(plaintext, receivedAt).map(atClinic) }
        const pack = decodePack(plaintext, receivedAt).map(atClinic)
        const readings = toReadings(pack, arrivedAt)
        const problem = readings.find(reading => reading.problem !== null)?.problem ?? null
        return { ...nothing, readings, statement: toConfigStatement(pack), problem }
    } catch (error) {
        if (!(error instanceof WireError)) throw error
        return { ...nothing, problem: error.message }
    }
}

/** False where this very envelope is stored already. */
async function store(
    delivery: Delivery,
    { mote, generation, envelope, readings, alarms, statement, problem, arrivedAt, clockOffset }: Opened,
    { router, now, tables, ...o }: Context,
): Promise<boolean> {
    const { boot, salt, seq, bytes } = envelope
    const key = { mote: mote.id, boot, salt, seq }
    const { purpose, receivedAt } = delivery
    const received = { receivedAt, storedAt: now, router, clockOffset }
    const id = await tables.envelope.add({ ...key, purpose, ...received, bytes, problem })
    if (id === undefined) {
        if (Buffer.compare((await tables.envelope.bytesOf(key))!, bytes) !== 0) throw new Refused("nonce-reused")
        return false
    }
    // Before anything else of it: retention may have removed it, and a router has kept it for all that time.
    if (!(await noteArrival({ id, ...key }, { arrivedAt, now }, tables))) {
        await tables.envelope.withdraw(id)
        return false
    }
    const attribution = new Attribution(mote, { arrivedAt, boot }, tables)
    const groups = await attribution.ofReadings(readings)
    for (const [whose, own] of groups)
        await o.observations.add(own, { envelope: id, mote: mote.id, patient: whose?.patient ?? null, now }, tables)
    for (const event of alarms)
        await o.alarms.take(mote, await attribution.ofAlarm(event), { generation, event }, tables)
    for (const [whose, own] of groups) if (whose) await o.alarms.observe(mote, whose, own, tables)
    if (statement && (await isNewestSecret(mote, generation, o.motes, tables)))
        await o.configurations.applyStatement(mote, statement, { boot, seq }, arrivedAt, tables)
    return true
}

/**
 * Whether the mote has not taken a newer secret into use than that of this `generation`. What it said under a former one
 * about its configuration may be of another board, whose starts count otherwise (models/rotation.pml).
 */
async function isNewestSecret(mote: Mote, generation: number, motes: Motes, tables: Tables): Promise<boolean> {
    const { secrets } = (await motes.withSecrets(mote.kid, tables))!
    return secrets.generation === generation
}
