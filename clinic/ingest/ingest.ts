import type { LogSummary } from "../../host/log-summary.ts"
import type { Delivery, DeliveryResult } from "../../wire/batch.ts"
import { eui } from "../../wire/keys.ts"
import type { Alarms } from "../alarms/alarms.ts"
import type { Configurations } from "../motes/configurations.ts"
import type { KnownMote, Motes } from "../motes/motes.ts"
import type { Tables } from "../store/store.ts"
import { open, parsed, Refused, type Opened } from "./open.ts"
import { storeAll } from "./store.ts"

/** What one transaction takes: everybody else waits for so many rows. */
const maxRows = 1500
/** An envelope costs about as much as so many readings, an alarm as so many. */
const rowsPerEnvelope = 5
const rowsPerAlarm = 30
/** Of the envelopes of one transaction; the usual one has five readings in 90 bytes. */
const maxBytes = 40_000

export interface Context {
    router: number
    /** What has to be added to the router's clock, ms. */
    clockOffset: number
    /** Unix ms. */
    now: number
    motes: Motes
    configurations: Configurations
    alarms: Alarms
    tables: Tables
    /**
     * Envelopes that were refused, those of them that were altered, by router, and those that were kept with a problem:
     * strangers decide how many there are.
     */
    refused: LogSummary
    altered: LogSummary
    flawed: LogSummary
}

/** An envelope of the batch, and what became of it. */
export type Taken = { delivery: Delivery; opened: Opened | Refused }

/**
 * Takes the first of a batch, as many as are not too much for one transaction, which is the caller's: opens them all, and stores what is
 * authentic. The database is as if they had come one by one. What a mote has sealed is never refused for what is inside: it is
 * kept with its problem. `router` is the delivering account. The results are those of the first of the batch, one at least.
 */
export async function ingest(batch: readonly Delivery[], o: Context): Promise<DeliveryResult[]> {
    const taken = await openFirst(batch, o)
    const outcomes = await storeAll(taken, o)
    return outcomes.map((outcome, i) => {
        const { id } = batch[i]!
        if (!(outcome instanceof Refused)) return { id, status: outcome }
        o.refused.count(outcome.code)
        if (outcome.code === "altered") o.altered.count(`router ${o.router}`)
        return { id, status: "refused", reason: outcome.code }
    })
}

/** What one transaction takes. A mote's next secret is taken into use by the first of these only: nothing was said before it then. */
async function openFirst(batch: readonly Delivery[], o: Context): Promise<Taken[]> {
    const envelopes = first(batch).map(delivery => ({ delivery, envelope: parsed(delivery) }))
    const kids = new Map<string, Uint8Array>()
    for (const { envelope } of envelopes) if (!(envelope instanceof Refused)) kids.set(eui(envelope.kid), envelope.kid)
    const known = await o.motes.withSecretsOf([...kids.values()], o.tables)
    const taken: Taken[] = []
    let rows = 0
    for (const { delivery, envelope } of envelopes) {
        if (rows >= maxRows) break
        const mote = envelope instanceof Refused ? undefined : known.get(eui(envelope.kid))
        const opened = openOrRefuse(() => open(delivery, envelope, mote, o))
        const isOpen = !(opened instanceof Refused)
        if (isOpen && opened.isNext) {
            if (taken.length > 0) break
            known.set(eui(opened.mote.kid), await takeNextSecret(opened, o))
        }
        rows += rowsPerEnvelope
        if (isOpen) rows += opened.readings.length + rowsPerAlarm * opened.alarms.length
        if (isOpen && opened.problem) o.flawed.count(eui(opened.mote.kid))
        taken.push({ delivery, opened })
    }
    return taken
}

function first(batch: readonly Delivery[]): readonly Delivery[] {
    let bytes = 0
    const end = batch.findIndex(({ envelope }) => (bytes += envelope.length) > maxBytes)
    return end < 0 ? batch : batch.slice(0, Math.max(1, end))
}

function openOrRefuse(work: () => Opened): Opened | Refused {
    try {
        return work()
    } catch (error) {
        if (error instanceof Refused) return error
        throw error
    }
}

/** Returns the mote as it is from now on. */
async function takeNextSecret({ mote }: Opened, o: Context): Promise<KnownMote> {
    await o.motes.takeNextSecret(mote, o.now, o.tables)
    await o.configurations.takeNextSecret(mote, o.tables)
    return (await o.motes.withSecrets(mote.kid, o.tables))!
}
