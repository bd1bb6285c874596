import type { Clock } from "../../host/clock.ts"
import { revokeAll } from "../motes/motes.ts"
import type { Sql, Store } from "../store/store.ts"

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
}

export interface Patient extends PatientData {
    id: number
    /** False once discharged: off the ward, with everything measured kept. */
    active: boolean
    /** Unix time in milliseconds. */
    updatedAt: number
}

const columns = `id, active, given, family, birth_date AS "birthDate", gender, identifier, bed,
    updated_at AS "updatedAt"`

export type NewPatient = Pick<PatientData, "given" | "family"> & Partial<PatientData>

export class Patients {
    private readonly store: Store
    private readonly clock: Clock

    constructor(store: Store, clock: Clock) {
        this.store = store
        this.clock = clock
    }

    async add(data: NewPatient, sql: Sql = this.store): Promise<Patient> {
        const rows = await sql.all<Row>(
            `INSERT INTO patient (given, family, birth_date, gender, identifier, bed, updated_at, active)
             VALUES (?, ?, ?, ?, ?, ?, ?, 1) RETURNING ${columns}`,
            ...values({ birthDate: null, gender: null, identifier: null, bed: null, ...data }),
            this.now(),
        )
        return patient(rows[0]!)
    }

    /** Replaces the data; undefined where there is no such patient. */
    async update(id: number, data: PatientData): Promise<Patient | undefined> {
        const rows = await this.store.all<Row>(
            `UPDATE patient SET given = ?, family = ?, birth_date = ?, gender = ?, identifier = ?, bed = ?,
             updated_at = ? WHERE id = ? RETURNING ${columns}`,
            ...values(data),
            ...[this.now(), id],
        )
        return rows[0] && patient(rows[0])
    }

    /** Takes a patient off the ward and revokes the motes. False where there is no such patient. */
    async discharge(id: number): Promise<boolean> {
        return await this.store.transaction(async sql => {
            const now = this.now()
            await revokeAll("patient", id, now, sql)
            return (await sql.run("UPDATE patient SET active = 0, updated_at = ? WHERE id = ?", ...[now, id])) > 0
        })
    }

    async get(id: number): Promise<Patient | undefined> {
        const rows = await this.store.all<Row>(`SELECT ${columns} FROM patient WHERE id = ?`, id)
        return rows[0] && patient(rows[0])
    }

    /** In the order of their ids, from the one after `after`. */
    async page(after: number, limit: number): Promise<Patient[]> {
        const rows = await this.store.all<Row>(
            `SELECT ${columns} FROM patient WHERE id > ? ORDER BY id LIMIT ?`,
            ...[after, limit],
        )
        return rows.map(patient)
    }

    /** Who is on the ward, by bed and name. */
    async ward(): Promise<Patient[]> {
        const rows = await this.store.all<Row>(
            `SELECT ${columns} FROM patient WHERE active = 1 ORDER BY bed, family, given, id`,
        )
        return rows.map(patient)
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

type Row = Omit<Patient, "active"> & { active: number }

function patient(row: Row): Patient {
    return { ...row, active: row.active === 1 }
}

function values(data: PatientData) {
    return [data.given, data.family, data.birthDate, data.gender, data.identifier, data.bed]
}
