import { inSlices } from "../../host/slices.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { eui } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import { silentMs } from "../motes/configurations.ts"
import type { Mote } from "../motes/motes.ts"
import type { User } from "../people/accounts.ts"
import { patientsFor } from "../people/permissions.ts"
import type { Observation } from "../readings/observations.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { zoned } from "../time-zone.ts"
import { Trends, TrendsQuery, Ward, type WardPatient } from "./schemas/ward.ts"
import { sendTable, tableAnswer } from "./table.ts"
import type { Turns } from "./turns.ts"
import type { App } from "./typed-app.ts"

const maxTrendSteps = 360

/** Where it is a table: a line for each vital sign, one for who has none. */
const columns = ["patient", "ward", "bed", "family", "given", "quantity", "value", "unit", "absent", "time"]

function lines({ id, ward, bed, family, given, newest }: WardPatient, timeZone: string) {
    const who = [id, ward, bed, family, given]
    if (newest.length === 0) return [[...who, null, null, null, null, null]]
    return newest.map(({ name, value, unit, absent, time }) => [
        ...who,
        ...[name, value, unit, absent, zoned(time, timeZone)],
    ])
}

/** The newest of everyone the user may see, and how their heart rates came about. */
export function wardRoutes(app: App, clinic: Clinic, turns: Turns): void {
    app.get(
        "/api/ward",
        {
            schema: {
                tags: ["ward"],
                summary: "Everyone with their newest values; newestId is where /api/live goes on",
                response: { 200: tableAnswer("The ward", Ward) },
            },
            config: { access: "watch", audit: "ward", isCompressed: true },
        },
        async (request, reply) => {
            const answer = await turns.take(request, async () => {
                // First, so that what arrives meanwhile comes twice rather than never.
                const newestId = await clinic.observations.newestId()
                const patients = await patientsOf(userFrom(request), clinic)
                about(request, ...patients.map(({ id }) => id))
                const worn = await clinic.motes.all({ patients: patients.map(({ id }) => id), nobodys: false })
                const motes = worn.filter(({ revokedAt }) => revokedAt === null)
                const newest = await clinic.observations.newestOf(patients.map(({ id }) => id))
                return {
                    now: clinic.now(),
                    conditions: await clinic.conditions(),
                    newestId,
                    patients: await inSlices(patients, async ({ id, given, family, bed, ward }) => {
                        const own = motes.filter(m => m.patient === id)
                        return {
                            ...{ id, given, family, bed, ward },
                            newest: (newest.get(id) ?? []).map(shownObservation),
                            motes: own.map(m => eui(m.kid)),
                            silentMs: await silentMsOf(own, clinic),
                        }
                    }),
                }
            })
            const rows = () => answer.patients.flatMap(patient => lines(patient, clinic.timeZone))
            return await sendTable(request, reply, {
                answer,
                table: () => ({ name: "ward", row: "value", columns, rows: rows() }),
            })
        },
    )

    app.get(
        "/api/ward/trends",
        {
            schema: {
                tags: ["ward"],
                summary: "The heart rate of everyone in steps of time, for small curves",
                querystring: TrendsQuery,
                response: { 200: Trends },
            },
            config: { access: "watch", audit: "ward", isCompressed: true },
        },
        request =>
            turns.take(request, async () => {
                const stepMs = Number(request.query.step) * 1000
                const steps = Number(request.query.steps)
                if (steps > maxTrendSteps) throw new ProblemError("too-many-steps", { max: maxTrendSteps })
                const from = Math.floor(Number(request.query.from) / stepMs) * stepMs
                const patients = await patientsOf(userFrom(request), clinic)
                about(request, ...patients.map(({ id }) => id))
                return {
                    from,
                    stepMs,
                    patients: await inSlices(patients, async ({ id: patient }) => {
                        const range = { patient, name: "hr", from, before: from + steps * stepMs, stepMs } as const
                        const hr = new Array<number | null>(steps).fill(null)
                        for (const { time, mean } of await clinic.observations.history(range))
                            hr[(time - from) / stepMs] = mean === null ? null : Math.round(mean * 10) / 10
                        return { patient, hr }
                    }),
                }
            }),
    )
}

/** As in the stream of /api/live. */
export function shownObservation({ kid, storedAt: _, ...observation }: Observation) {
    return { ...observation, mote: eui(kid) }
}

async function patientsOf(user: User, clinic: Clinic) {
    return await clinic.patients.seen(patientsFor(user, "watch"))
}

/** Of several motes the one counts that has to say something soonest. */
async function silentMsOf(motes: Mote[], clinic: Clinic): Promise<number> {
    const inForce = await Promise.all(motes.map(mote => clinic.configurations.inForce(mote)))
    const each = inForce.map(({ settings }) => silentMs(settings ?? defaultConfig))
    return each.length > 0 ? Math.min(...each) : silentMs(defaultConfig)
}
