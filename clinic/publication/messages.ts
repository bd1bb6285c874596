import { createHmac, hkdfSync } from "node:crypto"
import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { isVitalName, quantities, units } from "../../wire/tables/quantities.ts"
import type { Alarm } from "../alarms/alarm.ts"
import type { Patient } from "../people/patients.ts"
import type { PublishedEntry } from "../store/alarm-entries.ts"
import type { StoredMeasurement } from "../store/measurements.ts"
import type { PublicationPlan } from "./plan.ts"

/** A message for the broker. */
export interface PublishedMessage {
    topic: string
    payload: string
    retain: boolean
    /** Stays the same if the message is published again. */
    id?: string
}

const keyBytes = 32
const pseudonymDigits = 16

/** What stands for a patient outside of the clinic: 16 hex digits, always the same for one patient of one clinic. */
export class Pseudonyms {
    private readonly key: Uint8Array

    /** @param clinicKey the clinic's own */
    constructor(clinicKey: Uint8Array) {
        this.key = new Uint8Array(hkdfSync("sha256", clinicKey, "", "vitalmote publication", keyBytes))
    }

    of(patient: number): string {
        return createHmac("sha256", this.key).update(String(patient)).digest("hex").slice(0, pseudonymDigits)
    }
}

/** The topic of a patient: `PREFIX/WARD/PSEUDONYM`. A ward's name is percent-encoded where it is no level of a topic. */
export function patientTopic({ prefix }: PublicationPlan, { ward }: Pick<Patient, "ward">, pseudonym: string): string {
    const level = ward === null ? "-" : encodeURIComponent(ward).replace(/[!'()*]/g, escaped)
    return `${prefix}/${level}/${pseudonym}`
}

function escaped(character: string): string {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

/** A reading, or a summary of several. Times are ISO 8601 in UTC, units UCUM. */
export function vitalMessage(
    plan: PublicationPlan,
    patient: Patient,
    pseudonym: string,
    measurement: StoredMeasurement,
): PublishedMessage {
    const { name, value, absent, quality, time, relative, count, least, greatest, span } = measurement
    const id = `m${measurement.id}`
    const body = {
        ...{ id, patient: pseudonym, ...named(plan, patient), quantity: name, time: iso(time), value },
        unit: ucum(name, measurement.unit),
        ...(value === null && { absent }),
        ...(quality !== null && { quality }),
        ...(relative === 1 && { isTimeEstimated: true }),
        ...(span !== null && { count, least, greatest, spanMs: span }),
    }
    return {
        topic: `${patientTopic(plan, patient, pseudonym)}/${name}`,
        payload: JSON.stringify(body),
        retain: false,
        id,
    }
}

/** What happened to an alarm. */
export function alarmMessage(
    plan: PublicationPlan,
    patient: Patient,
    pseudonym: string,
    entry: PublishedEntry,
    alarm: Alarm,
): PublishedMessage {
    const id = `a${entry.id}`
    const { label, category } = alarmKindOf(alarm.kind)
    const body = {
        ...{ id, patient: pseudonym, ...named(plan, patient), alarm: alarm.id, kind: alarm.kind, label },
        ...{ priority: alarm.priority, isTechnical: category === "technical", change: entry.change },
        ...{ at: iso(entry.at), raisedAt: iso(alarm.raisedAt), value: entry.value, unit: alarm.unit },
        isOver: alarm.clearedAt !== null,
    }
    return {
        topic: `${patientTopic(plan, patient, pseudonym)}/alarm`,
        payload: JSON.stringify(body),
        retain: false,
        id,
    }
}

function named({ hasNames }: PublicationPlan, { family, given, identifier, bed }: Patient): object {
    return hasNames ? { name: `${family}, ${given}`, identifier, bed } : {}
}

function ucum(name: string, unit: string): string {
    if (isVitalName(name)) return units[quantities[name].unit].ucum
    return unit
}

function iso(ms: number): string {
    return new Date(ms).toISOString()
}
