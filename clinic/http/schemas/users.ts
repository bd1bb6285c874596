import { Type, type Static } from "@sinclair/typebox"
import { Id, List, Nullable, Text } from "./common.ts"
import { Role } from "./session.ts"

export const NewUser = Type.Object(
    {
        user: Text(100),
        role: Role,
        password: Type.Optional(Type.String({ minLength: 12, maxLength: 200 })),
        patient: Type.Optional(Id),
        wards: Type.Optional(
            Type.Array(Text(50), {
                maxItems: 100,
                description:
                    "Of a router: it gets the keys of the motes there only; of a display: the one that it shows",
            }),
        ),
        prefetch: Type.Optional(
            Type.Boolean({
                description:
                    "Of a router: it gets the keys of all its motes at once, not only of those that have shown up at it",
            }),
        ),
    },
    { additionalProperties: false },
)
export const ByName = Type.Object({ user: Text(100) })

export const User = Type.Object({
    user: Type.String(),
    role: Role,
    patient: Nullable(Id),
    wards: Nullable(List(Type.String())),
    prefetch: Nullable(Type.Boolean()),
})
export const NewToken = Type.Object({ token: Type.String({ description: "Shown in this answer and never again" }) })
export type NewUser = Static<typeof NewUser>
export type User = Static<typeof User>
