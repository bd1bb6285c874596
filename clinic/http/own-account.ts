import type { FastifyRequest } from "fastify"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import type { LoginLimits } from "../../host/login-limits.ts"
import { sessionOf, userFrom } from "./auth.ts"
import type { PasskeyAnswers } from "./passkey-answers.ts"
import { passkeyRoutes } from "./passkeys.ts"
import type { PublicAddress } from "./proxies.ts"
import type { SignInRecord } from "./sign-in-record.ts"
import { List, NoContent } from "./schemas/common.ts"
import {
    BySession,
    CodeOnly,
    NewSecondFactor,
    PasswordChange,
    PasswordOnly,
    RecoveryCodes,
    SessionView,
    Setup,
} from "./schemas/users.ts"
import type { App } from "./typed-app.ts"

const tags = ["session"]
const config = { access: "use-session", audit: "none" } as const

/** What users do with their own accounts: password, sessions, second factor. */
export function ownAccountRoutes(
    app: App,
    o: {
        clinic: Clinic
        limits: LoginLimits
        answers: PasskeyAnswers
        record: SignInRecord
        address: PublicAddress | undefined
    },
): void {
    const { clinic, limits } = o
    const { accounts, secondFactors } = clinic

    /**
     * Who sits at a page that somebody left open does not know the password; where there is none, the sign-in has to be a new one.
     * Throws ProblemError.
     */
    const prove = async (request: FastifyRequest, password: string | undefined) => {
        const { id, name } = userFrom(request)
        if (password === undefined) {
            const session = sessionOf(request)
            if (await accounts.hasPassword(id)) throw new ProblemError("bad-credentials")
            if (session === undefined || !(await accounts.sessions.isFresh(session)))
                throw new ProblemError("sign-in-again")
            return
        }
        const check = async () => ((await accounts.knows(name, password)) ? true : undefined)
        if (!(await limits.guard(name, request.ip, check))) throw new ProblemError("bad-credentials")
    }

    passkeyRoutes(app, { ...o, prove })

    app.post(
        "/api/setup",
        {
            schema: {
                tags,
                summary: "Set a password with a setup link, which works once",
                security: [],
                body: Setup,
                response: { 204: NoContent },
            },
            config: { access: "public" },
        },
        async (request, reply) => {
            const { token, password } = request.body
            if (!(await accounts.useSetupLink(token, password))) throw new ProblemError("bad-link")
            return reply.code(204).send(null)
        },
    )

    app.put(
        "/api/me/password",
        {
            schema: {
                tags,
                summary: "Change one's own password; the other sessions end",
                body: PasswordChange,
                response: { 204: NoContent },
            },
            config,
        },
        async (request, reply) => {
            const { password, newPassword } = request.body
            await prove(request, password)
            await accounts.setPassword(userFrom(request).id, newPassword, sessionOf(request))
            return reply.code(204).send(null)
        },
    )

    app.get(
        "/api/me/sessions",
        { schema: { tags, summary: "One's own sessions", response: { 200: List(SessionView) } }, config },
        async request => accounts.sessions.of(userFrom(request).id, sessionOf(request)),
    )

    app.delete(
        "/api/me/sessions",
        { schema: { tags, summary: "End one's other sessions", response: { 204: NoContent } }, config },
        async (request, reply) => {
            await accounts.sessions.end(userFrom(request).id, { but: sessionOf(request) })
            return reply.code(204).send(null)
        },
    )

    app.delete(
        "/api/me/sessions/:id",
        {
            schema: { tags, summary: "End one of one's own sessions", params: BySession, response: { 204: NoContent } },
            config,
        },
        async (request, reply) => {
            if (!(await accounts.sessions.end(userFrom(request).id, { id: Number(request.params.id) })))
                throw new ProblemError("not-found", { what: "session" })
            return reply.code(204).send(null)
        },
    )

    app.post(
        "/api/me/second-factor",
        {
            schema: {
                tags,
                summary: "A secret for an authenticator, asked for once it was confirmed with a code",
                body: PasswordOnly,
                response: { 201: NewSecondFactor },
            },
            config,
        },
        async (request, reply) => {
            await prove(request, request.body.password)
            const { id, name } = userFrom(request)
            return reply.code(201).send(await secondFactors.begin(id, name))
        },
    )

    app.put(
        "/api/me/second-factor",
        {
            schema: {
                tags,
                summary: "Confirm it; the answer is the only place where the recovery codes show",
                body: CodeOnly,
                response: { 200: RecoveryCodes },
            },
            config,
        },
        async request => {
            const { id, name } = userFrom(request)
            const confirm = () => secondFactors.confirm(id, request.body.code)
            const recoveryCodes = await limits.guard(name, request.ip, confirm)
            if (!recoveryCodes) throw new ProblemError("bad-code")
            return { recoveryCodes }
        },
    )

    app.delete(
        "/api/me/second-factor",
        {
            schema: { tags, summary: "Do without it from now on", body: PasswordOnly, response: { 204: NoContent } },
            config,
        },
        async (request, reply) => {
            await prove(request, request.body.password)
            await secondFactors.remove(userFrom(request).id)
            return reply.code(204).send(null)
        },
    )
}
