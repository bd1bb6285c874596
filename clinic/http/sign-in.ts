import type { AuthenticationResponseJSON } from "@simplewebauthn/server"
import { Type } from "@sinclair/typebox"
import type { FastifyReply, FastifyRequest } from "fastify"
import type { ProblemCode } from "../../wire/tables/problems.ts"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import type { LoginLimits } from "../../host/login-limits.ts"
import { hasTwoFactors } from "../sign-in/claims.ts"
import type { OpenIdOptions, Provider } from "../sign-in/provider.ts"
import { sealedMs } from "../sign-in/sealed.ts"
import type { StoredAccount } from "../store/accounts.ts"
import { refuseOtherOrigins } from "./auth.ts"
import type { PublicAddress } from "./proxies.ts"
import type { PasskeyAnswers } from "./passkey-answers.ts"
import { NoContent } from "./schemas/common.ts"
import { FactorProof } from "./schemas/passkeys.ts"
import { SignInWays } from "./schemas/session.ts"
import type { SignInRecord } from "./sign-in-record.ts"
import { cookieFor, keepSession } from "./session-cookie.ts"
import type { App } from "./typed-app.ts"

const tags = ["session"]
const config = { access: "public" } as const
const Begun = Type.Object({ state: Type.String(), nonce: Type.String(), verifier: Type.String() })
const NeedsCode = Type.Object({ account: Type.Integer() })

/** How people sign in beside the passwords of the clinic. */
export interface SignInSettings {
    openid?: OpenIdOptions
    /** The only account that signs in with a password, an administrator's; without it, all do. */
    passwordsOnlyFor?: string
}

/** Where the provider sends browsers, behind the address of the clinic. */
export const callbackPath = "/openid/callback"

interface SignInParts {
    clinic: Clinic
    limits: LoginLimits
    provider: Provider | undefined
    /** Where browsers see the clinic, without a slash at the end. */
    base: () => string
    passwordsOnlyFor: string | undefined
    answers: PasskeyAnswers
    record: SignInRecord
    address: PublicAddress | undefined
}

/** Sign-in by OpenID Connect: the browser goes to the provider and comes back. There is no address to go on to but our own page. */
export function signInRoutes(app: App, o: SignInParts): void {
    const { clinic, limits, provider } = o
    const prefix = o.address?.path ?? ""
    const session = cookieFor(prefix, "session")
    // It comes along when the provider's page sends the browser here.
    const begunCookie = cookieFor(prefix, "sign-in", "lax")
    const codeCookie = cookieFor(prefix, "sign-in-code")
    const maxAge = sealedMs / 1000

    const home = (reply: FastifyReply, hash = "") => reply.redirect(`${prefix}/${hash}`, 303)
    /** What went wrong shows on the page, which has words for the code. */
    const refuse = (reply: FastifyReply, error: unknown) => {
        if (!(error instanceof ProblemError)) throw error
        const { code, parameter } = error.problem
        const named = parameter === undefined ? "" : `,${encodeURIComponent(parameter)}`
        return home(reply, `#problem=${code satisfies ProblemCode}${named}`)
    }
    const begin = async (request: FastifyRequest, account: StoredAccount) =>
        await clinic.accounts.begin(account, { agent: request.headers["user-agent"], way: "openid" })

    app.get(
        "/api/sign-in",
        {
            schema: { tags, summary: "How one can sign in here", security: [], response: { 200: SignInWays } },
            config,
        },
        async () => ({
            passwords: o.passwordsOnlyFor === undefined ? ("everybody" as const) : ("emergency" as const),
            passkeys: o.answers.origin,
            openid: provider ? { name: provider.options.name } : null,
        }),
    )
    if (!provider) return
    const redirectUri = () => o.base() + callbackPath

    app.get("/openid/start", { config }, async (_request, reply) => {
        try {
            const { url, begun } = await provider.begin(redirectUri())
            reply.setCookie(begunCookie.name, clinic.sealed.seal("begun", begun), { ...begunCookie.options, maxAge })
            return await reply.redirect(url, 303)
        } catch (error) {
            return await refuse(reply, error)
        }
    })

    app.get(callbackPath, { config }, async (request, reply) => {
        const kept = request.cookies[begunCookie.name]
        reply.clearCookie(begunCookie.name, begunCookie.options)
        try {
            const begun = clinic.sealed.open("begun", Begun, kept)
            if (!begun) throw new ProblemError("sign-in-over")
            const [, query = ""] = request.url.split(/\?(.*)/s)
            const known = await o.record.of(request, { way: "openid" }, async () => {
                const { subject, claims } = await provider.finish(new URL(`${redirectUri()}?${query}`), begun)
                const { issuer, rules } = provider.options
                const account = await clinic.identities.accountOf({ issuer, subject, claims }, rules)
                if (!hasTwoFactors(claims, rules) && (await clinic.secondFactors.needed(account.id))) {
                    const sealed = clinic.sealed.seal("code", { account: account.id })
                    reply.setCookie(codeCookie.name, sealed, { ...codeCookie.options, maxAge })
                    throw new ProblemError("needs-code")
                }
                return await begin(request, account)
            })
            keepSession(reply, session, known.user, known.session)
            return await home(reply)
        } catch (error) {
            if (error instanceof ProblemError && error.problem.code === "needs-code") return await home(reply, "#code")
            return await refuse(reply, error)
        }
    })

    app.post(
        "/api/sign-in/code",
        {
            schema: {
                tags,
                summary: "The second factor of who comes from the sign-in provider; starts a session, kept in a cookie",
                security: [],
                body: FactorProof,
                response: { 204: NoContent },
            },
            config,
        },
        async (request, reply) => {
            refuseOtherOrigins(request, o.address?.origin)
            const pending = clinic.sealed.open("code", NeedsCode, request.cookies[codeCookie.name])
            const account = pending && (await clinic.accounts.byId(pending.account))
            if (account?.is_active !== 1) throw new ProblemError("sign-in-over")
            const { code, passkey } = request.body
            const check = async () => {
                const response = passkey as AuthenticationResponseJSON | undefined
                const passkeyOf = response && (await o.answers.accountOf(request, reply, response))
                return (await clinic.secondFactors.passes(account.id, { code, passkeyOf })) || undefined
            }
            const begun = await o.record.of(request, { way: "openid", name: account.name }, async () => {
                if (!(await limits.guard(account.name, request.ip, check))) throw new ProblemError("bad-code")
                return await begin(request, account)
            })
            keepSession(reply, session, begun.user, begun.session)
            return reply.clearCookie(codeCookie.name, codeCookie.options).code(204).send(null)
        },
    )

    app.get("/openid/sign-out", { config }, async (_request, reply) => {
        try {
            return await reply.redirect(await provider.signOutUrl(`${o.base()}/`), 303)
        } catch (error) {
            return await refuse(reply, error)
        }
    })
}
