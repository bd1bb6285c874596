import { Type, type Static } from "@sinclair/typebox"
import { List, Nullable, Time } from "./common.ts"

export const Router = Type.Object({
    user: Type.String(),
    wards: Nullable(List(Type.String({ description: "It gets the keys of motes there only; null: of all wards" }))),
    prefetch: Type.Boolean(),
    heardAt: Nullable(Type.Integer({ description: "Within a minute, unix ms; null where it was never heard" })),
    silentMs: Nullable(
        Type.Number({ minimum: 0, description: "Since it was last heard, or since the clinic started" }),
    ),
    clockOffsetMs: Nullable(
        Type.Number({ description: "What is added to its times; null where it does not say its time" }),
    ),
    storeLostAt: Nullable(Time),
    motes: Type.Integer({ minimum: 0, description: "That it has had keys of" }),
})
export type Router = Static<typeof Router>
