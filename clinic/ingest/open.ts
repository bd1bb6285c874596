import { decodeAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import type { Delivery, EnvelopeRefusal } from "../../wire/batch.ts"
import { WireError } from "../../wire/cbor.ts"
import {
    FormatError,
    InnerTagError,
    openEnvelope,
    parseEnvelope,
    verifyEnvelope,
    type Envelope,
    type Purpose,
} from "../../wire/envelope.ts"
import type { MoteKeys } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import { toConfigStatement, type ConfigStatement } from "../motes/configurations.ts"
import { isWithinGrace, type KnownMote, type Mote } from "../motes/motes.ts"
import { toReadings, type Reading } from "../readings/readings.ts"
import { maxSkewMs } from "../routers.ts"

/** Verified, opened and understood as far as it can be. */
export interface Opened {
    mote: Mote
    /** Of the secret it was sealed under. */
    generation: number
    /** That secret is the mote's next one, which is taken into use by this. */
    isNext: boolean
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

export class Refused extends Error {
    readonly code: EnvelopeRefusal

    constructor(code: EnvelopeRefusal) {
        super(code)
        this.code = code
    }
}

/** The envelope as it was delivered, or why it is none. */
export function parsed({ envelope }: Delivery): Envelope | Refused {
    try {
        return parseEnvelope(envelope)
    } catch (error) {
        if (error instanceof FormatError) return new Refused("unknown-format")
        if (error instanceof WireError) return new Refused("malformed")
        throw error
    }
}

/**
 * Verifies the MAC and the inner tag, and only then decodes. What a mote has sealed is never refused for what is inside. `known` is
 * the mote of its `kid`, `o.clockOffset` what has to be added to the router's clock, `o.now` unix ms. Throws Refused.
 */
export function open(
    { purpose, receivedAt }: Delivery,
    envelope: Envelope | Refused,
    known: KnownMote | undefined,
    o: { clockOffset: number; now: number },
): Opened {
    if (envelope instanceof Refused) throw envelope
    if (!known) throw new Refused("unknown-mote")
    const { mote } = known
    const { now } = o
    // Nothing is received after it was delivered: what says so has a clock that is ahead by that, at least.
    const isAhead = receivedAt + o.clockOffset > now + maxSkewMs
    const clockOffset = isAhead ? now - receivedAt : o.clockOffset
    const arrivedAt = Math.min(receivedAt + clockOffset, now)
    const isLate = mote.revokedAt !== null && !isWithinGrace(arrivedAt, mote.revokedAt, now)
    const { plaintext, ...secret } = unsealed(purpose, envelope, known, { arrivedAt, now })
    if (isLate) throw new Refused("revoked")
    const understood = understand(purpose, plaintext, { arrivedAt, clockOffset })
    return { mote, ...secret, envelope, ...understood, arrivedAt, clockOffset }
}

/**
 * The plaintext, and the generation of the mote's secret under which it was sealed. Its next secret counts only for the inner tag,
 * which no router can make. Throws Refused.
 */
function unsealed(
    purpose: Purpose,
    envelope: Envelope,
    { secrets }: KnownMote,
    { arrivedAt, now }: { arrivedAt: number; now: number },
): { plaintext: Uint8Array; generation: number; isNext: boolean } {
    const { current, next, previous, rotatedAt, generation, nextGeneration } = secrets
    const isUnder = (keys: MoteKeys | undefined): keys is MoteKeys =>
        keys !== undefined && verifyEnvelope(envelope, purpose, keys.upMac)
    if (isUnder(current)) return { plaintext: decrypted(envelope, current), generation, isNext: false }
    if (isUnder(next)) return { plaintext: decrypted(envelope, next), generation: nextGeneration, isNext: true }
    if (!isUnder(previous)) throw new Refused("wrong-mac")
    if (rotatedAt !== null && !isWithinGrace(arrivedAt, rotatedAt, now)) throw new Refused("old-secret")
    return { plaintext: decrypted(envelope, previous), generation: generation - 1, isNext: false }
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
