import { Type, type Static } from "@sinclair/typebox"
import { Eui, Id, IdText, List, Nullable, Text, Time } from "./common.ts"

const strict = { additionalProperties: false }
const BirthDate = Type.String({ format: "date" })

/** How one says whom one means: all of it has to be right. */
const Whom = Type.Union(
    [
        Type.Object({ patient: Id }, { ...strict, title: "The clinic's number" }),
        Type.Object({ identifier: Text(100) }, { ...strict, title: "The hospital's number" }),
        Type.Object(
            { family: Text(100), given: Text(100), birthDate: BirthDate },
            { ...strict, title: "Name and birthday" },
        ),
        Type.Object({ ward: Text(100), bed: Text(100) }, { ...strict, title: "Bed" }),
        Type.Object({ mote: Eui }, { ...strict, title: "The mote that the patient wears" }),
    ],
    { description: "One person on a ward; upper case and accents do not matter in names, wards and beds" },
)

export const NewOpening = Type.Object(
    {
        whom: Whom,
        reason: Type.String({
            ...{ minLength: 5, maxLength: 300, pattern: "^(?=.*\\p{L}.*\\p{L})[^\\p{Cc}]+$" },
            description: "For whoever reviews it",
        }),
        minutes: Type.Optional(Type.Integer({ minimum: 5, maximum: 480, description: "How long; 60 without it" })),
    },
    strict,
)
export type NewOpening = Static<typeof NewOpening>

const opening = {
    id: Id,
    patient: Id,
    reason: Type.String(),
    madeAt: Time,
    endsAt: Type.Integer({ description: "Unix time in milliseconds, by the clinic's clock" }),
}
export const Opening = Type.Object(opening)
export type Opening = Static<typeof Opening>

export const Opened = Type.Object({
    patient: Id,
    opening: Type.Union([Opening, Type.Null()], { description: "Null: one sees this patient anyway" }),
})
export type Opened = Static<typeof Opened>

export const OpeningsQuery = Type.Object(
    {
        reviewed: Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")])),
        before: Type.Optional(Type.String({ ...IdText, description: "Older ones than the one of that number" })),
    },
    strict,
)

export const ReviewedOpening = Type.Object({
    ...opening,
    user: Type.String(),
    reviewedAt: Nullable(Time),
    reviewedBy: Nullable(Type.String()),
})
export type ReviewedOpening = Static<typeof ReviewedOpening>

export const Openings = Type.Object({
    openings: List(ReviewedOpening),
    isWhole: Type.Boolean({ description: "False where there are older ones: ask for those before the last" }),
})
export type Openings = Static<typeof Openings>
