import { Type, type Static } from "@sinclair/typebox"
import { Alarm } from "./alarms.ts"
import { Id, IdText, List, Time } from "./common.ts"
import { Score } from "./news2.ts"
import { Conditions, Observation } from "./ward.ts"

export const LiveQuery = Type.Object(
    { since: Type.Optional(Type.String({ ...IdText, pattern: "^[0-9]{1,15}$", description: "Id of an observation" })) },
    { additionalProperties: false },
)

/** What comes with each event of `/api/live`, by its name. */
export const liveEvents = {
    observation: Observation,
    alarms: Type.Object({ open: List(Id) }, { description: "Those that belong on the screen; each follows" }),
    alarm: Alarm,
    score: Score,
    time: Type.Object({ now: Time, conditions: Conditions }),
    reset: Type.Object({}),
}
export type LiveEvents = { [Name in keyof typeof liveEvents]: Static<(typeof liveEvents)[Name]> }

export const LiveStream = Type.Unsafe<unknown>(
    Type.String({ description: "Server-Sent Events; what comes with each is in components.schemas, live-…" }),
)
