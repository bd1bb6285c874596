import { Type, type Static, type TSchema } from "@sinclair/typebox"
import { bedsideKinds, bedsideNames, type BedsideKind, type BedsideName } from "../../../wire/tables/bedside.ts"
import { Id, IdText, List, Nullable, OneOf, Time } from "./common.ts"

const entered = (name: BedsideName): TSchema => {
    const { unit, min, max, choices }: BedsideKind = bedsideKinds[name]
    return choices ? OneOf(choices) : Type.Integer({ minimum: min, maximum: max, description: unit })
}

/** What was observed; the rest is left out. */
export const BedsideEntry = Type.Object(
    {
        respiration: Type.Optional(Type.Unsafe<number>(entered("respiration"))),
        systolic: Type.Optional(Type.Unsafe<number>(entered("systolic"))),
        oxygen: Type.Optional(OneOf(bedsideKinds.oxygen.choices)),
        consciousness: Type.Optional(OneOf(bedsideKinds.consciousness.choices)),
    },
    { additionalProperties: false, minProperties: 1 },
)
export type BedsideEntry = Static<typeof BedsideEntry>

const Scale = Type.Union([Type.Literal(1), Type.Literal(2)], { description: "SpO₂ scale of NEWS2" })
export const ScaleChoice = Type.Object({ scale: Scale }, { additionalProperties: false })

const ParameterName = OneOf([...bedsideNames, "saturation", "pulse", "temperature"])
const ScorePart = Type.Object({
    name: ParameterName,
    score: Nullable(
        Type.Integer({ minimum: 0, maximum: 3, description: "Null where the value is missing or too old" }),
    ),
    value: Nullable(Type.Union([Type.Number(), Type.String()])),
    time: Nullable(Time),
    by: Nullable(Type.String({ description: "User name; null for what a mote measured" })),
    isOld: Type.Boolean({ description: "Too old to count" }),
})
export type ScorePart = Static<typeof ScorePart>

export const Score = Type.Object({
    patient: Id,
    at: Time,
    scale: Type.Object({ scale: Scale, by: Nullable(Type.String()), madeAt: Nullable(Time) }),
    parts: List(ScorePart),
    missing: List(ParameterName),
    total: Nullable(Type.Integer({ minimum: 0, maximum: 20, description: "Null while anything is missing" })),
    atLeast: Type.Integer({ minimum: 0, maximum: 20, description: "Sum of what is known" }),
    risk: Nullable(OneOf(["low", "lowMedium", "medium", "high"])),
    oldestAt: Nullable(Time),
})
export type Score = Static<typeof Score>

export const ScoreHistoryQuery = Type.Object(
    {
        from: Type.String({ ...IdText, description: "Unix ms" }),
        before: Type.String({ ...IdText, description: "Unix ms" }),
        step: Type.String({ pattern: "^[1-9][0-9]{0,4}$", description: "Seconds a point" }),
    },
    { additionalProperties: false },
)
const ScorePoint = Type.Object({
    time: Type.Integer({ description: "Start of the step, unix ms" }),
    total: Nullable(Type.Integer()),
    atLeast: Type.Integer(),
    oldestAt: Type.Integer({ description: "When the oldest value that counted was measured or entered, unix ms" }),
})
export type ScorePoint = Static<typeof ScorePoint>
export const ScoreHistory = List(ScorePoint)
