import { Type, type Static } from "@sinclair/typebox"
import { priorities } from "../../../wire/tables/alarm-kinds.ts"
import { pauseMinutes } from "../../alarms/life.ts"
import { Count, Eui, Id, IdText, List, Nullable, OneOf, Text, Time } from "./common.ts"

export const AlarmQuery = Type.Object({ patient: Type.Optional(IdText) }, { additionalProperties: false })

const strict = { additionalProperties: false }
export const Attention = Type.Union(
    [
        Type.Object({ acknowledged: Type.Literal(true) }, strict),
        Type.Object(
            {
                acknowledged: Type.Literal(false, {
                    description: "Takes back what somebody did within the last minute",
                }),
            },
            strict,
        ),
        Type.Object({ pauseMinutes: Type.Union(pauseMinutes.map(minutes => Type.Literal(minutes))) }, strict),
    ],
    { description: "What somebody does about it" },
)

const Priority = OneOf(priorities)
const UserName = Type.String({ description: "User name" })
const Estimate = Type.Boolean({ description: "That time is an estimate" })

export const Alarm = Type.Object({
    id: Id,
    about: OneOf(["mote", "patient", "router", "channel", "clinic"]),
    name: Nullable(Type.String({ description: "Of a router or a channel" })),
    patient: Nullable(Id),
    ward: Nullable(Type.String({ description: "The patient's, when it began" })),
    mote: Nullable(Eui),
    kind: Type.String({ description: "See docs/alarms.md; newer motes may have others" }),
    priority: Priority,
    unit: Nullable(Type.String({ description: "SenML unit of the values" })),
    count: Type.Integer({ minimum: 1, description: "How often it began before anybody acknowledged it" }),
    raisedAt: Time,
    raisedAbout: Estimate,
    raisedValue: Nullable(Type.Number({ description: "What raised it" })),
    limitValue: Nullable(Type.Number({ description: "The limit that the mote went by" })),
    worstValue: Nullable(Type.Number()),
    worstAt: Nullable(Time),
    presentValue: Nullable(Type.Number({ description: "The newest reading; null once it is over" })),
    presentAt: Nullable(Time),
    clearedAt: Nullable(Time),
    clearedAbout: Estimate,
    clearedValue: Nullable(Type.Number()),
    storedAt: Time,
    state: OneOf(["raised", "acknowledged", "paused", "latched", "closed"]),
    since: Time,
    until: Nullable(Type.Integer({ description: "When that state ends by itself, unix ms" })),
    level: Type.Integer({ minimum: 0, description: "Escalation steps taken since it was raised" }),
    escalatedTo: List(Type.String({ description: "Channels and roles" })),
    nextStep: Nullable(
        Type.Object(
            { at: Time, tell: List(Type.String({ description: "Channel or role" })) },
            { description: "Of the escalation; null where none follows" },
        ),
    ),
    acknowledgedAt: Nullable(Time),
    acknowledgedBy: Nullable(UserName),
    undoUntil: Nullable(Type.Integer({ description: "Until then that can be taken back, unix ms" })),
    firstSeenAt: Nullable(Time),
    firstSeenBy: Nullable(UserName),
    isOpen: Type.Boolean({ description: "Belongs on the screen" }),
})
export type Alarm = Static<typeof Alarm>

export const AlarmEntry = Type.Object({
    at: Time,
    change: OneOf([
        ...(["raised", "worsened", "cleared", "again", "acknowledged", "undone", "paused"] as const),
        ...([
            "acknowledgement-expired",
            "pause-expired",
            "escalated",
            "closed",
            "taken-off",
            "discharged",
            "revoked",
            "told",
            "not-told",
        ] as const),
    ]),
    by: Nullable(UserName),
    level: Count,
    value: Nullable(Type.Number({ description: "The worst by then" })),
    told: Nullable(Type.String({ description: "The channel" })),
    failure: Nullable(Type.String({ description: "Why nobody was told" })),
})
export type AlarmEntry = Static<typeof AlarmEntry>

export const AlarmLogQuery = Type.Object(
    {
        from: Type.String({ ...IdText, description: "Unix ms" }),
        before: Type.String({ ...IdText, description: "Unix ms; at most 31 days after `from`" }),
        ward: Type.Optional(Text(50)),
        patient: Type.Optional(IdText),
        kind: Type.Optional(Type.String({ pattern: "^[a-z0-9-]{1,32}$" })),
        priority: Type.Optional(Priority),
        by: Type.Optional(Text(100)),
        format: Type.Optional(OneOf(["json", "csv"])),
    },
    { additionalProperties: false },
)
export type AlarmLogQuery = Static<typeof AlarmLogQuery>

export const AlarmLog = Type.Object({
    alarms: List(
        Type.Composite([
            Alarm,
            Type.Object({
                family: Nullable(Type.String()),
                given: Nullable(Type.String()),
                bed: Nullable(Type.String()),
                unseenMs: Type.Number({
                    minimum: 0,
                    description: "Until it was acknowledged, was over, or now",
                }),
            }),
        ]),
    ),
    isWhole: Type.Boolean({
        description: "False where there are more than the clinic gives at once: ask for less time",
    }),
})
export type AlarmLog = Static<typeof AlarmLog>
