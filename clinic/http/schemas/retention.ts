import { Type, type Static } from "@sinclair/typebox"
import { leastDays, mostDays } from "../../retention/periods.ts"
import { Count, Id, IdText, List, Nullable, Text, Time } from "./common.ts"

const Days = Nullable(Type.Integer({ minimum: leastDays, maximum: mostDays, description: "Days; null: for good" }))
const periods = { envelopes: Days, readings: Days, minutes: Days, hours: Days }
const strict = { additionalProperties: false }

export const RetentionBody = Type.Object(
    {
        ward: Nullable(Text(50)),
        ...periods,
        base: Type.Optional(Type.Integer({ minimum: 0, description: "The newest version that was seen" })),
    },
    strict,
)
/** The ward goes by the hospital's again. */
export const RetentionReset = Type.Object({ ward: Text(50) }, strict)

const Rule = Type.Object({
    ward: Nullable(Type.String({ description: "Null: the hospital" })),
    version: Count,
    periods: Nullable(Type.Object(periods)),
    author: Nullable(Type.String()),
    madeAt: Nullable(Time),
})

export const Retention = Type.Object({
    rules: List(Rule),
    at: Nullable(Type.Integer({ description: "Retention's own time, unix ms" })),
    finishedAt: Nullable(Type.Integer({ description: "The time of the last walk that came through, unix ms" })),
})
export type Retention = Static<typeof Retention>

export const Reason = Type.Object({ reason: Text(500) }, strict)

export const ByHold = Type.Object({ id: IdText, hold: IdText })

export const LegalHold = Type.Object({
    id: Id,
    patient: Id,
    reason: Type.String(),
    author: Type.String(),
    madeAt: Time,
    liftedAt: Nullable(Time),
    liftedBy: Nullable(Type.String()),
})
export type LegalHold = Static<typeof LegalHold>

export const Erasure = Type.Object({
    patient: Id,
    reason: Type.String(),
    askedBy: Type.String(),
    askedAt: Time,
    confirmedBy: Nullable(Type.String()),
    confirmedAt: Nullable(Time),
    finishedAt: Nullable(Time),
    readings: Count,
    envelopes: Count,
})
export type Erasure = Static<typeof Erasure>

/** Typed once more, so that nobody confirms another one. */
export const Confirmation = Type.Object({ patient: Id }, strict)

export const ErasedPatients = Type.Object({ patients: Type.Array(Id, { maxItems: 10_000 }) }, strict)

export const LeftQuery = Type.Object({ from: IdText, before: IdText }, strict)
/** Where there are only means, and of which step. */
export const Left = Type.Object({ stepMs: Id, from: Time, before: Time })
export type Left = Static<typeof Left>
