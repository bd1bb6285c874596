import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { admit } from "./admission.ts"
import { userFrom } from "./auth.ts"
import { ById } from "./schemas/common.ts"
import { BedsideEntry, ScaleChoice, Score, ScoreHistory, ScoreHistoryQuery } from "./schemas/news2.ts"
import type { Turns } from "./turns.ts"
import type { App } from "./typed-app.ts"

const tags = ["news2"]
const answer = { 200: Score }

/** NEWS2 of a patient: the score, what a nurse enters for it, and which SpO₂ scale applies. */
export function news2Routes(app: App, clinic: Clinic, turns: Turns): void {
    app.get(
        "/api/patients/:id/news2",
        {
            schema: { tags, summary: "The score of now, and what is missing", params: ById, response: answer },
            config: { access: "read", audit: "news2" },
        },
        async request => {
            const id = Number(request.params.id)
            admit(request, id)
            await known(clinic, id)
            return await clinic.news2.of(id)
        },
    )

    app.post(
        "/api/patients/:id/news2",
        {
            schema: {
                ...{ tags, params: ById, body: BedsideEntry, response: answer },
                summary: "What was observed at the bedside just now; answers with the score",
            },
            config: { access: "observe", audit: "news2" },
        },
        async request => {
            const id = Number(request.params.id)
            admit(request, id)
            return await clinic.observe(id, request.body, userFrom(request).name)
        },
    )

    app.put(
        "/api/patients/:id/news2/scale",
        {
            schema: {
                ...{ tags, params: ById, body: ScaleChoice, response: answer },
                summary: "Which SpO₂ scale applies; 2 for a prescribed target of 88 to 92 % only",
            },
            config: { access: "choose-scale", audit: "news2" },
        },
        async request => {
            const id = Number(request.params.id)
            admit(request, id)
            return await clinic.chooseScale(id, request.body.scale, userFrom(request).name)
        },
    )

    app.get(
        "/api/patients/:id/news2/history",
        {
            schema: {
                ...{ tags, params: ById, querystring: ScoreHistoryQuery, response: { 200: ScoreHistory } },
                summary: "The score in steps of time, for a chart",
            },
            config: { access: "read", audit: "news2" },
        },
        async request => {
            const patient = Number(request.params.id)
            admit(request, patient)
            const from = Number(request.query.from)
            const before = Number(request.query.before)
            const stepMs = Number(request.query.step) * 1000
            return await turns.take(request, () =>
                clinic.news2.history({
                    ...{ patient, from, before, stepMs },
                    measured: (name, from) => clinic.observations.history({ patient, name, from, before, stepMs }),
                }),
            )
        },
    )
}

async function known(clinic: Clinic, patient: number): Promise<void> {
    if (!(await clinic.patients.get(patient))) throw new ProblemError("not-found", { what: "patient" })
}
