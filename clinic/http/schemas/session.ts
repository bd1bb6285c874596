import { Type, type Static } from "@sinclair/typebox"
import { actions, roles } from "../../people/permissions.ts"
import { signInWays } from "../../people/sign-in-ways.ts"
import { Id, List, Nullable, OneOf } from "./common.ts"

export const Role = OneOf(roles)

/** Of an authenticator, or a recovery code. */
export const Code = Type.String({ minLength: 6, maxLength: 40 })

/** Which wards somebody sees: a choice of its own, or a list. */
export const Wards = Type.Union([Type.Literal("all"), List(Type.String())], {
    description: "The wards whose patients somebody sees; null for who is not limited by wards",
})

/** Who one is, and what one may do. */
export const Session = Type.Object({
    user: Type.String(),
    role: Role,
    patient: Nullable(Id),
    permissions: List(OneOf(actions)),
    ward: Nullable(Type.String({ description: "That a display shows" })),
    wards: Nullable(Wards),
    endsInMs: Nullable(Type.Integer({ minimum: 0, description: "When the session ends; null for one that does not" })),
    way: Nullable(OneOf(signInWays)),
    hasPassword: Type.Boolean(),
    passkeyFactor: Type.Boolean({ description: "A passkey, or a code, is asked for beside the password" }),
    secondFactor: Type.Boolean({ description: "A code is asked for at the login" }),
    timeZone: Type.String({ description: "Of the ward (IANA)" }),
})
export type Session = Static<typeof Session>

/** What the page needs to know before anybody is signed in. */
export const SignInWays = Type.Object({
    passwords: OneOf(["everybody", "emergency"]),
    passkeys: Nullable(Type.String({ description: "The origin where passkeys work; null where they cannot" })),
    openid: Nullable(Type.Object({ name: Type.String({ description: "What people call the provider" }) })),
})
export type SignInWays = Static<typeof SignInWays>
