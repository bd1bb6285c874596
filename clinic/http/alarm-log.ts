import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { maySee, shownAlarm } from "./alarms.ts"
import { userFrom } from "./auth.ts"
import { csv } from "./csv.ts"
import { AlarmLog, AlarmLogQuery } from "./schemas/alarms.ts"
import type { App } from "./typed-app.ts"

const maxDays = 31
const maxAlarms = 5000
const csvType = "text/csv; charset=utf-8"

const columns = [
    ...["ward", "bed", "family", "given", "alarm", "priority", "began", "ended", "times"],
    ...["value", "worst", "unit", "unseen s", "first seen by", "first seen", "state"],
] as const

/** The log of a shift: what one hands over. */
export function alarmLogRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/alarms/log",
        {
            schema: {
                tags: ["alarms"],
                summary:
                    "All alarms of a ward and a time by when the clinic heard of them, the newest first, as JSON or CSV",
                querystring: AlarmLogQuery,
                response: {
                    200: {
                        description: "The log",
                        content: {
                            "application/json": { schema: AlarmLog },
                            "text/csv": {
                                schema: {
                                    type: "string",
                                    description: "A line for each, the names of the columns first",
                                },
                            },
                        },
                    },
                },
            },
            config: { access: "read" },
        },
        async (request, reply) => {
            const { format = "json", ...query } = request.query
            const user = userFrom(request)
            const log = await logOf(clinic, query, patient => maySee(user, "read", patient))
            if (format === "json") return await reply.send(log)
            // A string: the serializer would put it in quotes.
            const name = `alarms-${new Date(Number(query.from)).toISOString().slice(0, 10)}.csv`
            reply.header("content-disposition", `attachment; filename="${name}"`)
            return await reply.type(csvType).send(csv([columns, ...log.alarms.map(line)]))
        },
    )
}

async function logOf(
    clinic: Clinic,
    { from, before, patient, by, ...query }: Omit<AlarmLogQuery, "format">,
    isVisible: (patient: number | null) => boolean,
): Promise<AlarmLog> {
    const period = { from: Number(from), before: Number(before) }
    if (period.before - period.from > maxDays * 86_400_000) throw new ProblemError("too-long-a-time", { max: maxDays })
    const filter = { ...query, ...period, ...(patient !== undefined && { patient: Number(patient) }) }
    const found = await clinic.alarms.during({ ...filter, limit: maxAlarms + 1 })
    const now = clinic.now()
    const patients = new Map<number, { family: string; given: string; bed: string | null } | undefined>()
    const alarms: AlarmLog["alarms"][number][] = []
    for (const alarm of found.slice(0, maxAlarms)) {
        if (!isVisible(alarm.patient) || (by !== undefined && alarm.firstSeenBy !== by)) continue
        if (alarm.patient !== null && !patients.has(alarm.patient))
            patients.set(alarm.patient, await clinic.patients.get(alarm.patient))
        const {
            family = null,
            given = null,
            bed = null,
        } = (alarm.patient !== null && patients.get(alarm.patient)) || {}
        const seenAt = alarm.firstSeenAt ?? (alarm.isOpen ? now : alarm.since)
        const unseenMs = Math.max(0, seenAt - alarm.storedAt)
        alarms.push({ ...shownAlarm(alarm), family, given, bed, unseenMs })
    }
    return { alarms, isWhole: found.length <= maxAlarms }
}

function line(alarm: AlarmLog["alarms"][number]) {
    const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
    const unseen = alarm.firstSeenAt === null && !alarm.isOpen ? null : Math.round(alarm.unseenMs / 1000)
    return [
        ...[alarm.ward, alarm.bed, alarm.family ?? alarm.name, alarm.given, alarmKindOf(alarm.kind).label],
        ...[alarm.priority, time(alarm.raisedAt), time(alarm.clearedAt), alarm.count],
        ...[alarm.raisedValue, alarm.worstValue, alarm.unit, unseen, alarm.firstSeenBy, time(alarm.firstSeenAt)],
        alarm.state,
    ]
}
