import * as client from "openid-client"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { ProblemError } from "../errors.ts"
import { boundedFetch, Unreachable } from "./bounded-fetch.ts"
import { claimNames, type ClaimRules, type Claims } from "./claims.ts"

/** A provider of OpenID Connect, as the administrator names it. */
export interface OpenIdOptions {
    /** `https://…`, exactly as in the provider's discovery document. */
    issuer: string
    clientId: string
    /** Without it, the clinic is a public client: PKCE alone shows that the code is its own. */
    clientSecret?: string
    /** PEM of the authority of the provider's certificate, beside the usual ones. */
    ca?: string
    /** What people call it. */
    name: string
    /** With `openid` in it. */
    scope: string
    rules: ClaimRules
}

/** What has to come back as it was, or is needed then. */
export interface Begun {
    state: string
    nonce: string
    verifier: string
}

const timeoutS = 10
/** Of the clocks of clinic and provider. */
const toleranceS = 30
/** A provider that changes its endpoints is asked again after this; its keys are looked up when an unknown one comes. */
const metadataMs = 3_600_000
/** Strangers who begin sign-ins make nobody ask a provider that is down more often than this. */
const retryMs = 5_000
/** Codes that are being redeemed. */
const maxAtOnce = 16

/** Authorization code flow (OpenID Connect Core 1.0 §3.1) with PKCE (RFC 7636), state, nonce and `iss` (RFC 9207). */
export class Provider {
    readonly options: OpenIdOptions
    private readonly clock: Clock
    private readonly log: Log
    private readonly fetch: client.CustomFetch
    private known: { at: number; configuration: Promise<client.Configuration> } | undefined
    private atWork = 0

    constructor(options: OpenIdOptions, { clock, log }: { clock: Clock; log: Log }) {
        this.options = options
        this.clock = clock
        this.log = log
        this.fetch = boundedFetch(options.ca)
    }

    /** Where to send the browser, and what to keep for when it is back. @throws ProblemError */
    async begin(redirectUri: string): Promise<{ url: string; begun: Begun }> {
        const { scope, rules } = this.options
        const configuration = await this.configuration()
        const verifier = client.randomPKCECodeVerifier()
        const begun = { state: client.randomState(), nonce: client.randomNonce(), verifier }
        const url = client.buildAuthorizationUrl(configuration, {
            ...{ redirect_uri: redirectUri, scope, state: begun.state, nonce: begun.nonce },
            code_challenge: await client.calculatePKCECodeChallenge(verifier),
            code_challenge_method: "S256",
            ...(rules.trustedAcr.length > 0 && { acr_values: rules.trustedAcr.join(" ") }),
        })
        return { url: url.href, begun }
    }

    /**
     * Who has signed in, by verified claims.
     * @param address the redirect URI, with the query that the browser came back with
     * @throws ProblemError
     */
    async finish(address: URL, { state, nonce, verifier }: Begun): Promise<{ subject: string; claims: Claims }> {
        if (this.atWork >= maxAtOnce) throw new ProblemError("too-often")
        this.atWork++
        try {
            const configuration = await this.configuration()
            const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier }
            const tokens = await client.authorizationCodeGrant(configuration, address, {
                ...checks,
                idTokenExpected: true,
            })
            const signed = tokens.claims()!
            return { subject: signed.sub, claims: await this.withUserInfo(configuration, tokens.access_token, signed) }
        } catch (error) {
            throw this.problemOf(error as Error)
        } finally {
            this.atWork--
        }
    }

    /** Where one signs out at the provider (RP-Initiated Logout 1.0 §2). @throws ProblemError where it has no such place */
    async signOutUrl(afterwards: string): Promise<string> {
        const configuration = await this.configuration()
        if (configuration.serverMetadata().end_session_endpoint === undefined)
            throw new ProblemError("openid-no-sign-out")
        return client.buildEndSessionUrl(configuration, { post_logout_redirect_uri: afterwards }).href
    }

    /** Asks the provider for its metadata. @throws Error that says what is wrong */
    async discover(): Promise<client.Configuration> {
        const { issuer, clientId, clientSecret } = this.options
        const authentication = clientSecret === undefined ? client.None() : secretAuthentication(clientSecret)
        const metadata = { [client.clockTolerance]: toleranceS }
        const configuration = await client
            .discovery(new URL(issuer), clientId, metadata, authentication, {
                ...{ timeout: timeoutS, execute: [client.enableNonRepudiationChecks] },
                [client.customFetch]: this.fetch,
            })
            .catch((error: unknown) => {
                throw new Error(reasonOf(error), { cause: error })
            })
        const found = configuration.serverMetadata()
        // The library compares issuers after normalisation; the claim `iss` is compared as it is.
        if (found.issuer !== issuer) throw new Error(`its issuer is ${found.issuer}`)
        for (const need of ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const)
            if (found[need] === undefined) throw new Error(`it has no ${need}`)
        if (new URL(found.authorization_endpoint!).protocol !== "https:")
            throw new Error("its authorization_endpoint is not https")
        return configuration
    }

    private async configuration(): Promise<client.Configuration> {
        const now = elapsedMs(this.clock)
        if (!this.known || now - this.known.at > metadataMs) {
            const known = { at: now, configuration: this.discover() }
            this.known = known
            known.configuration.catch((error: Error) => {
                this.log.warn({ reason: error.message }, "the sign-in provider does not answer as it should")
                known.at = elapsedMs(this.clock) + retryMs - metadataMs
            })
        }
        try {
            return await this.known.configuration
        } catch {
            throw new ProblemError("openid-down")
        }
    }

    /** What the ID token leaves out of what is asked for. What it says itself is signed, and counts. */
    private async withUserInfo(
        configuration: client.Configuration,
        accessToken: string,
        signed: client.IDToken,
    ): Promise<Claims> {
        const isMissing = claimNames(this.options.rules).some(claim => signed[claim] === undefined)
        if (!isMissing || configuration.serverMetadata().userinfo_endpoint === undefined) return signed
        const { amr: _amr, acr: _acr, ...more } = await client.fetchUserInfo(configuration, accessToken, signed.sub)
        return { ...more, ...signed }
    }

    private problemOf(error: Error): ProblemError {
        if (error instanceof ProblemError) return error
        if (error instanceof client.AuthorizationResponseError) {
            this.log.info({ error: printable(error.error) }, "the sign-in provider has let somebody not in")
            return new ProblemError("openid-refused")
        }
        const isDown = causes(error).some(each => each instanceof Unreachable)
        this.log.warn({ reason: reasonOf(error) }, "a sign-in with the provider failed")
        return new ProblemError(isDown ? "openid-down" : "openid-invalid")
    }
}

/** In the way that the provider takes; `client_secret_basic` is the default (Discovery 1.0 §3). */
function secretAuthentication(secret: string): client.ClientAuth {
    const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)]
    return (server, ...rest) => {
        const { token_endpoint_auth_methods_supported: methods = ["client_secret_basic"] } = server
        return (methods.includes("client_secret_basic") ? basic : post)(server, ...rest)
    }
}

/** The library's own words hide what happened. None of them quotes a token. */
function reasonOf(error: unknown): string {
    const all = causes(error).map(each => (each as Error).message)
    return [...new Set(all)].join(": ").slice(0, 300)
}

function causes(error: unknown): unknown[] {
    const all: unknown[] = []
    for (let each = error; each instanceof Error && all.length < 10; each = each.cause) all.push(each)
    return all
}

/** It comes from the address bar. */
function printable(text: string): string {
    return text.replace(/[^\w-]/g, "?").slice(0, 50)
}
