import { Type, type Static } from "@sinclair/typebox"
import { doubles } from "../../people/doubles.ts"
import { vitalNames, type VitalName } from "../../../wire/tables/quantities.ts"
import { Count, Id, IdText, List, Nullable, OneOf, OptionalOrNull, Text } from "./common.ts"

const BirthDate = Type.String({ format: "date" })
const Gender = OneOf(["male", "female", "other", "unknown"])

export const PatientBody = Type.Object(
    {
        given: Text(100),
        family: Text(100),
        birthDate: OptionalOrNull(BirthDate),
        gender: OptionalOrNull(Gender),
        identifier: OptionalOrNull(Text(100)),
        bed: OptionalOrNull(Text(20)),
        ward: OptionalOrNull(Text(50)),
        confirmed: Type.Optional(
            Type.Array(OneOf(doubles), { description: "Problems that were asked about and are none" }),
        ),
    },
    { additionalProperties: false },
)

export const Patient = Type.Object({
    id: Id,
    active: Type.Boolean({ description: "False once discharged" }),
    given: Type.String(),
    family: Type.String(),
    birthDate: Nullable(BirthDate),
    gender: Nullable(Gender),
    identifier: Nullable(Type.String({ description: "The hospital's own number" })),
    bed: Nullable(Type.String()),
    ward: Nullable(Type.String({ description: "Routers may be limited to wards" })),
})

export const HistoryQuery = Type.Object(
    {
        from: Type.String({ ...IdText, description: "Unix ms" }),
        before: Type.String({ ...IdText, description: "Unix ms" }),
        step: Type.String({ pattern: "^[1-9][0-9]{0,4}$", description: "Seconds a point" }),
    },
    { additionalProperties: false },
)

const HistoryPoint = Type.Object({
    time: Type.Integer({ description: "Start of the step, unix ms" }),
    count: Count,
    mean: Nullable(Type.Number({ description: "Null, as the others, where nothing could be measured" })),
    min: Nullable(Type.Number()),
    max: Nullable(Type.Number()),
    quality: Nullable(Type.Number({ minimum: 0, maximum: 1, description: "Mean signal quality" })),
})
export type HistoryPoint = Static<typeof HistoryPoint>

/** By vital sign; steps without a reading are left out. */
export type History = Record<VitalName, readonly HistoryPoint[]>
export const History = Type.Unsafe<History>(Type.Record(OneOf(vitalNames), List(HistoryPoint)))
export type Patient = Static<typeof Patient>
export type PatientBody = Static<typeof PatientBody>
