import { Type, type Static } from "@sinclair/typebox"
import { Count, Eui, Id, List, Nullable, OptionalOrNull, Time } from "./common.ts"

export const NewMote = Type.Object(
    { patient: OptionalOrNull(Type.Integer({ ...Id, description: "Who wears it; nobody where it is left out" })) },
    { additionalProperties: false },
)

const mote = {
    kid: Eui,
    patient: Nullable(Type.Integer({ ...Id, description: "Who wears it; null: nobody" })),
    wornSince: Nullable(Time),
    registeredAt: Time,
    revokedAt: Nullable(Time),
}

/** Who wears it now. */
export const WornMote = Type.Object(mote)
export type WornMote = Static<typeof WornMote>

export const MoteWithSecret = Type.Object({
    ...mote,
    secret: Type.String({ pattern: "^[0-9a-f]{64}$", description: "Shown in this answer and never again" }),
})

export const Mote = Type.Object({
    ...mote,
    newestAt: Nullable(Time),
    stored: Count,
    missing: Count,
    gaps: List(Type.Object({ boot: Count, salt: Type.String(), from: Count, to: Count })),
    summarized: Type.Number({ description: "Readings that arrived as part of a summary" }),
    lost: Type.Number({ description: "Readings that the mote dropped" }),
    problems: Type.Object({ count: Count, newest: Nullable(Type.String()) }),
    battery: Nullable(Type.Number({ description: "Percent" })),
    unassigned: Type.Object(
        { count: Count, newest: Nullable(Time) },
        { description: "Readings that are nobody's, and when the newest was measured" },
    ),
    routers: List(Type.String({ description: "The user of a router that was given its keys" })),
})
export type Mote = Static<typeof Mote>
