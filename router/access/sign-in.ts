import { fastifyCookie } from "@fastify/cookie"
import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import type { Clock } from "../../host/clock.ts"
import { LoginLimits } from "../../host/login-limits.ts"
import { sessionMaxMs, Sessions } from "./sessions.ts"
import { maxPasswordChars, minPasswordChars, type PageUsers, type Right } from "./users.ts"

declare module "fastify" {
    interface FastifyContextConfig {
        /** Of a route of the router's page: what one needs. By default `look` for GET and HEAD, `change` for the rest. */
        needs?: "nothing" | Right
    }
    interface FastifyRequest {
        /** Who asks; null where there is no login, or nobody needs one. */
        visitor: Visitor | null
    }
}

/** Who has signed in at the page. */
export interface Visitor {
    name: string
    right: Right
}

/** The prefix makes browsers insist on Secure, no Domain and the path `/` (RFC 6265bis §4.1.3.2). */
const cookieName = "__Host-router-session"
const cookieOptions = { httpOnly: true, secure: true, sameSite: "strict", path: "/" } as const
const maxTokenChars = 200
const maxBodyBytes = 1024

const Login = Type.Object(
    { user: Type.String({ maxLength: 32 }), password: Type.String({ minLength: 1, maxLength: maxPasswordChars }) },
    { additionalProperties: false },
)
const Setup = Type.Object(
    {
        link: Type.String({ maxLength: maxTokenChars }),
        password: Type.String({ minLength: minPasswordChars, maxLength: maxPasswordChars }),
    },
    { additionalProperties: false },
)

class TooOften extends Error {}

/** Checks who asks, before the body is read, and lets people sign in and out. */
export class SignIn {
    private readonly users: PageUsers
    private readonly sessions: Sessions
    private readonly limits: LoginLimits
    private readonly signedIn: (request: FastifyRequest) => void

    /** @param o.signedIn called for each request of somebody who has signed in */
    constructor(o: {
        users: PageUsers
        clock: Clock
        random: (bytes: number) => Uint8Array
        signedIn: (request: FastifyRequest) => void
    }) {
        this.users = o.users
        this.sessions = new Sessions(o)
        this.limits = new LoginLimits(o.clock, () => new TooOften())
        this.signedIn = o.signedIn
    }

    /** Adds the check, which comes before those that are added later, and the routes. */
    guard(app: FastifyInstance): void {
        app.addHook("onRequest", async (request, reply) => {
            const { needs = neededFor(request.method) } = request.routeOptions.config
            if (needs === "nothing") return undefined
            const visitor = this.visitorOf(request)
            if (!visitor) return await refuse(reply, 401, "please sign in")
            this.signedIn(request)
            request.visitor = visitor
            if (!request.is404 && needs === "change" && visitor.right !== "change")
                return await refuse(reply, 403, mayOnlyLook)
            return undefined
        })
        void app.register((scope, _options, registered) => {
            scope.addContentTypeParser(
                "application/json",
                { parseAs: "string" },
                scope.getDefaultJsonParser("error", "error"),
            )
            this.routes(scope)
            registered()
        })
    }

    /** Undefined for somebody who has not signed in. */
    visitorOf(request: Pick<FastifyRequest, "headers">): Visitor | undefined {
        const user = this.sessions.find(tokenOf(request) ?? "")
        return user && { name: user.name, right: user.right }
    }

    private routes(app: FastifyInstance): void {
        const config = { needs: "nothing" } as const
        app.post<{ Body: Static<typeof Login> }>(
            "/api/login",
            { schema: { body: Login }, bodyLimit: maxBodyBytes, config },
            async ({ body, ip }, reply) => {
                const name = body.user.toLowerCase()
                return await this.limited(reply, name, ip, async () => {
                    const user = await this.users.verified(name, body.password)
                    if (!user) return undefined
                    keep(reply, this.sessions.begin(user), sessionMaxMs)
                    return { name: user.name, right: user.right }
                })
            },
        )
        app.post<{ Body: Static<typeof Setup> }>(
            "/api/setup",
            { schema: { body: Setup }, bodyLimit: maxBodyBytes, config },
            async ({ body, ip }, reply) =>
                await this.limited(reply, "", ip, async () =>
                    (await this.users.useSetupLink(body.link, body.password)) ? {} : undefined,
                ),
        )
        app.post("/api/logout", { config }, async (request, reply) => {
            this.sessions.end(tokenOf(request) ?? "")
            keep(reply, "", 0)
            return await reply.code(204).send()
        })
    }

    private async limited(
        reply: FastifyReply,
        name: string,
        address: string,
        check: () => Promise<object | undefined>,
    ): Promise<unknown> {
        void reply.header("cache-control", "no-store")
        try {
            const result = await this.limits.guard(name, address, check)
            return await (result ? reply.send(result) : refuse(reply, 401, "not the right password or link"))
        } catch (error) {
            if (!(error instanceof TooOften)) throw error
            return await refuse(reply, 429, "too many wrong attempts: try again in a minute")
        }
    }
}

/** What somebody is told who may not send requests that may change a mote. */
export const mayOnlyLook = "you may look, but send no requests that may change a mote"

function neededFor(method: string): Right {
    return method === "GET" || method === "HEAD" ? "look" : "change"
}

function tokenOf({ headers }: Pick<FastifyRequest, "headers">): string | undefined {
    const token = headers.cookie === undefined ? undefined : fastifyCookie.parse(headers.cookie)[cookieName]
    return token !== undefined && token.length <= maxTokenChars ? token : undefined
}

function keep(reply: FastifyReply, token: string, ms: number): void {
    void reply.header("set-cookie", fastifyCookie.serialize(cookieName, token, { ...cookieOptions, maxAge: ms / 1000 }))
}

async function refuse(reply: FastifyReply, status: number, reason: string): Promise<unknown> {
    return await reply.code(status).header("cache-control", "no-store").send({ reason })
}
