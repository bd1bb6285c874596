import type { TLSSocket } from "node:tls"
import cookie from "@fastify/cookie"
import type { AuthenticationResponseJSON } from "@simplewebauthn/server"
import type { FastifyRequest } from "fastify"
import { isFromOtherSite } from "../../host/other-sites.ts"
import type { Clinic } from "../clinic.ts"
import type { User } from "../people/accounts.ts"
import { kindOf, may, permissionsOf, type Action } from "../people/permissions.ts"
import type { LoginLimits } from "../../host/login-limits.ts"
import type { PublicAddress } from "./proxies.ts"
import type { Connections } from "./connections.ts"
import { ProblemError } from "../errors.ts"
import { NoContent } from "./schemas/common.ts"
import type { PasskeyAnswers } from "./passkey-answers.ts"
import { Login } from "./schemas/passkeys.ts"
import { Session } from "./schemas/session.ts"
import type { SignInRecord } from "./sign-in-record.ts"
import { cookieFor, keepSession } from "./session-cookie.ts"
import type { App } from "./typed-app.ts"

declare module "fastify" {
    interface FastifyContextConfig {
        /** What one has to be allowed to do to use the route. A route that does not say is closed to everyone. */
        access?: "public" | Action
        /** Its answers are streams that end when somebody hangs up. */
        isStream?: boolean
    }
    interface FastifyRequest {
        /** Who asks; set on every route that is not public. */
        user: User | null
        /** The name of the cookie with the session. */
        sessionCookie: string
    }
}

const tags = ["session"]

/** Checks every request before its body is read; logs in and out. */
export async function authenticate(
    app: App,
    o: {
        clinic: Clinic
        connections: Connections
        loginLimits: LoginLimits
        address?: PublicAddress | undefined
        timeZone: string
        answers: PasskeyAnswers
        record: SignInRecord
        /** Routers need a certificate that the clinic's TLS server has verified, beside their token. */
        mustRoutersShowCertificate: boolean
        /** The only account that signs in with a password, an administrator's; without it, all do. */
        passwordsOnlyFor?: string | undefined
    },
): Promise<void> {
    const { clinic, connections } = o
    const origin = o.address?.origin
    const kept = cookieFor(o.address?.path ?? "", "session")
    const shown = async (user: User, session: string | undefined): Promise<Session> => {
        const { name, role, patient, wards = null } = user
        const ward = (kindOf(role).wards === "one" && wards !== "all" && wards?.[0]) || null
        const endsInMs = session === undefined ? null : await clinic.accounts.sessions.leftMs(session)
        const secondFactor = (await clinic.secondFactors.accounts()).has(user.id)
        const permissions = permissionsOf(user)
        const way = user.way ?? null
        const hasPassword = await clinic.accounts.hasPassword(user.id)
        const passkeyFactor = (await clinic.accounts.byId(user.id))?.passkey_factor === 1
        return {
            ...{
                user: name,
                role,
                patient,
                ward,
                wards: shownWards(wards),
                permissions,
                endsInMs,
                way,
                timeZone: o.timeZone,
            },
            ...{ hasPassword, passkeyFactor, secondFactor },
        }
    }
    await app.register(cookie)
    app.decorateRequest("user", null)
    app.decorateRequest("sessionCookie", kept.name)

    app.addHook("onRequest", async request => {
        const { access } = request.routeOptions.config
        if (access === "public") return
        // A cookie comes along whoever made the browser ask; a token does not.
        if (request.headers.authorization === undefined && !["GET", "HEAD"].includes(request.method))
            refuseOtherOrigins(request, origin)
        request.user = (await userOf(request, clinic)) ?? null
        if (!request.user) throw new ProblemError("not-logged-in")
        connections.know(request.raw.socket, request.user.id)
        if (request.is404) return
        if (!access || !may(request.user, access)) throw new ProblemError("forbidden")
        const { authorized = false } = request.raw.socket as TLSSocket
        if (access === "deliver" && o.mustRoutersShowCertificate && !authorized)
            throw new ProblemError("no-certificate")
    })

    app.post(
        "/api/login",
        {
            schema: {
                tags,
                summary: "Start a session, kept in a cookie",
                security: [],
                body: Login,
                response: { 200: Session },
            },
            config: { access: "public" },
        },
        async (request, reply) => {
            refuseOtherOrigins(request, origin)
            const { user, password, code, passkey } = request.body
            const agent = request.headers["user-agent"]
            const { passwordsOnlyFor } = o
            const check = async () => {
                const response = passkey as AuthenticationResponseJSON | undefined
                const passkeyOf = response && (await o.answers.accountOf(request, reply, response))
                return await clinic.accounts.login(user, password, { code, passkeyOf, agent, passwordsOnlyFor })
            }
            const login = await o.record.of(request, { way: "password", name: user }, () =>
                o.loginLimits.guard(user, request.ip, check),
            )
            if (!login) throw new ProblemError(passwordsOnlyFor === undefined ? "bad-credentials" : "passwords-off")
            keepSession(reply, kept, login.user, login.session)
            return await shown(login.user, login.session)
        },
    )

    app.get(
        "/api/me",
        {
            schema: { tags, summary: "Who one is, and what one may do", response: { 200: Session } },
            config: { access: "use-session", audit: "none" },
        },
        async (request, reply) => {
            const user = userFrom(request)
            const session = sessionOf(request)
            // A browser forgets any cookie in the end, unless it is told again.
            if (session !== undefined && !kindOf(user.role).sessionEnds) keepSession(reply, kept, user, session)
            return await shown(user, session)
        },
    )

    app.post(
        "/api/logout",
        {
            schema: { tags, summary: "End the session", response: { 204: NoContent } },
            config: { access: "use-session", audit: "none" },
        },
        async (request, reply) => {
            const session = request.cookies[kept.name]
            if (session !== undefined) await clinic.accounts.sessions.logout(session)
            return reply.clearCookie(kept.name, kept.options).code(204).send(null)
        },
    )
}

export function shownWards(wards: "all" | readonly string[] | null): "all" | string[] | null {
    return typeof wards === "string" || wards === null ? wards : [...wards]
}

/** Who asks, on a route that is not public. */
export function userFrom(request: FastifyRequest): User {
    if (!request.user) throw new ProblemError("not-logged-in")
    return request.user
}

/** A token in the header, or else a session in the cookie. The credentials may have ended since the last look. */
export async function userOf(request: FastifyRequest, clinic: Clinic): Promise<User | undefined> {
    const { authorization } = request.headers
    if (authorization !== undefined) {
        const [, token] = /^Bearer +([\w\-.~+/]{1,200}=*)$/i.exec(authorization) ?? []
        return token === undefined ? undefined : await clinic.accounts.byToken(token)
    }
    const session = sessionOf(request)
    return session === undefined ? undefined : await clinic.accounts.bySession(session)
}

/** The session in the cookie, where that is what counts. */
export function sessionOf({ headers, cookies, sessionCookie }: FastifyRequest): string | undefined {
    const session = cookies[sessionCookie]
    return headers.authorization === undefined && session !== undefined && session.length <= 200 ? session : undefined
}

/**
 * Another site's page may not use the user's session. Browsers always say where an unsafe request comes from. `origin` is where
 * they see this service, where that is configured.
 */
export function refuseOtherOrigins(request: FastifyRequest, origin: string | undefined): void {
    const { method, headers, host } = request
    const hosts = [host, ...(origin === undefined ? [] : [new URL(origin).host])]
    if (hosts.every(host => isFromOtherSite(method, { ...headers, host }, "https")))
        throw new ProblemError("other-site")
}
