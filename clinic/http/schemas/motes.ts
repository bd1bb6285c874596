import { Type, type Static } from "@sinclair/typebox"
import { Count, Eui, Id, List, Nullable, Time } from "./common.ts"

export const NewMote = Type.Object({ patient: Id }, { additionalProperties: false })

const mote = { kid: Eui, patient: Id, registeredAt: Time, revokedAt: Nullable(Time) }

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
    routers: List(Type.String({ description: "The user of a router that was given its keys" })),
})
export type Mote = Static<typeof Mote>
