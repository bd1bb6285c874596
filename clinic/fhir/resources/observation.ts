import { Type } from "@sinclair/typebox"
import { bedsideNames, isBedsideName, type BedsideName } from "../../../wire/tables/bedside.ts"
import { isVitalName, vitalNames, type VitalName } from "../../../wire/tables/quantities.ts"
import type { Clinic } from "../../clinic.ts"
import { ProblemError } from "../../errors.ts"
import { CodeableConcept, Id, Instant, Meta, optional, Quantity, Reference, resource } from "../../http/schemas/fhir.ts"
import { Slices } from "../../../host/slices.ts"
import { may } from "../../people/permissions.ts"
import type { TimeFilter } from "../../readings/time-filter.ts"
import type { BedsideObservation } from "../../readings/bedside.ts"
import type { Observation, Position } from "../../readings/observations.ts"
import { bedsideCodes, fromBedside } from "../bedside.ts"
import { loinc, vitalCodes, vitalSignsCategory } from "../codes.ts"
import { numbers, type Asking, type Item, type Kind, type Scan, type Scanned } from "../kind.ts"
import { fault } from "../search/fault.ts"
import type { Criterion } from "../search/criterion.ts"
import { idsIn, timesIn, withCode } from "../search/narrow.ts"
import { toObservation } from "../vital-sign.ts"
import { inOrderOfStoring } from "./stored-order.ts"

export const observationSchema = resource("Observation", {
    id: Id,
    meta: Meta,
    status: Type.Literal("final"),
    category: Type.Array(CodeableConcept),
    code: CodeableConcept,
    subject: Reference,
    effectiveDateTime: optional(Instant),
    effectivePeriod: optional(Type.Object({ start: Instant, end: Instant })),
    issued: Instant,
    performer: optional(Type.Array(Type.Object({ display: Type.String({ description: "User name" }) }))),
    valueQuantity: optional(Quantity),
    valueBoolean: optional(Type.Boolean()),
    valueCodeableConcept: optional(CodeableConcept),
    dataAbsentReason: optional(CodeableConcept),
    note: optional(Type.Array(Type.Object({ text: Type.String() }))),
    device: optional(Reference),
    component: optional(
        Type.Array(
            Type.Object({
                code: CodeableConcept,
                valueQuantity: optional(Quantity),
                dataAbsentReason: optional(CodeableConcept),
            }),
        ),
    ),
})

/** What a mote measures, and what a nurse observes. */
type Name = VitalName | BedsideName
const names: readonly Name[] = [...vitalNames, ...bedsideNames]

/** A search without `patient` looks at each patient in turn; beyond this many it would hold up the others. */
const maxPatientsSearched = 1000

/** Where a search says nothing about the time. */
const always = { from: -Infinity, before: Infinity }

const subject = { type: "reference", path: "subject", targets: ["Patient"], isPatient: true } as const

/** What motes measured, and what nurses entered. */
export const observationKind: Kind = {
    type: "Observation",
    documentation:
        "Heart rate, body temperature and oxygen saturation as measured; breathing rate, systolic blood pressure, oxygen and consciousness as entered by a nurse. Newest first; by the time of storing where _lastUpdated says from when on, so that a client that polls gets readings that arrive late, too.",
    ...{ access: "read", audit: "vital-signs", schema: observationSchema, operations: ["lastn", "stats"] },
    profiles: ["heartrate", "bodytemp", "oxygensat", "resprate", "vitalsigns"],
    parameters: {
        patient: { ...subject, definition: "clinical-patient" },
        subject: { ...subject, definition: "Observation-subject" },
        code: { type: "token", path: "code", definition: "clinical-code", documentation: "LOINC" },
        category: { type: "token", path: "category", definition: "Observation-category" },
        date: { type: "date", path: "effective[x]", definition: "clinical-date" },
        device: { type: "reference", path: "device", definition: "Observation-device", targets: ["Device"] },
        status: {
            ...{ type: "token", path: "status", definition: "Observation-status" },
            system: "http://hl7.org/fhir/observation-status",
        },
        "value-quantity": { type: "quantity", path: "valueQuantity", definition: "Observation-value-quantity" },
        "value-concept": { type: "token", path: "valueCodeableConcept", definition: "Observation-value-concept" },
        "data-absent-reason": {
            ...{ type: "token", path: "dataAbsentReason", definition: "Observation-data-absent-reason" },
        },
        "component-code": { type: "token", path: "component.code", definition: "Observation-component-code" },
        "combo-code": { type: "token", path: ["code", "component.code"], definition: "Observation-combo-code" },
    },
    indexed: ["patient", "subject", "code", "category", "date"],
    mandatory: ["status", "code"],
    summary: [
        ...["status", "category", "code", "subject", "effectiveDateTime", "effectivePeriod", "issued", "performer"],
        ...["valueQuantity", "valueBoolean", "valueCodeableConcept", "component"],
    ],
    orders: ["-date", "date", "_lastUpdated"],
    orderFor: criteria =>
        criteria.some(({ name, modifier }) => name === "_lastUpdated" && modifier === undefined)
            ? "_lastUpdated"
            : "-date",
    read,
    scan,
    async count({ criteria, patients: all }, { clinic, now }) {
        const patients = await patientsToSearch(all, clinic)
        const { when, measured, entered } = narrowed(criteria, now)
        return (
            (await clinic.observations.count({ patients, names: measured, when })) +
            (await clinic.bedside.count(patients, entered, when?.moments ?? [always]))
        )
    },
}

