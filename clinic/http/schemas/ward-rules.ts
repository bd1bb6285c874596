import { Type, type Static } from "@sinclair/typebox"
import { priorities } from "../../../wire/tables/alarm-kinds.ts"
import type { WardSettings } from "../../alarms/ward-rules.ts"
import { Count, List, Nullable, OneOf, Text, Time } from "./common.ts"

export const ByWard = Type.Object({ ward: Text(50) })

const strict = { additionalProperties: false }
const Name = Text(100)
const TimeOfDay = Type.String({ pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$", description: "By the ward's time" })
const Priority = OneOf(priorities)

const Settings = Type.Unsafe<WardSettings>(
    Type.Object(
        {
            acknowledgedMinutes: Type.Integer({
                ...{ minimum: 1, maximum: 240 },
                description: "So long an acknowledgement holds",
            }),
            shifts: Type.Array(Type.Object({ name: Name, from: TimeOfDay, to: TimeOfDay }, strict), { maxItems: 10 }),
            escalation: Type.Array(
                Type.Object(
                    {
                        afterSeconds: Type.Integer({ minimum: 0, maximum: 3600 }),
                        tell: Type.String({ ...Name, description: "One of `receivers`" }),
                        shifts: Type.Optional(Type.Array(Name, { minItems: 1, maxItems: 10 })),
                    },
                    strict,
                ),
                { maxItems: 20, description: "Who is told when nobody has attended to an alarm for so long" },
            ),
            priorities: Type.Record(
                Type.String({ pattern: "^[a-z0-9-]{1,32}$" }),
                Type.Object(
                    {
                        priority: Priority,
                        severe: Type.Optional(
                            Type.Object(
                                {
                                    beyond: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
                                    priority: Priority,
                                },
                                strict,
                            ),
                        ),
                    },
                    strict,
                ),
                { maxProperties: 100, description: "By kind; the others are as in docs/alarms.md" },
            ),
        },
        strict,
    ),
)

export const WardRulesBody = Type.Object(
    {
        settings: Settings,
        base: Type.Optional(Type.Integer({ minimum: 0, description: "The newest version that was seen" })),
    },
    strict,
)

export const WardRules = Type.Object({
    ward: Type.String(),
    version: Count,
    author: Nullable(Type.String()),
    madeAt: Nullable(Time),
    settings: Nullable(Settings),
    receivers: List(Type.String({ description: "Whom one can tell: channels of the clinic, and roles" })),
})
export type WardRules = Static<typeof WardRules>
