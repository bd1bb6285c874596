import { Type, type Static } from "@sinclair/typebox"
import { configFields, type ConfigName } from "../../../wire/tables/settings.ts"
import { limitKinds } from "../../burden/replay.ts"
import { Count as Whole, Id, IdText, List, Nullable, OneOf, Text, Time } from "./common.ts"

export const BurdenQuery = Type.Object(
    {
        from: Type.String({ ...IdText, description: "Unix ms" }),
        before: Type.String({ ...IdText, description: "Unix ms; 31 days at most" }),
        ward: Type.Optional(Text(50)),
        format: Type.Optional(OneOf(["json", "csv"])),
    },
    { additionalProperties: false },
)

const Ms = Type.Number({ minimum: 0, description: "Milliseconds" })
const PerDay = Nullable(Type.Number({ minimum: 0, description: "Null where nothing was measured" }))
const count = {
    count: Whole,
    begun: Type.Integer({
        minimum: 0,
        description: "How often they began: what begins again before anybody attends to it is one alarm",
    }),
    perPatientDay: PerDay,
    endedSoon: Type.Integer({ minimum: 0, description: "Over within a minute, before anybody attended to them" }),
    waiting: Type.Object({ seen: Whole, unseen: Whole, medianMs: Nullable(Ms), p90Ms: Nullable(Ms) }),
}

export const BurdenStatistics = Type.Object({
    from: Time,
    before: Time,
    patientDays: Type.Number({ minimum: 0, description: "Days in which something was measured, by the hour" }),
    all: Type.Object(count),
    kinds: List(Type.Object({ kind: Type.String(), ...count })),
    priorities: List(Type.Object({ priority: Type.String(), ...count })),
    days: List(Type.Object({ time: Time, high: Whole, medium: Whole, low: Whole })),
    loudest: List(
        Type.Object({
            patient: Id,
            given: Type.String(),
            family: Type.String(),
            bed: Nullable(Type.String()),
            ward: Nullable(Type.String()),
            count: Whole,
            days: Type.Number({ minimum: 0 }),
            perDay: PerDay,
        }),
    ),
})
export type BurdenStatistics = Static<typeof BurdenStatistics>

const tried = configFields.filter(({ name }) => name === "delay" || limitKinds.some(({ setting }) => setting === name))
export const ReplayBody = Type.Object(
    {
        from: Time,
        before: Time,
        limits: Type.Unsafe<Partial<Record<ConfigName, number>>>(
            Type.Object(
                Object.fromEntries(
                    tried.map(({ name, min, max }) => [
                        name,
                        Type.Optional(Type.Number({ minimum: min, maximum: max })),
                    ]),
                ),
                { additionalProperties: false, description: "What is to be tried; the rest is as in force" },
            ),
        ),
    },
    { additionalProperties: false },
)
export type ReplayBody = Static<typeof ReplayBody>

const LimitKindName = OneOf(limitKinds.map(({ kind }) => kind))
export const ReplayResult = Type.Object({
    watchedMs: Ms,
    readings: Whole,
    kinds: List(
        Type.Object({ kind: LimitKindName, asSet: Whole, whatIf: Whole, missed: Whole, latestMs: Type.Number() }),
    ),
    missed: List(Type.Object({ kind: LimitKindName, from: Time, to: Nullable(Time), worst: Type.Number() })),
})
export type ReplayResult = Static<typeof ReplayResult>
