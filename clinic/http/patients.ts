import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance } from "fastify"
import type { Clinic } from "../clinic.ts"
import { genders, type Patient } from "../people/patients.ts"
import { vitalNames } from "../readings/quantities.ts"
import { maySee, userFrom } from "./auth.ts"
import { HttpError } from "./errors.ts"
import { Id, Nullable, Text } from "./schemas.ts"

const tags = ["patients"]
const doctors = { access: ["doctor"] } as const

const PatientBody = Type.Object(
    {
        given: Text(100),
        family: Text(100),
        birthDate: Nullable(Type.String({ format: "date" })),
        gender: Nullable(Type.Union(genders.map(gender => Type.Literal(gender)))),
        identifier: Nullable(Text(100)),
        bed: Nullable(Text(20)),
    },
    { additionalProperties: false },
)
const ById = Type.Object({ id: Id })

const maxPoints = 1500
const HistoryQuery = Type.Object(
    {
        /** Unix ms. */
        from: Id,
        before: Id,
        /** Seconds a point. */
        step: Type.String({ pattern: "^[1-9][0-9]{0,4}$" }),
    },
    { additionalProperties: false },
)

interface Body {
    Body: Static<typeof PatientBody>
}
interface Params {
    Params: Static<typeof ById>
}
interface History extends Params {
    Querystring: Static<typeof HistoryQuery>
}

/** Who is here: doctors admit, change and discharge; and what was measured of one, for a chart. */
export function patientRoutes(app: FastifyInstance, clinic: Clinic): void {
    app.get("/api/patients", { schema: { tags, summary: "Everyone on the ward, by bed" }, config: doctors }, async () =>
        (await clinic.patients.ward()).map(shown),
    )

    app.post<Body>(
        "/api/patients",
        { schema: { tags, summary: "Admit a patient", body: PatientBody }, config: doctors },
        async (request, reply) => {
            const patient = await clinic.patients.add(withoutUndefined(request.body))
            return reply.code(201).send(shown(patient))
        },
    )

    app.get<Params>(
        "/api/patients/:id",
        {
            schema: { tags, summary: "One patient", params: ById },
            config: { access: ["doctor", "patient"] },
        },
        async request => {
            const id = Number(request.params.id)
            if (!maySee(userFrom(request), id)) throw forbidden()
            return shown((await clinic.patients.get(id)) ?? missing())
        },
    )

    app.put<Body & Params>(
        "/api/patients/:id",
        {
            schema: { tags, summary: "Replace a patient's data", params: ById, body: PatientBody },
            config: doctors,
        },
        async request => {
            const { birthDate = null, gender = null, identifier = null, bed = null } = request.body
            const data = { ...request.body, birthDate, gender, identifier, bed }
            return shown((await clinic.patients.update(Number(request.params.id), data)) ?? missing())
        },
    )

    app.delete<Params>(
        "/api/patients/:id",
        {
            schema: {
                tags,
                summary: "Discharge a patient: off the ward, motes revoked, readings kept",
                params: ById,
            },
            config: doctors,
        },
        async (request, reply) => {
            if (!(await clinic.discharge(Number(request.params.id)))) missing()
            return reply.code(204).send()
        },
    )

    app.get<History>(
        "/api/patients/:id/history",
        {
            schema: {
                tags,
                summary: "Mean, least and greatest value in steps of time",
                params: ById,
                querystring: HistoryQuery,
            },
            config: { access: ["doctor", "patient"] },
        },
        async request => {
            const patient = Number(request.params.id)
            if (!maySee(userFrom(request), patient)) throw forbidden()
            const from = Number(request.query.from)
            const before = Number(request.query.before)
            const stepMs = Number(request.query.step) * 1000
            if (before - from > maxPoints * stepMs) throw new HttpError(400, `that is more than ${maxPoints} steps`)
            const histories = vitalNames.map(async name => [
                name,
                await clinic.observations.history({ patient, name, from, before, stepMs }),
            ])
            return Object.fromEntries(await Promise.all(histories)) as Record<string, unknown>
        },
    )
}

function shown({ updatedAt: _, ...patient }: Patient) {
    return patient
}

function withoutUndefined<T extends object>(o: T): { [K in keyof T]: Exclude<T[K], undefined> } {
    return Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as never
}

function missing(): never {
    throw new HttpError(404, "there is no such patient")
}

function forbidden(): HttpError {
    return new HttpError(403, "this is another patient's data")
}
