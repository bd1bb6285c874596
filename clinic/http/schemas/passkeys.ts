import { Type, type Static } from "@sinclair/typebox"
import { Id, List, Nullable, Text, Time } from "./common.ts"
import { Code } from "./session.ts"

/*
 * What browsers give of a passkey, as `PublicKeyCredential.toJSON` does (WebAuthn Level 3 §5.1). The challenges that they answer are
 * those of the specification, too, and are described there.
 */

const base64url = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: "^[\\w-]+$" })
/** Of a credential, 1023 bytes at most (§4). */
const credentialId = base64url(1364)
const common = {
    id: credentialId,
    rawId: credentialId,
    type: Type.Literal("public-key"),
    authenticatorAttachment: Type.Optional(Nullable(Type.String({ maxLength: 50 }))),
    clientExtensionResults: Type.Object({}, { maxProperties: 20 }),
}
const closed = { additionalProperties: false }

const PasskeyMade = Type.Object(
    {
        ...common,
        response: Type.Object(
            {
                clientDataJSON: base64url(8192),
                attestationObject: base64url(32_768),
                authenticatorData: Type.Optional(base64url(16_384)),
                transports: Type.Optional(Type.Array(Type.String({ maxLength: 50 }), { maxItems: 20 })),
                publicKey: Type.Optional(base64url(16_384)),
                publicKeyAlgorithm: Type.Optional(Type.Integer()),
            },
            closed,
        ),
    },
    closed,
)
export const PasskeyAnswer = Type.Object(
    {
        ...common,
        response: Type.Object(
            {
                clientDataJSON: base64url(8192),
                authenticatorData: base64url(16_384),
                signature: base64url(8192),
                userHandle: Type.Optional(Nullable(Type.String({ maxLength: 100, pattern: "^[\\w-]*$" }))),
            },
            closed,
        ),
    },
    closed,
)
export type PasskeyAnswer = Static<typeof PasskeyAnswer>

export const Login = Type.Object(
    {
        user: Type.String({ minLength: 1, maxLength: 100 }),
        password: Type.String({ minLength: 1, maxLength: 200 }),
        code: Type.Optional(Code),
        passkey: Type.Optional(PasskeyAnswer),
    },
    closed,
)
export const PasskeySignIn = Type.Object({ passkey: PasskeyAnswer }, closed)
/** A code, or a passkey. */
export const FactorProof = Type.Object(
    { code: Type.Optional(Code), passkey: Type.Optional(PasskeyAnswer) },
    { ...closed, minProperties: 1, maxProperties: 1 },
)
export const NewPasskey = Type.Object({ name: Text(100), passkey: PasskeyMade }, closed)
export const PasskeyName = Type.Object({ name: Text(100) }, closed)
export const PasskeyFactor = Type.Object(
    { on: Type.Boolean(), password: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) },
    closed,
)

export const Passkey = Type.Object({ id: Id, name: Type.String(), createdAt: Time, usedAt: Nullable(Time) })
export type Passkey = Static<typeof Passkey>
export const Passkeys = List(Passkey)

/** `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`. */
export const Challenge = Type.Object({ challenge: Type.String() }, { additionalProperties: true })
