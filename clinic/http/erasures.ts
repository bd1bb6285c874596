import type { Clinic } from "../clinic.ts"
import type { StoredErasure } from "../store/erasures.ts"
import { ProblemError } from "../errors.ts"
import { admit } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { ById, List, NoContent } from "./schemas/common.ts"
import { Confirmation, ErasedPatients, Erasure, Reason } from "./schemas/retention.ts"
import type { App } from "./typed-app.ts"

const tags = ["retention"]
const manage = { access: "manage-retention", audit: "retention" } as const
const ask = { access: "ask-erasure", audit: "retention" } as const
const answer = { 204: NoContent }

/** Patients who are erased: one asks, another one confirms. */
export function erasureRoutes(app: App, clinic: Clinic): void {
    const { erasures } = clinic
    const path = "/api/patients/:id/erasure"

    app.get(
        "/api/erasures",
        {
            schema: { tags, summary: "Who was erased or is to be, the newest first", response: { 200: List(Erasure) } },
            config: { ...manage, audit: "none" },
        },
        async () => (await erasures.all()).map(shown),
    )

    app.post(
        "/api/erasures",
        {
            schema: {
                tags,
                summary: "After a restore: patients who were erased after that backup are erased again",
                body: ErasedPatients,
                response: { 200: ErasedPatients },
            },
            config: manage,
        },
        async request => {
            request.said = { erasure: "repeated" }
            const patients = await erasures.repeat(request.body.patients, userFrom(request).name)
            about(request, ...patients)
            return { patients }
        },
    )

    app.post(
        path,
        {
            schema: { tags, summary: "Ask for a patient to be erased", params: ById, body: Reason, response: answer },
            config: ask,
        },
        async (request, reply) => {
            const patient = Number(request.params.id)
            admit(request, patient)
            request.said = { erasure: "asked" }
            await erasures.ask(patient, { reason: request.body.reason, by: userFrom(request).name })
            return await reply.code(204).send(null)
        },
    )

    app.delete(
        path,
        {
            schema: { tags, summary: "Withdraw the request to erase a patient", params: ById, response: answer },
            config: ask,
        },
        async (request, reply) => {
            const patient = Number(request.params.id)
            admit(request, patient)
            request.said = { erasure: "withdrawn" }
            await erasures.withdraw(patient)
            return await reply.code(204).send(null)
        },
    )

    app.post(
        `${path}/confirmation`,
        {
            schema: {
                tags,
                summary: "Confirm what somebody else has asked for; the body says once more who it is",
                params: ById,
                body: Confirmation,
                response: answer,
            },
            config: manage,
        },
        async (request, reply) => {
            const patient = Number(request.params.id)
            admit(request, patient)
            request.said = { erasure: "confirmed" }
            if (request.body.patient !== patient)
                throw new ProblemError("bad-request", { place: "body/patient", rule: "const" })
            await erasures.confirm(patient, userFrom(request).name)
            return await reply.code(204).send(null)
        },
    )
}

function shown({ asked_by, asked_at, confirmed_by, confirmed_at, finished_at, ...erasure }: StoredErasure) {
    const confirmed = { confirmedBy: confirmed_by, confirmedAt: confirmed_at, finishedAt: finished_at }
    return { ...erasure, askedBy: asked_by, askedAt: asked_at, ...confirmed }
}
