import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server"
import type { FastifyRequest } from "fastify"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { refuseOtherOrigins, userFrom } from "./auth.ts"
import type { PasskeyAnswers } from "./passkey-answers.ts"
import { ById, NoContent } from "./schemas/common.ts"
import {
    Challenge,
    NewPasskey,
    Passkey,
    PasskeyFactor,
    PasskeyName,
    Passkeys,
    PasskeySignIn,
} from "./schemas/passkeys.ts"
import { PasswordOnly } from "./schemas/users.ts"
import type { SignInRecord } from "./sign-in-record.ts"
import { cookieFor, keepSession } from "./session-cookie.ts"
import type { App } from "./typed-app.ts"

const tags = ["session"]
const config = { access: "use-session", audit: "none" } as const

/** Signing in with a passkey (WebAuthn), and one's own passkeys. */
export function passkeyRoutes(
    app: App,
    o: {
        clinic: Clinic
        answers: PasskeyAnswers
        record: SignInRecord
        address: { origin: string; path: string } | undefined
        /** Throws ProblemError where somebody has not shown who they are. */
        prove: (request: FastifyRequest, password: string | undefined) => Promise<void>
    },
): void {
    const { clinic, answers, prove } = o
    const { accounts, passkeys } = clinic
    const session = cookieFor(o.address?.path ?? "", "session")

    app.post(
        "/api/sign-in/passkey/challenge",
        {
            schema: {
                tags,
                summary:
                    "What a browser needs to ask for a passkey, the same for everybody; ten minutes, in this browser",
                security: [],
                response: { 200: Challenge },
            },
            config: { access: "public" },
        },
        async (request, reply) => {
            refuseOtherOrigins(request, o.address?.origin)
            return { ...(await answers.askToSignIn(reply)) }
        },
    )

    app.post(
        "/api/sign-in/passkey",
        {
            schema: {
                tags,
                summary: "Start a session with a passkey, kept in a cookie",
                security: [],
                body: PasskeySignIn,
                response: { 204: NoContent },
            },
            config: { access: "public" },
        },
        async (request, reply) => {
            refuseOtherOrigins(request, o.address?.origin)
            const response = request.body.passkey as AuthenticationResponseJSON
            const begun = await o.record.of(request, { way: "passkey" }, async () => {
                const account = await accounts.byId(await answers.accountOf(request, reply, response))
                // Switched off, it is like one that is not there.
                if (account?.is_active !== 1) throw new ProblemError("bad-passkey")
                return await accounts.begin(account, { agent: request.headers["user-agent"], way: "passkey" })
            })
            keepSession(reply, session, begun.user, begun.session)
            return reply.code(204).send(null)
        },
    )

    app.get(
        "/api/me/passkeys",
        { schema: { tags, summary: "One's own passkeys", response: { 200: Passkeys } }, config },
        async request =>
            (await passkeys.of(userFrom(request).id)).map(({ id, name, createdAt, usedAt }) => ({
                ...{ id, name, createdAt, usedAt },
            })),
    )

    app.post(
        "/api/me/passkeys/challenge",
        {
            schema: {
                tags,
                summary: "What a browser needs to make a passkey",
                body: PasswordOnly,
                response: { 200: Challenge },
            },
            config,
        },
        async (request, reply) => {
            await prove(request, request.body.password)
            return { ...(await answers.askToRegister(reply, userFrom(request))) }
        },
    )

    app.post(
        "/api/me/passkeys",
        {
            schema: {
                tags,
                summary: "Add the passkey that the browser made",
                body: NewPasskey,
                response: { 201: Passkey },
            },
            config,
        },
        async (request, reply) => {
            const { id: account } = userFrom(request)
            const { name, passkey } = request.body
            const response = passkey as RegistrationResponseJSON
            const id = await answers.register(request, reply, { account, name, response })
            return reply.code(201).send({ id, name, createdAt: clinic.now(), usedAt: null })
        },
    )

    app.put(
        "/api/me/passkeys/:id",
        {
            schema: {
                tags,
                summary: "Call a passkey something else",
                ...{ params: ById, body: PasskeyName, response: { 204: NoContent } },
            },
            config,
        },
        async (request, reply) => {
            const id = Number(request.params.id)
            if (!(await passkeys.rename(userFrom(request).id, id, request.body.name))) missing()
            return reply.code(204).send(null)
        },
    )

    app.delete(
        "/api/me/passkeys/:id",
        {
            schema: { tags, summary: "Remove one of one's own passkeys", params: ById, response: { 204: NoContent } },
            config,
        },
        async (request, reply) => {
            if (!(await passkeys.remove(userFrom(request).id, Number(request.params.id)))) missing()
            return reply.code(204).send(null)
        },
    )

    app.put(
        "/api/me/passkey-factor",
        {
            schema: {
                tags,
                summary: "Whether a passkey, or a code, is asked for beside the password",
                ...{ body: PasskeyFactor, response: { 204: NoContent } },
            },
            config,
        },
        async (request, reply) => {
            const { on, password } = request.body
            await prove(request, password)
            await accounts.setPasskeyFactor(userFrom(request).id, on)
            return reply.code(204).send(null)
        },
    )
}

function missing(): never {
    throw new ProblemError("not-found", { what: "passkey" })
}