async function read(ids: readonly string[], { clinic, user }: Asking): Promise<Item[]> {
    const found = await Promise.all(
        numbers(ids).map(async id => (await clinic.observations.get(id)) ?? (await clinic.bedside.get(id))),
    )
    return found
        .filter(one => one !== undefined)
        .map(one => ({ ...itemOf(one), ...(!may(user, "read", one.patient) && { isHidden: true as const }) }))
}

async function scan(o: Scan, asking: Asking): Promise<Scanned> {
    const { criteria, order, after, limit } = o
    const { clinic, now } = asking
    const { when, measured, entered } = narrowed(criteria, now)
    const newestFirst = order === "-date"
    const sign = newestFirst ? -1 : 1
    const ids = idsIn(criteria, "_id")
    if (ids) {
        const isIt = ({ isHidden, patients: [patient] }: Item) =>
            !isHidden && (o.patients === "all" || o.patients.includes(patient!))
        const items = (await read(ids, asking)).filter(isIt)
        const place = (item: Item) => position(item.position)!
        items.sort((a, b) => sign * (place(a).time - place(b).time || place(a).id - place(b).id))
        const from = after === undefined ? 0 : items.findIndex(item => item.position === after) + 1
        const rest = from + limit < items.length ? items[from + limit - 1]!.position : undefined
        return { items: items.slice(from, from + limit), rest }
    }
    const some = await wearers(o, clinic)
    if (order === "_lastUpdated") {
        const from = timesIn(criteria, "_lastUpdated", now)?.moments[0]?.from ?? -Infinity
        return await inOrderOfStoring(clinic, { patients: some, names: measured, entered, from, after, limit }, itemOf)
    }
    const patients = await patientsToSearch(some, clinic)
    const behind = position(after)
    const which = { patients, newestFirst, limit, ...(behind && { after: behind }) }
    const found = [
        ...(await clinic.observations.search({ names: measured, when, ...which })),
        ...(await clinic.bedside.search({ names: entered, ranges: when?.moments ?? [always], ...which })),
    ]
    found.sort((a, b) => sign * (a.time - b.time || a.id - b.id))
    const items = found.slice(0, limit).map(one => itemOf(one))
    return { items, rest: items.length < limit ? undefined : items.at(-1)?.position }
}

/** The last ones of each patient and name, by patient. */
export async function lastOf(
    o: {
        patients: readonly number[]
        measured: readonly VitalName[]
        entered: readonly BedsideName[]
        when: TimeFilter | undefined
        max: number
    },
    clinic: Clinic,
): Promise<Item[]> {
    const { when, max: limit } = o
    const items: Item[] = []
    const slices = new Slices()
    for (const patient of o.patients) {
        const which = { patients: [patient], newestFirst: true, limit }
        for (const name of o.measured)
            items.push(...(await clinic.observations.search({ names: [name], when, ...which })).map(one => itemOf(one)))
        const ranges = when?.moments.toReversed() ?? [always]
        const entered = await clinic.bedside.search({ names: o.entered, ranges, ...which })
        for (const name of o.entered) {
            const some = entered.filter(one => one.name === name).sort((a, b) => b.time - a.time || b.id - a.id)
            items.push(...some.slice(0, limit).map(one => itemOf(one)))
        }
        await slices.pause()
    }
    return items
}

/** What the criteria leave of the quantities and times. */
export function narrowed(criteria: readonly Criterion[], now: number) {
    const coded = withCode(names, criteria, "code", codesOf)
    const some = withCode(coded, criteria, "category", () => [vitalSignsCategory])
    return {
        when: timesIn(criteria, "date", now),
        measured: some.filter(isVitalName),
        entered: some.filter(isBedsideName),
    }
}

function codesOf(name: Name): { system: string; code: string }[] {
    if (isBedsideName(name)) return [bedsideCodes[name]]
    return vitalCodes[name].loinc.map(({ code }) => ({ system: loinc, code }))
}

/** The patients who have worn one of the motes asked for, of those who may be looked at. */
async function wearers({ criteria, patients }: Scan, clinic: Clinic): Promise<"all" | readonly number[]> {
    const motes = idsIn(criteria, "device")
    if (!motes) return patients
    const wore = new Set<number>()
    for (const eui of motes) {
        const mote = /^[0-9a-f]{16}$/.test(eui) ? await clinic.motes.get(Buffer.from(eui, "hex")) : undefined
        if (mote) for (const { patient } of await clinic.associations.ofMote(mote)) wore.add(patient)
    }
    return [...wore].filter(patient => patients === "all" || patients.includes(patient))
}

/** Throws ProblemError where there are too many to look at each. */
export async function patientsToSearch(patients: "all" | readonly number[], clinic: Clinic): Promise<number[]> {
    if (patients !== "all") return [...patients]
    const all = await clinic.patients.page(0, maxPatientsSearched + 1)
    if (all.length > maxPatientsSearched) throw new ProblemError("too-many-patients")
    return all.map(patient => patient.id)
}

function itemOf(found: Observation | BedsideObservation, position = `${found.time}.${found.id}`): Item {
    const resource = "by" in found ? fromBedside(found) : toObservation(found)
    return { resource, patients: [found.patient], position }
}

function position(cursor: string | undefined): Position | undefined {
    if (cursor === undefined) return undefined
    const [, time, id] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? []
    if (time === undefined) throw fault("_cursor", "malformed")
    return { time: Number(time), id: Number(id) }
}
