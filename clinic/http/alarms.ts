import { eui } from "../../wire/keys.ts"
import { alarmKindOf, isTimeAlarm } from "../../wire/tables/alarm-kinds.ts"
import type { Alarm } from "../alarms/alarm.ts"
import type { Clinic } from "../clinic.ts"
import { admit, seenBy } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { zoned } from "../time-zone.ts"
import { Alarm as AlarmAnswer, AlarmEntry, AlarmQuery, Attention } from "./schemas/alarms.ts"
import { ById, List } from "./schemas/common.ts"
import { sendTable, tableAnswer } from "./table.ts"
import type { App } from "./typed-app.ts"

const tags = ["alarms"]
const maxAlarms = 200

/** Where it is a table: the patient is that of /api/ward, so that no name stands in it. */
const columns = [
    ...["id", "about", "name", "patient", "mote", "alarm", "priority", "state", "began", "ended", "times"],
    ...["value", "worst", "present", "unit", "acknowledged by", "acknowledged"],
] as const

function line(alarm: Alarm, { timeZone }: Clinic) {
    const time = (ms: number | null) => (ms === null ? null : zoned(ms, timeZone))
    return [
        ...[alarm.id, alarm.about, alarm.name, alarm.patient, alarm.kid && eui(alarm.kid)],
        ...[alarmKindOf(alarm.kind).label, alarm.priority, alarm.state, time(alarm.raisedAt), time(alarm.clearedAt)],
        ...[alarm.count, valueCell(alarm, timeZone), alarm.worstValue, alarm.presentValue, alarm.unit],
        ...[alarm.acknowledgedBy, time(alarm.acknowledgedAt)],
    ]
}

/** What raised it, in a table: a point in time is written as the others there. */
export function valueCell({ kind, raisedValue }: Pick<Alarm, "kind" | "raisedValue">, timeZone: string) {
    return raisedValue !== null && isTimeAlarm(alarmKindOf(kind)) ? zoned(raisedValue * 1000, timeZone) : raisedValue
}

/** Alarms: those that belong on the screen, all of a patient, and what somebody does about them. */
export function alarmRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/alarms",
        {
            schema: {
                tags,
                summary:
                    "Alarms that are not over, or that nobody has acknowledged; with patient, all of that patient, the newest first",
                querystring: AlarmQuery,
                response: { 200: tableAnswer("The alarms", List(AlarmAnswer)) },
            },
            config: { access: "watch", audit: "alarms" },
        },
        async (request, reply) => {
            const user = userFrom(request)
            const patient = request.query.patient && Number(request.query.patient)
            if (patient) admit(request, patient, { action: "read" })
            const alarms = patient
                ? await clinic.alarms.ofPatient(patient, maxAlarms)
                : await clinic.alarms.open(seenBy(user, "watch"))
            about(request, ...alarms.map(({ patient }) => patient))
            const table = () => ({ name: "alarms", row: "alarm", columns, rows: alarms.map(a => line(a, clinic)) })
            return await sendTable(request, reply, { answer: alarms.map(shownAlarm), table })
        },
    )

    app.put(
        "/api/alarms/:id",
        {
            schema: {
                tags,
                summary: "Acknowledge an alarm, pause it, or take that back",
                params: ById,
                body: Attention,
                response: { 200: AlarmAnswer },
            },
            config: { access: "acknowledge", audit: "alarms" },
        },
        async request => {
            const id = Number(request.params.id)
            const { name } = userFrom(request)
            const { body } = request
            admit(request, ((await clinic.alarms.get(id)) ?? missing()).patient, { what: "alarm" })
            const alarm =
                "pauseMinutes" in body
                    ? await clinic.alarms.pause(id, name, body.pauseMinutes)
                    : body.acknowledged
                      ? await clinic.alarms.acknowledge(id, name)
                      : await clinic.alarms.undo(id, name)
            return shownAlarm(alarm ?? missing())
        },
    )

    app.get(
        "/api/alarms/:id/history",
        {
            schema: {
                tags,
                summary: "What happened to an alarm, in order, each attempt to tell somebody included",
                params: ById,
                response: { 200: List(AlarmEntry) },
            },
            config: { access: "read", audit: "alarms" },
        },
        async request => {
            const id = Number(request.params.id)
            const alarm = (await clinic.alarms.get(id)) ?? missing()
            admit(request, alarm.patient, { what: "alarm" })
            const entries = await clinic.alarms.history(id)
            return entries.map(({ alarm: _, change, ...entry }) => ({
                ...entry,
                change: change as AlarmEntry["change"],
            }))
        },
    )
}

/** As in the stream of /api/live. */
export function shownAlarm({ kid, ...alarm }: Alarm) {
    return { ...alarm, mote: kid && eui(kid) }
}

function missing(): never {
    throw new ProblemError("not-found", { what: "alarm" })
}
