import type { Clock } from "../../host/clock.ts"
import type { Double } from "./doubles.ts"
import type { PatientColumns, StoredPatient } from "../store/patients.ts"
import type { Store, Tables } from "../store/store.ts"

/** The codes of FHIR R4, http://hl7.org/fhir/administrative-gender. */
export const genders = ["male", "female", "other", "unknown"] as const

export interface PatientData {
    given: string
    family: string
    /** `YYYY-MM-DD` */
    birthDate: string | null
    gender: (typeof genders)[number] | null
    /** The hospital's own number. */
    identifier: string | null
    /** Where to find the patient on the ward. */
    bed: string | null
    /** Routers may be limited to the motes of some wards. */
    ward: string | null
}

export interface Patient extends PatientData {
    id: number
    /** False once discharged: off the ward, with everything measured kept. */
    active: boolean
    /** Unix time in milliseconds. */
    updatedAt: number
}

export type NewPatient = Pick<PatientData, "given" | "family"> & Partial<PatientData>

export class Patients {
    private readonly store: Store
    private readonly clock: Clock

    constructor(store: Store, clock: Clock) {
        this.store = store
        this.clock = clock
    }

    async add(data: NewPatient, t: Tables = this.store): Promise<Patient> {
        const all = { birthDate: null, gender: null, identifier: null, bed: null, ward: null, ...data }
        return patient(await t.patient.add(columns(all), this.now()))
    }

    /**
     * Who on the ward seems to be the same person, or is in the same bed. `before`: whose data it is, and what it was; what stays as
     * it was is not asked about again.
     */
    async doubles(data: NewPatient, before?: Patient): Promise<{ code: Double; patient: number }[]> {
        const { family, given, birthDate = null, identifier = null, ward = null, bed = null } = data
        const others = (await this.ward()).filter(({ id }) => id !== before?.id)
        const isTwin = (other: Patient) =>
            (identifier !== null && other.identifier === identifier) ||
            (isSame(other.family, family) && isSame(other.given, given) && other.birthDate === birthDate)
        const isHolder = (other: Patient) => bed !== null && other.bed === bed && other.ward === ward
        const twin = before && isTwin(before) ? undefined : others.find(isTwin)
        const holder = before && isHolder(before) ? undefined : others.find(isHolder)
        return [
            ...(twin ? [{ code: "patient-known" as const, patient: twin.id }] : []),
            ...(holder ? [{ code: "bed-taken" as const, patient: holder.id }] : []),
        ]
    }

    /** Replaces the data; undefined where there is no such patient. */
    async update(id: number, data: PatientData): Promise<Patient | undefined> {
        const updated = await this.store.patient.update(id, columns(data), this.now())
        return updated && patient(updated)
    }

    /** Takes a patient off the ward. False where there is no such patient. */
    async discharge(id: number, t: Tables): Promise<boolean> {
        return (await t.patient.update(id, { active: 0 }, this.now())) !== undefined
    }

    async get(id: number, t: Tables = this.store): Promise<Patient | undefined> {
        const found = await t.patient.get(id)
        return found && !isErased(found) ? patient(found) : undefined
    }

    /** In the order of their ids, from the one after `after`; `of` names the only ones that count. */
    async page(after: number, limit: number, of: "all" | readonly number[] = "all"): Promise<Patient[]> {
        return (await this.store.patient.page(after, limit, of)).map(patient)
    }

    /** Who is on the ward, by bed and name. */
    async ward(): Promise<Patient[]> {
        return (await this.store.patient.active()).map(patient)
    }

    /** Those of these patients who are known, or everybody on the ward; by bed and name. */
    async seen(of: "all" | readonly number[]): Promise<Patient[]> {
        return of === "all" ? await this.ward() : (await this.store.patient.byIds(of)).map(patient)
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

/** Everybody else has a name; the row is there for the audit record alone. */
function isErased({ family }: StoredPatient): boolean {
    return family === ""
}

/** However it is written. */
export function isSame(a: string, b: string): boolean {
    return a.localeCompare(b, undefined, { sensitivity: "base" }) === 0
}

function patient({ active, birth_date, gender, updated_at, ...row }: StoredPatient): Patient {
    return {
        ...row,
        active: active === 1,
        birthDate: birth_date,
        gender: gender as PatientData["gender"],
        updatedAt: updated_at,
    }
}

function columns({ given, family, birthDate, gender, identifier, bed, ward }: PatientData): PatientColumns {
    return { given, family, birth_date: birthDate, gender, identifier, bed, ward }
}
