import type { Delivery } from "../../wire/batch.ts"
import type { Envelope } from "../../wire/envelope.ts"
import { Attribution, type WearingHistory } from "../motes/attribution.ts"
import { noteArrivals, type Arrival } from "../motes/numbering.ts"
import { ArrivedReadings } from "../readings/arrived.ts"
import type { StoredAssociation } from "../store/associations.ts"
import type { EnvelopeKey } from "../store/envelopes.ts"
import type { Tables } from "../store/store.ts"
import type { Context, Taken } from "./ingest.ts"
import { Refused, type Opened } from "./open.ts"

export type Outcome = "stored" | "duplicate" | Refused

/** An envelope that is new, with its id. */
interface New {
    id: number
    opened: Opened
}

/** Stores those of them that are new; what became of each. */
export async function storeAll(taken: readonly Taken[], o: Context): Promise<Outcome[]> {
    const { outcomes, added } = await addEnvelopes(taken, o)
    await storeContents(added, o)
    return outcomes
}

/** Of several with the same nonce the first one counts. */
async function addEnvelopes(taken: readonly Taken[], o: Context): Promise<{ outcomes: Outcome[]; added: New[] }> {
    const { tables } = o
    const firsts = new Map<string, { delivery: Delivery; opened: Opened }>()
    for (const { delivery, opened } of taken) {
        if (opened instanceof Refused) continue
        const name = nameOf(keyOf(opened))
        if (!firsts.has(name)) firsts.set(name, { delivery, opened })
    }
    const rows = [...firsts.values()].map(({ delivery, opened }) => newEnvelope(delivery, opened, o))
    const ids = new Map((await tables.envelope.add(rows)).map(({ id, ...key }) => [nameOf(key), id]))
    const stored = new Map<string, Uint8Array>()
    for (const { bytes, ...key } of await tables.envelope.bytesOf(rows.filter(row => !ids.has(nameOf(row)))))
        stored.set(nameOf(key), bytes)
    const added = [...firsts.values()].flatMap(({ opened }): New[] => {
        const id = ids.get(nameOf(keyOf(opened)))
        return id === undefined ? [] : [{ id, opened }]
    })
    // Retention may have removed it, and a router has kept it for all that time.
    const gone = await noteArrivals(added.map(arrivalOf), o.now, tables)
    await tables.envelope.withdraw([...gone])
    const outcomes = taken.map(({ opened }): Outcome => {
        if (opened instanceof Refused) return opened
        const name = nameOf(keyOf(opened))
        const id = ids.get(name)
        const { envelope } = firsts.get(name)!.opened
        if (id !== undefined && gone.has(id)) return "duplicate"
        if (id !== undefined && envelope === opened.envelope) return "stored"
        const known = stored.get(name) ?? envelope.bytes
        return Buffer.compare(known, opened.envelope.bytes) === 0 ? "duplicate" : new Refused("nonce-reused")
    })
    return { outcomes, added: added.filter(({ id }) => !gone.has(id)) }
}

/** What they say, in their order. */
async function storeContents(added: readonly New[], { motes, alarms, configurations, tables, ...o }: Context) {
    const readings = new ArrivedReadings(o.now)
    const history = new BatchHistory(tables, readings)
    const measuring = added.filter(({ opened }) => opened.readings.length > 0).map(({ opened }) => opened.mote.id)
    const alarmed = await tables.alarm.withLimits([...new Set(measuring)])
    for (const { id, opened } of added) {
        const { mote, generation, envelope, arrivedAt } = opened
        const { boot, seq } = envelope
        const attribution = new Attribution(mote, { arrivedAt, boot }, history)
        const groups = await attribution.ofReadings(opened.readings)
        for (const [whose, own] of groups)
            readings.add(own, { envelope: id, mote: mote.id, patient: whose?.patient ?? null })
        for (const event of opened.alarms) {
            await alarms.take(mote, await attribution.ofAlarm(event), { generation, event }, tables)
            alarmed.add(mote.id)
        }
        if (alarmed.has(mote.id))
            for (const [whose, own] of groups) if (whose) await alarms.observe(mote, whose, own, tables)
        // What it said under a former secret may be of another board, whose starts count otherwise (models/rotation.pml).
        const isNewestSecret = async () =>
            (await motes.withSecrets(mote.kid, tables))!.secrets.generation === generation
        if (opened.statement && (await isNewestSecret()))
            await configurations.applyStatement(mote, opened.statement, { boot, seq }, arrivedAt, tables)
    }
    await readings.store(tables)
}

/** What was there before the batch, and what its first envelopes have said. */
class BatchHistory implements WearingHistory {
    private readonly t: Tables
    private readonly readings: ArrivedReadings
    private readonly known = new Map<number, Promise<StoredAssociation[]>>()

    constructor(t: Tables, readings: ArrivedReadings) {
        this.t = t
        this.readings = readings
    }

    async ofMote(mote: number): Promise<StoredAssociation[]> {
        let found = this.known.get(mote)
        if (!found) this.known.set(mote, (found = this.t.association.ofMote(mote)))
        return await found
    }

    async hasTimed(o: Parameters<WearingHistory["hasTimed"]>[0]): Promise<boolean> {
        await this.readings.store(this.t)
        return await this.t.measurement.hasTimed(o)
    }
}

function newEnvelope({ purpose, receivedAt }: Delivery, opened: Opened, { router, now }: Context) {
    const { envelope, problem, clockOffset } = opened
    const received = { receivedAt, storedAt: now, router, clockOffset }
    return { ...keyOf(opened), purpose, ...received, bytes: envelope.bytes, problem }
}

function arrivalOf({ id, opened }: New): Arrival {
    return { id, ...keyOf(opened), arrivedAt: opened.arrivedAt }
}

function keyOf({ mote, envelope }: { mote: { id: number }; envelope: Envelope }): EnvelopeKey {
    const { boot, salt, seq } = envelope
    return { mote: mote.id, boot, salt, seq }
}

function nameOf({ mote, boot, salt, seq }: EnvelopeKey): string {
    return `${mote} ${boot} ${seq} ${Buffer.from(salt).toString("hex")}`
}
