import {
    browserSupportsWebAuthn,
    startAuthentication,
    startRegistration,
    WebAuthnError,
    type PublicKeyCredentialCreationOptionsJSON,
    type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser"
import {
    addPasskey,
    askForPasskey,
    askForNewPasskey,
    me,
    passkeySignIn,
    type OwnPasskey,
    type PasskeyAnswer,
    type Session,
    type SignInWays,
} from "./api.ts"
import { t } from "./texts/language.ts"

/** Why passkeys cannot be used on this page; empty where they can. */
export function passkeyObstacle({ passkeys }: Pick<SignInWays, "passkeys">): string {
    if (passkeys === null) return t.passkeys.noName
    if (passkeys !== location.origin) return t.passkeys.elsewhere(passkeys)
    return browserSupportsWebAuthn() ? "" : t.passkeys.unsupported
}

/** The browser asks for a passkey of this clinic, and its user for a finger or a PIN. */
export async function passkeyAnswer(): Promise<PasskeyAnswer> {
    const optionsJSON = (await askForPasskey()) as PublicKeyCredentialRequestOptionsJSON
    return (await asked(() => startAuthentication({ optionsJSON }))) as PasskeyAnswer
}

export async function signInWithPasskey(): Promise<Session> {
    await passkeySignIn(await passkeyAnswer())
    return await me()
}

export async function makePasskey(name: string, password: string | undefined): Promise<OwnPasskey> {
    const optionsJSON = (await askForNewPasskey(password)) as PublicKeyCredentialCreationOptionsJSON
    return await addPasskey(name, await asked(() => startRegistration({ optionsJSON })))
}

/** What browsers say of passkeys is in their own language, and for programmers. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
    try {
        return await work()
    } catch (error) {
        const isKnown = error instanceof WebAuthnError && error.code === "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED"
        throw new Error(isKnown ? t.passkeys.there : t.passkeys.stopped, { cause: error })
    }
}
