import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { hospital } from "../retention/rules.ts"
import { admit } from "./admission.ts"
import { userFrom } from "./auth.ts"
import { ById, List, NoContent } from "./schemas/common.ts"
import {
    ByHold,
    Left,
    LeftQuery,
    LegalHold,
    Reason,
    Retention,
    RetentionBody,
    RetentionReset,
} from "./schemas/retention.ts"
import type { App } from "./typed-app.ts"

const tags = ["retention"]
const config = { access: "manage-retention", audit: "retention" } as const
const maxHolds = 500

/** How long what is kept, and whose data is kept whatever that says. */
export function retentionRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/retention",
        {
            schema: { tags, summary: "How long each ward keeps what", response: { 200: Retention } },
            config: { ...config, audit: "none" },
        },
        async () => shown(clinic),
    )

    app.put(
        "/api/retention",
        {
            schema: {
                tags,
                summary: "How long a ward keeps what, or (null) the hospital; shorter periods count a day later",
                body: RetentionBody,
                response: { 200: Retention },
            },
            config,
        },
        async request => {
            const { ward, base, ...periods } = request.body
            request.said = { ward: ward ?? "hospital", ...said(periods) }
            const author = userFrom(request).name
            await clinic.retentionRules.put(ward ?? hospital, { periods, author, base })
            return await shown(clinic)
        },
    )

    app.delete(
        "/api/retention",
        {
            schema: {
                tags,
                summary: "A ward goes by the hospital's periods again",
                body: RetentionReset,
                response: { 200: Retention },
            },
            config,
        },
        async request => {
            const { ward } = request.body
            request.said = { ward }
            await clinic.retentionRules.put(ward, { periods: null, author: userFrom(request).name })
            return await shown(clinic)
        },
    )

    app.get(
        "/api/holds",
        {
            schema: {
                tags,
                summary: "Legal holds: those that last, then the others",
                response: { 200: List(LegalHold) },
            },
            config: { ...config, audit: "none" },
        },
        async () => await clinic.legalHolds.all(maxHolds),
    )

    app.post(
        "/api/patients/:id/holds",
        {
            schema: {
                tags,
                summary: "From now on nothing of that patient is removed",
                params: ById,
                body: Reason,
                response: { 201: LegalHold },
            },
            config,
        },
        async (request, reply) => {
            const patient = Number(request.params.id)
            admit(request, patient)
            const { reason } = request.body
            request.said = { hold: "begins" }
            const hold = await clinic.legalHolds.begin(patient, { reason, by: userFrom(request).name })
            return await reply.code(201).send(hold)
        },
    )

    app.delete(
        "/api/patients/:id/holds/:hold",
        {
            schema: { tags, summary: "Lift a legal hold", params: ByHold, response: { 204: NoContent } },
            config,
        },
        async (request, reply) => {
            const patient = Number(request.params.id)
            admit(request, patient)
            const hold = Number(request.params.hold)
            request.said = { hold: "lifted" }
            if (!(await clinic.legalHolds.lift(hold, patient, userFrom(request).name)))
                throw new ProblemError("not-found", { what: "hold" })
            return await reply.code(204).send(null)
        },
    )

    app.get(
        "/api/patients/:id/left",
        {
            schema: {
                tags: ["patients"],
                summary: "Where there are only means of a patient's readings, and of which steps",
                params: ById,
                querystring: LeftQuery,
                response: { 200: List(Left) },
            },
            config: { access: "read", audit: "vital-signs" },
        },
        async request => {
            const patient = Number(request.params.id)
            admit(request, patient)
            const { from, before } = request.query
            return await clinic.observations.left(patient, { from: Number(from), before: Number(before) })
        },
    )
}

/** For the audit record, which has texts and numbers. */
function said(periods: Record<string, number | null>): Record<string, number | string> {
    return Object.fromEntries(Object.entries(periods).map(([kind, days]) => [kind, days ?? "for good"]))
}

async function shown({ retention, retentionRules }: Clinic): Promise<Retention> {
    const all = await retentionRules.all()
    const state = await retention.state()
    const general = { ward: hospital, version: 0, periods: null, author: null, madeAt: null }
    return {
        rules: [
            all.find(({ ward }) => ward === hospital) ?? general,
            ...all.filter(({ ward }) => ward !== hospital),
        ].map(rule => ({ ...rule, ward: rule.ward === hospital ? null : rule.ward })),
        at: state?.at ?? null,
        finishedAt: state?.finishedAt ?? null,
    }
}
