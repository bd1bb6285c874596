import { Type, type Static } from "@sinclair/typebox"
import { id, share, strict } from "./values.ts"

const capture = Type.Optional(
    Type.Number({
        ...{ exclusiveMinimum: 0, maximum: 100 },
        description: "a frame stronger than another by so many dB survives it; none does without",
    }),
)

const disk = {
    range: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100_000 })),
    interference: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100_000 })),
    tx: Type.Optional(share),
    rx: Type.Optional(share),
    capture,
}

export const MediumSchema = Type.Union(
    [
        Type.Object({ kind: Type.Literal("disk"), ...disk }, strict),
        Type.Object({ kind: Type.Literal("constant-loss"), ...disk }, strict),
        Type.Object(
            {
                kind: Type.Literal("shadowing"),
                exponent: Type.Optional(Type.Number({ minimum: 1, maximum: 10 })),
                deviation: Type.Optional(Type.Number({ minimum: 0, maximum: 30 })),
                power: Type.Optional(Type.Number({ minimum: -50, maximum: 30 })),
                capture,
            },
            strict,
        ),
        Type.Object(
            {
                kind: Type.Literal("graph"),
                links: Type.Array(
                    Type.Object(
                        {
                            from: id,
                            to: id,
                            ratio: Type.Optional(share),
                            both: Type.Optional(Type.Boolean()),
                        },
                        strict,
                    ),
                    { maxItems: 10_000 },
                ),
            },
            strict,
        ),
    ],
    { description: "how radio waves carry" },
)

export type MediumChoice = Static<typeof MediumSchema>
