import { Type, type Static } from "@sinclair/typebox"
import { associationEnds } from "../../motes/association-end.ts"
import { Count, Eui, Id, IdText, List, Nullable, OneOf, Time } from "./common.ts"

export const Association = Type.Object({
    id: Id,
    mote: Eui,
    patient: Id,
    beginsAt: Time,
    begunBy: Nullable(Type.String({ description: "User; null: the clinic" })),
    endsAt: Nullable(Type.Integer({ ...Time, description: "Null while it lasts" })),
    endedBy: Nullable(Type.String()),
    reason: Nullable(OneOf(associationEnds)),
})
export type Association = Static<typeof Association>

export const NewAssociation = Type.Object(
    {
        patient: Id,
        confirmed: Type.Optional(
            Type.Array(OneOf(["mote-in-use"]), { description: "Problems that do not matter: it is taken off first" }),
        ),
    },
    { additionalProperties: false },
)

export const UnassignedQuery = Type.Object(
    { before: Type.Optional(Type.String({ ...IdText, description: "Unix ms; for the next page" })) },
    { additionalProperties: false },
)

/** A reading that is nobody's. */
export const Unassigned = Type.Object({
    name: Type.String({ description: "As in SenML: hr, temp, spo2 and others" }),
    unit: Type.String(),
    value: Nullable(Type.Number()),
    absent: Nullable(Type.String({ description: "Why there is no value" })),
    time: Time,
    isAbout: Type.Boolean({ description: "The time was counted back from the arrival" }),
    count: Nullable(Type.Integer({ description: "Readings that it is the mean of" })),
    spanMs: Nullable(Type.Number({ description: "From the first of them to the last" })),
})
export type Unassigned = Static<typeof Unassigned>

export const UnassignedPage = Type.Object({
    count: Count,
    readings: List(Unassigned),
    before: Nullable(Type.Integer({ ...Time, description: "Where the next page begins" })),
})
export type UnassignedPage = Static<typeof UnassignedPage>
