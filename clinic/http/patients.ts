import type { FastifyRequest } from "fastify"
import type { Clinic } from "../clinic.ts"
import { may, patientsFor } from "../people/permissions.ts"
import type { Double } from "../people/doubles.ts"
import type { NewPatient, Patient as StoredPatient } from "../people/patients.ts"
import { vitalNames } from "../../wire/tables/quantities.ts"
import { admit, admitWard } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { ById, List, NoContent } from "./schemas/common.ts"
import { History, HistoryQuery, type HistoryPoint, Patient, PatientBody } from "./schemas/patients.ts"
import type { Turns } from "./turns.ts"
import type { App } from "./typed-app.ts"

const tags = ["patients"]
const manage = { access: "manage-patients", audit: "patient" } as const
const read = { access: "read", audit: "patient" } as const
const readVitals = { access: "read", audit: "vital-signs" } as const

const maxPoints = 1500

/** Who is here: admit, change, discharge; and what was measured of one, for a chart. */
export function patientRoutes(app: App, clinic: Clinic, turns: Turns): void {
    const refuseDoubles = async (
        request: FastifyRequest,
        data: NewPatient,
        confirmed: readonly Double[],
        before?: StoredPatient,
    ) => {
        const found = await clinic.patients.doubles(data, before)
        const open = found.find(({ code }) => !confirmed.includes(code))
        if (!open) return
        // The record has that one learnt of somebody on another ward; the answer does not say who it is.
        about(request, open.patient)
        const isSeen = may(userFrom(request), manage.access, open.patient)
        throw new ProblemError(open.code, isSeen ? { patient: open.patient } : {})
    }

    app.get(
        "/api/patients",
        { schema: { tags, summary: "Everyone on the ward, by bed", response: { 200: List(Patient) } }, config: manage },
        async request => {
            const patients = await clinic.patients.seen(patientsFor(userFrom(request), "manage-patients"))
            about(request, ...patients.map(({ id }) => id))
            return patients.map(shown)
        },
    )

    app.post(
        "/api/patients",
        { schema: { tags, summary: "Admit a patient", body: PatientBody, response: { 201: Patient } }, config: manage },
        async (request, reply) => {
            const { confirmed = [], ...data } = withoutUndefined(request.body)
            admitWard(request, data.ward ?? null)
            await refuseDoubles(request, data, confirmed)
            const patient = await clinic.patients.add(data)
            about(request, patient.id)
            return reply.code(201).send(shown(patient))
        },
    )

    app.get(
        "/api/patients/:id",
        { schema: { tags, summary: "One patient", params: ById, response: { 200: Patient } }, config: read },
        async request => {
            const id = Number(request.params.id)
            admit(request, id)
            return shown((await clinic.patients.get(id)) ?? missing())
        },
    )

    app.put(
        "/api/patients/:id",
        {
            schema: {
                tags,
                summary: "Replace a patient's data; another ward or bed moves the patient",
                params: ById,
                body: PatientBody,
                response: { 200: Patient },
            },
            config: manage,
        },
        async request => {
            const id = Number(request.params.id)
            admit(request, id)
            const { confirmed = [], ...body } = request.body
            const { birthDate = null, gender = null, identifier = null, bed = null, ward = null } = body
            const data = { ...body, birthDate, gender, identifier, bed, ward }
            await refuseDoubles(request, data, confirmed, (await clinic.patients.get(id)) ?? missing())
            return shown((await clinic.patients.update(id, data)) ?? missing())
        },
    )

    app.delete(
        "/api/patients/:id",
        {
            schema: {
                tags,
                summary: "Discharge a patient: off the ward, motes taken off, readings kept",
                params: ById,
                response: { 204: NoContent },
            },
            config: manage,
        },
        async (request, reply) => {
            const id = Number(request.params.id)
            admit(request, id)
            if (!(await clinic.discharge(id, userFrom(request).name))) missing()
            return reply.code(204).send(null)
        },
    )

    app.get(
        "/api/patients/:id/history",
        {
            schema: {
                tags,
                summary: "Mean, least and greatest value in steps of time",
                params: ById,
                querystring: HistoryQuery,
                response: { 200: History },
            },
            config: readVitals,
        },
        async request => {
            const patient = Number(request.params.id)
            admit(request, patient)
            const from = Number(request.query.from)
            const before = Number(request.query.before)
            const stepMs = Number(request.query.step) * 1000
            if (before - from > maxPoints * stepMs) throw new ProblemError("too-many-steps", { max: maxPoints })
            return await turns.take(request, async () => {
                const histories: [string, readonly HistoryPoint[]][] = []
                for (const name of vitalNames)
                    histories.push([name, await clinic.observations.history({ patient, name, from, before, stepMs })])
                return Object.fromEntries(histories) as History
            })
        },
    )
}

function shown({ updatedAt: _, ...patient }: StoredPatient) {
    return patient
}

function withoutUndefined<T extends object>(o: T): { [K in keyof T]: Exclude<T[K], undefined> } {
    return Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as never
}

function missing(): never {
    throw new ProblemError("not-found", { what: "patient" })
}
