import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { seenBy } from "./admission.ts"
import { shownAlarm, valueCell } from "./alarms.ts"
import type { Seen } from "../store/seen.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { AlarmLog, AlarmLogQuery } from "./schemas/alarms.ts"
import { sendTable, tableAnswer } from "./table.ts"
import type { App } from "./typed-app.ts"
import { zoned } from "../time-zone.ts"

const maxDays = 31
const maxAlarms = 5000

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
                summary: "All alarms of a ward and a time by when the clinic heard of them, the newest first",
                querystring: AlarmLogQuery,
                response: { 200: tableAnswer("The log", AlarmLog) },
            },
            config: { access: "read", audit: "alarm-log" },
        },
        async (request, reply) => {
            const { format, ...query } = request.query
            const user = userFrom(request)
            const log = await logOf(clinic, query, seenBy(user, "read"))
            about(request, ...log.alarms.map(({ patient }) => patient))
            const { timeZone } = clinic
            const name = `alarms-${zoned(Number(query.from), timeZone).slice(0, 10)}`
            const table = () => ({ name, row: "alarm", columns, rows: log.alarms.map(alarm => line(alarm, timeZone)) })
            return await sendTable(request, reply, { answer: log, table, format })
        },
    )
}

async function logOf(
    clinic: Clinic,
    { from, before, patient, by, ...query }: Omit<AlarmLogQuery, "format">,
    seen: Seen,
): Promise<AlarmLog> {
    const period = { from: Number(from), before: Number(before) }
    if (period.before - period.from > maxDays * 86_400_000) throw new ProblemError("too-long-a-time", { max: maxDays })
    const filter = { ...query, ...period, ...(patient !== undefined && { patient: Number(patient) }) }
    const found = await clinic.alarms.during({ ...filter, seen, limit: maxAlarms + 1 })
    const now = clinic.now()
    const patients = new Map<number, { family: string; given: string; bed: string | null } | undefined>()
    const alarms: AlarmLog["alarms"][number][] = []
    for (const alarm of found.slice(0, maxAlarms)) {
        if (by !== undefined && alarm.firstSeenBy !== by) continue
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

function line(alarm: AlarmLog["alarms"][number], timeZone: string) {
    const time = (ms: number | null) => (ms === null ? null : zoned(ms, timeZone))
    const unseen = alarm.firstSeenAt === null && !alarm.isOpen ? null : Math.round(alarm.unseenMs / 1000)
    return [
        ...[alarm.ward, alarm.bed, alarm.family ?? alarm.name, alarm.given, alarmKindOf(alarm.kind).label],
        ...[alarm.priority, time(alarm.raisedAt), time(alarm.clearedAt), alarm.count],
        ...[
            valueCell(alarm, timeZone),
            alarm.worstValue,
            alarm.unit,
            unseen,
            alarm.firstSeenBy,
            time(alarm.firstSeenAt),
        ],
        alarm.state,
    ]
}
