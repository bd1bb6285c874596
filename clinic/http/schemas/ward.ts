import { Type, type Static } from "@sinclair/typebox"
import { vitalNames } from "../../../wire/tables/quantities.ts"
import { Count, Eui, Id, IdText, List, Nullable, OneOf, Time } from "./common.ts"

const Summary = Type.Object({
    count: Count,
    least: Type.Number(),
    greatest: Type.Number(),
    spanMs: Type.Number({ minimum: 0 }),
})

export const Observation = Type.Object({
    id: Id,
    patient: Id,
    mote: Eui,
    name: OneOf(vitalNames),
    unit: Type.String({ description: "SenML unit" }),
    value: Nullable(Type.Number({ description: "Null where there is none; `absent` may say why" })),
    absent: Nullable(OneOf(["motion", "quality"])),
    quality: Nullable(Type.Number({ minimum: 0, maximum: 1 })),
    summary: Nullable(Summary),
    time: Time,
    relative: Type.Boolean({ description: "The time was counted back from the arrival" }),
})
export type Observation = Static<typeof Observation>

export const WardPatient = Type.Object({
    id: Id,
    given: Type.String(),
    family: Type.String(),
    bed: Nullable(Type.String()),
    ward: Nullable(Type.String()),
    newest: List(Observation),
    motes: List(Eui),
    silentMs: Type.Number({ description: "After so long without a value something is wrong" }),
})
export type WardPatient = Static<typeof WardPatient>

const RouterName = Type.String({ description: "User name of the router" })
export const Condition = Type.Union([
    Type.Object({
        code: Type.Literal("router-clock"),
        router: RouterName,
        offsetMs: Type.Integer({ description: "Added to the times it gives; negative where its clock is ahead" }),
    }),
    Type.Object({ code: Type.Literal("router-store-lost"), router: RouterName, at: Time }),
    Type.Object({ code: Type.Literal("router-silent"), router: RouterName, silentMs: Type.Number({ minimum: 0 }) }),
    Type.Object({ code: OneOf(["store-full", "store-failed"]) }),
])
export type Condition = Static<typeof Condition>

export const Conditions = Type.Unsafe<readonly Condition[]>(
    Type.Array(Condition, { description: "What makes that which is shown wrong or incomplete" }),
)

export const Ward = Type.Object({
    now: Time,
    conditions: Conditions,
    newestId: Count,
    patients: List(WardPatient),
})
export type Ward = Static<typeof Ward>

export const TrendsQuery = Type.Object(
    {
        from: Type.String({ ...IdText, description: "Unix ms" }),
        steps: Type.String({ pattern: "^[1-9][0-9]{0,2}$", description: "At most 360" }),
        step: Type.String({ pattern: "^[1-9][0-9]{0,4}$", description: "Seconds a step" }),
    },
    { additionalProperties: false },
)

/** Of everybody on the ward: small, so that a page asks once for all its curves. */
export const Trends = Type.Object({
    from: Type.Integer({ description: "Start of the first step, unix ms" }),
    stepMs: Count,
    patients: List(
        Type.Object({
            patient: Id,
            hr: Type.Unsafe<readonly (number | null)[]>(
                Type.Array(Nullable(Type.Number()), {
                    description: "Mean heart rate of each step; null where there is none",
                }),
            ),
        }),
    ),
})
export type Trends = Static<typeof Trends>
