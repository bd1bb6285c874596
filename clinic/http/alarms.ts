import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance } from "fastify"
import { eui } from "../../wire/keys.ts"
import type { Alarm } from "../alarms/alarms.ts"
import type { Clinic } from "../clinic.ts"
import { maySee, userFrom } from "./auth.ts"
import { HttpError } from "./errors.ts"
import { Id } from "./schemas.ts"

const tags = ["alarms"]
const maxAlarms = 200

const ById = Type.Object({ id: Id })
const Query = Type.Object({ patient: Type.Optional(Id) }, { additionalProperties: false })
const Acknowledgement = Type.Object({ acknowledged: Type.Literal(true) }, { additionalProperties: false })

/** Alarms: those that belong on the screen, all of a patient, and who has seen to them. */
export function alarmRoutes(app: FastifyInstance, clinic: Clinic): void {
    app.get<{ Querystring: Static<typeof Query> }>(
        "/api/alarms",
        {
            schema: {
                ...{ tags, querystring: Query },
                summary:
                    "Alarms that are not over, or that nobody has acknowledged; with patient, all of that patient, the newest first",
            },
            config: { access: ["doctor", "patient"] },
        },
        async request => {
            const user = userFrom(request)
            const patient = request.query.patient && Number(request.query.patient)
            if (!patient)
                return (await clinic.alarms.open()).filter(alarm => maySee(user, alarm.patient)).map(shownAlarm)
            if (!maySee(user, patient)) throw new HttpError(403, "this is another patient's data")
            return (await clinic.alarms.ofPatient(patient, maxAlarms)).map(shownAlarm)
        },
    )

    app.put<{ Params: Static<typeof ById>; Body: Static<typeof Acknowledgement> }>(
        "/api/alarms/:id",
        {
            schema: {
                ...{ tags, params: ById, body: Acknowledgement },
                summary: "Acknowledge an alarm; it stays until the mote says that it is over",
            },
            config: { access: ["doctor"] },
        },
        async request => {
            const id = Number(request.params.id)
            const alarm = await clinic.acknowledge(id, userFrom(request).name)
            if (!alarm) throw new HttpError(404, "there is no such alarm")
            return shownAlarm(alarm)
        },
    )
}

/** As in the stream of /api/live. */
export function shownAlarm({ kid, ...alarm }: Alarm) {
    return { ...alarm, mote: eui(kid) }
}
