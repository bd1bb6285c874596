import { isIP } from "node:net"
import {
    generateAuthenticationOptions,
    generateRegistrationOptions,
    verifyAuthenticationResponse,
    verifyRegistrationResponse,
    type AuthenticationResponseJSON,
    type PublicKeyCredentialCreationOptionsJSON,
    type PublicKeyCredentialRequestOptionsJSON,
    type RegistrationResponseJSON,
} from "@simplewebauthn/server"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { ProblemError } from "../errors.ts"
import type { StoredPasskey } from "../store/passkeys.ts"
import type { Store } from "../store/store.ts"
import { sealedMs } from "./sealed.ts"

const maxPasskeys = 20
const handleBytes = 32
const timeoutMs = 5 * 60_000

/** Where passkeys are good: browsers tie them to a host name (WebAuthn Level 3 §4, RP ID). */
export interface RelyingParty {
    origin: string
    id: string
}

/** Undefined where the clinic is reached by an address of the network: that is no RP ID. */
export function relyingParty(base: string): RelyingParty | undefined {
    const { origin, hostname } = new URL(base)
    return isIP(hostname.replace(/^\[|\]$/g, "")) ? undefined : { origin, id: hostname }
}

/** Passkeys of people: discoverable, with user verification, so that one is as good as a password and a second factor together. */
export class Passkeys {
    private readonly o: { store: Store; clock: Clock; random: (bytes: number) => Uint8Array; log: Log }
    /** Challenges that were answered rightly, by when: each is good once. */
    private readonly used = new Map<string, number>()

    constructor(o: { store: Store; clock: Clock; random: (bytes: number) => Uint8Array; log: Log }) {
        this.o = o
    }

    async of(account: number): Promise<StoredPasskey[]> {
        return await this.o.store.passkey.of(account)
    }

    /** False where the account has no such one. */
    async rename(account: number, id: number, name: string): Promise<boolean> {
        return await this.o.store.passkey.rename(account, id, name)
    }

    /** False where the account has no such one. */
    async remove(account: number, id: number): Promise<boolean> {
        return await this.o.store.passkey.remove(account, id)
    }

    /** What a browser needs to make one. Throws ProblemError where there are too many. */
    async beginRegistration(
        account: { id: number; name: string },
        { id: rpID }: RelyingParty,
    ): Promise<PublicKeyCredentialCreationOptionsJSON> {
        const known = await this.of(account.id)
        if (known.length >= maxPasskeys) throw new ProblemError("too-many-passkeys", { max: maxPasskeys })
        return await generateRegistrationOptions({
            ...{ rpName: "VitalMote", rpID, userName: account.name, userDisplayName: account.name },
            // It says nothing about the account. An authenticator keeps several beside each other, each under its own.
            userID: new Uint8Array(this.o.random(handleBytes)),
            timeout: timeoutMs,
            attestationType: "none",
            excludeCredentials: known.map(each => ({
                id: each.credential,
                transports: JSON.parse(each.transports) as string[],
            })),
            authenticatorSelection: { residentKey: "required", userVerification: "required" },
        })
    }

    /** Throws ProblemError for what does not answer the challenge. */
    async register(
        account: number,
        response: RegistrationResponseJSON,
        o: { name: string; challenge: string; party: RelyingParty },
    ): Promise<number> {
        const { name, challenge, party } = o
        const verified = await verifyRegistrationResponse({
            ...{ response, expectedChallenge: challenge, expectedOrigin: party.origin, expectedRPID: party.id },
            requireUserVerification: true,
        }).catch((error: Error) => this.refused(error))
        if (!verified?.verified || !this.take(challenge)) throw new ProblemError("bad-passkey")
        const { credential } = verified.registrationInfo
        return await this.o.store.transaction(async t => {
            // Whoever knows the name of somebody's credential does not get it under an account of their own.
            if (await t.passkey.byCredential(credential.id)) throw new ProblemError("bad-passkey")
            if ((await t.passkey.of(account)).length >= maxPasskeys)
                throw new ProblemError("too-many-passkeys", { max: maxPasskeys })
            return await t.passkey.add({
                ...{ account, name, credential: credential.id, publicKey: credential.publicKey },
                ...{ counter: credential.counter, transports: JSON.stringify(credential.transports ?? []) },
                createdAt: this.now(),
            })
        })
    }

    /** The same for everybody: it does not say who has passkeys. */
    async beginSignIn({ id: rpID }: RelyingParty): Promise<PublicKeyCredentialRequestOptionsJSON> {
        return await generateAuthenticationOptions({ rpID, timeout: timeoutMs, userVerification: "required" })
    }

    /** Whose passkey has answered the challenge; undefined for any other answer. */
    async verify(
        response: AuthenticationResponseJSON,
        { challenge, party }: { challenge: string; party: RelyingParty },
    ): Promise<number | undefined> {
        const known = await this.o.store.passkey.byCredential(response.id)
        if (!known) return undefined
        const { id, account, counter, credential, publicKey } = known
        const verified = await verifyAuthenticationResponse({
            ...{ response, expectedChallenge: challenge, expectedOrigin: party.origin, expectedRPID: party.id },
            requireUserVerification: true,
            credential: { id: credential, publicKey: new Uint8Array(publicKey), counter },
        }).catch((error: Error) => this.refused(error))
        if (!verified?.verified || !this.take(challenge)) return undefined
        const { newCounter } = verified.authenticationInfo
        const isNoted = await this.o.store.passkey.noteUse(id, {
            ...{ from: counter, counter: newCounter, usedAt: this.now() },
        })
        return isNoted ? account : undefined
    }

    private refused({ message }: Error): undefined {
        this.o.log.warn({ reason: message.slice(0, 200) }, "an answer of a passkey was refused")
        return undefined
    }

    /** False where it was answered before. */
    private take(challenge: string): boolean {
        const now = elapsedMs(this.o.clock)
        for (const [each, at] of this.used) {
            if (now - at < sealedMs) break
            this.used.delete(each)
        }
        if (this.used.has(challenge)) return false
        this.used.set(challenge, now)
        return true
    }

    private now(): number {
        return Math.trunc(this.o.clock.now())
    }
}
