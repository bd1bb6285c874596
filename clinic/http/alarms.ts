import { eui } from "../../wire/keys.ts"
import type { Alarm } from "../alarms/alarms.ts"
import type { Clinic } from "../clinic.ts"
import { may } from "../people/permissions.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { Acknowledgement, Alarm as AlarmAnswer, AlarmQuery } from "./schemas/alarms.ts"
import { ById, List } from "./schemas/common.ts"
import type { App } from "./typed-app.ts"

const tags = ["alarms"]
const maxAlarms = 200

/** Alarms: those that belong on the screen, all of a patient, and who has acknowledged them. */
export function alarmRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/alarms",
        {
            schema: {
                tags,
                summary:
                    "Alarms that are not over, or that nobody has acknowledged; with patient, all of that patient, the newest first",
                querystring: AlarmQuery,
                response: { 200: List(AlarmAnswer) },
            },
            config: { access: "watch" },
        },
        async request => {
            const user = userFrom(request)
            const patient = request.query.patient && Number(request.query.patient)
            if (!patient)
                return (await clinic.alarms.open()).filter(alarm => may(user, "watch", alarm.patient)).map(shownAlarm)
            if (!may(user, "read", patient)) throw new ProblemError("other-patient")
            return (await clinic.alarms.ofPatient(patient, maxAlarms)).map(shownAlarm)
        },
    )

    app.put(
        "/api/alarms/:id",
        {
            schema: {
                tags,
                summary: "Acknowledge an alarm; it stays until the mote says that it is over",
                params: ById,
                body: Acknowledgement,
                response: { 200: AlarmAnswer },
            },
            config: { access: "acknowledge" },
        },
        async request => {
            const id = Number(request.params.id)
            const alarm = await clinic.acknowledge(id, userFrom(request).name)
            if (!alarm) throw new ProblemError("not-found", { what: "alarm" })
            return shownAlarm(alarm)
        },
    )
}

/** As in the stream of /api/live. */
export function shownAlarm({ kid, ...alarm }: Alarm) {
    return { ...alarm, mote: eui(kid) }
}
