import { ProblemError } from "../errors.ts"
import type { Clinic } from "../clinic.ts"
import type { Statistics } from "../burden/statistics.ts"
import { admit, seenBy } from "./admission.ts"
import type { Seen } from "../store/seen.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { BurdenQuery, BurdenStatistics, ReplayBody, ReplayResult } from "./schemas/burden.ts"
import { ById } from "./schemas/common.ts"
import { sendTable, tableAnswer } from "./table.ts"
import type { Turns } from "./turns.ts"
import type { App } from "./typed-app.ts"

const tags = ["alarms"]
const config = { access: "review-alarms", audit: "statistics" } as const

/** The burden of alarms, and what other limits would have made of what is stored. */
export function burdenRoutes(app: App, clinic: Clinic, turns: Turns): void {
    app.get(
        "/api/alarms/statistics",
        {
            schema: {
                ...{ tags, querystring: BurdenQuery },
                summary:
                    "How many alarms there were, of what kind, for whom, and how long they waited; as a table a line for each kind",
                response: { 200: tableAnswer("The statistics", BurdenStatistics) },
            },
            config,
        },
        async (request, reply) => {
            const { format, ...query } = request.query
            const answer = await turns.take(request, () =>
                found(clinic, { ...query, seen: seenBy(userFrom(request), "review-alarms") }),
            )
            about(request, ...answer.loudest.map(({ patient }) => patient))
            const table = () => ({ name: "alarm-statistics", row: "line", columns, rows: rowsOf(answer) })
            return await sendTable(request, reply, { answer, table, format })
        },
    )

    app.post(
        "/api/patients/:id/alarms/replay",
        {
            schema: {
                ...{ tags, params: ById, body: ReplayBody, response: { 200: ReplayResult } },
                summary: "Which alarms other limits and another delay would have made of what is stored of a patient",
            },
            config,
        },
        async request => {
            const id = Number(request.params.id)
            admit(request, id)
            if (!(await clinic.patients.get(id))) throw new ProblemError("not-found", { what: "patient" })
            return await turns.take(request, () => clinic.burden.replay(id, request.body))
        },
    )
}

async function found(clinic: Clinic, query: { from: string; before: string; ward?: string; seen: Seen }) {
    const o = { from: Number(query.from), before: Number(query.before), ward: query.ward, seen: query.seen }
    const { loudest, ...rest } = await clinic.burden.statistics(o)
    const named = loudest.map(async loud => {
        const { given = "", family = "", bed = null, ward = null } = (await clinic.patients.get(loud.patient)) ?? {}
        return { ...loud, given, family, bed, ward }
    })
    return { ...rest, loudest: await Promise.all(named) }
}

const columns = ["kind", "alarms", "begun", "per patient and day", "over within a minute", "seen", "median s", "p90 s"]

/** One for all, and one a kind; times in seconds. */
function rowsOf({ all, kinds, patientDays }: Pick<Statistics, "all" | "kinds" | "patientDays">) {
    const seconds = (ms: number | null) => (ms === null ? null : ms / 1000)
    const rows = [{ kind: "all", ...all }, ...kinds].map(
        ({ kind, count, begun, perPatientDay, endedSoon, waiting }) => [
            ...[kind, count, begun, perPatientDay, endedSoon],
            ...[waiting.seen, seconds(waiting.medianMs), seconds(waiting.p90Ms)],
        ],
    )
    return [...rows, ["patient days", patientDays, ...columns.slice(2).map(() => null)]]
}
