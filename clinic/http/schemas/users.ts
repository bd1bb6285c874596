import { Type, type Static } from "@sinclair/typebox"
import { actions } from "../../people/permissions.ts"
import { signInWays } from "../../people/sign-in-ways.ts"
import { Id, IdText, List, Nullable, OneOf, Text, Time } from "./common.ts"
import { Code, Role, Wards } from "./session.ts"

const Password = Type.String({ minLength: 12, maxLength: 200 })

const WardList = Type.Array(Text(50), { maxItems: 100 })
const NewWards = Type.Union([Type.Literal("all"), WardList], {
    description:
        "Whose patients a doctor, a nurse or another system sees: all or these; of a display the one that it shows; of a router: it gets the keys of the motes there only",
})

/** New wards of an account. */
export const WardsBody = Type.Object({ wards: NewWards }, { additionalProperties: false })

export const NewUser = Type.Object(
    {
        user: Text(100),
        role: Role,
        password: Type.Optional(Password),
        patient: Type.Optional(Id),
        wards: Type.Optional(NewWards),
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
    wards: Nullable(Wards),
    prefetch: Nullable(Type.Boolean()),
    active: Type.Boolean({ description: "False: kept, and nobody comes in with it" }),
})
export type NewUser = Static<typeof NewUser>
export type User = Static<typeof User>
export const ByToken = Type.Object({ user: Text(100), id: IdText })
export const BySession = Type.Object({ id: IdText })

export const Active = Type.Object({ active: Type.Boolean() }, { additionalProperties: false })

const Actions = List(OneOf(actions))
const shownOnce = Type.String({ description: "Shown in this answer and never again" })

/** May be left out: without a name, without an end, with all rights of the user. */
export const TokenBody = Nullable(
    Type.Object(
        {
            name: Type.Optional(Text(100)),
            days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
            actions: Type.Optional(Type.Array(OneOf(actions), { minItems: 1, maxItems: actions.length })),
            wards: Type.Optional(
                Type.Array(Text(50), { minItems: 1, maxItems: 100, description: "None but these of its user's" }),
            ),
        },
        { additionalProperties: false },
    ),
)
export const NewToken = Type.Object({ id: Id, token: shownOnce })
export const Token = Type.Object({
    id: Id,
    name: Type.String({ description: "Empty for one without a name" }),
    createdAt: Time,
    expiresAt: Nullable(Time),
    usedAt: Nullable(Time),
    actions: Nullable(Actions),
    wards: Nullable(List(Type.String())),
})
export type Token = Static<typeof Token>

export const SetupLink = Type.Object({
    token: shownOnce,
    expiresAt: Time,
    url: Type.Union([Type.String(), Type.Null()], {
        description: "The page's address with the token; null where no base URL says what that is",
    }),
})
export const Setup = Type.Object(
    { token: Type.String({ minLength: 1, maxLength: 200 }), password: Password },
    { additionalProperties: false },
)

export const SessionView = Type.Object({
    id: Id,
    agent: Type.String({ description: "What the browser says it is" }),
    way: OneOf(signInWays),
    createdAt: Time,
    usedAt: Time,
    isThis: Type.Boolean({ description: "The one that asks" }),
})
export type SessionView = Static<typeof SessionView>

const given = Type.String({ minLength: 1, maxLength: 200 })
export const PasswordChange = Type.Object({ password: given, newPassword: Password }, { additionalProperties: false })
/** Who has no password must have signed in within the last ten minutes. */
export const PasswordOnly = Type.Object({ password: Type.Optional(given) }, { additionalProperties: false })
export const CodeOnly = Type.Object({ code: Code }, { additionalProperties: false })
export const NewSecondFactor = Type.Object({
    secret: Type.String({ description: "Base32, for an authenticator" }),
    uri: Type.String({ description: "otpauth://, for a QR code" }),
})
export type NewSecondFactor = Static<typeof NewSecondFactor>
export const RecoveryCodes = Type.Object({ recoveryCodes: List(Type.String()) })
export type RecoveryCodes = Static<typeof RecoveryCodes>
