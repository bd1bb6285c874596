import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { List, NoContent } from "./schemas/common.ts"
import { ByName, ByToken, NewToken, SessionView, Token, TokenBody } from "./schemas/users.ts"
import type { App } from "./typed-app.ts"
import { kindOf } from "../people/permissions.ts"
import { named, refuseMore } from "./users.ts"

const tags = ["users"]
const config = { access: "manage-users", audit: "users" } as const

/** What users have in their hands: tokens and sessions. */
export function tokenRoutes(app: App, clinic: Clinic): void {
    const { accounts } = clinic

    app.get(
        "/api/users/:user/tokens",
        { schema: { tags, summary: "A user's tokens", params: ByName, response: { 200: List(Token) } }, config },
        async request => {
            const tokens = await accounts.tokensOf((await named(clinic, request.params.user)).id)
            return tokens.map(({ wards, ...token }) => ({ ...token, wards: wards && [...wards] }))
        },
    )

    app.post(
        "/api/users/:user/tokens",
        {
            schema: {
                tags,
                summary: "A new API token; the answer is the only place it shows",
                params: ByName,
                body: TokenBody,
                response: { 201: NewToken },
            },
            config,
        },
        async (request, reply) => {
            const { id, role } = await named(clinic, request.params.user)
            const { name, days, actions, wards } = request.body ?? {}
            request.said = { name: name ?? "", days: days ?? "", actions: actions?.join(" ") ?? "all" }
            if (wards && kindOf(role).wards !== "choice") throw new ProblemError("has-no-wards", { role })
            if (wards) request.said = { ...request.said, wards: wards.join(", ") }
            const endsAt = accounts.endOf(days)
            refuseMore(request, { role, ...(actions && { only: actions }), ...(endsAt !== undefined && { endsAt }) })
            const limits = { ...(days !== undefined && { days }), ...(actions && { actions }), ...(wards && { wards }) }
            return reply
                .code(201)
                .send(await accounts.addNamedToken(id, { ...(name !== undefined && { name }), ...limits }))
        },
    )

    app.delete(
        "/api/users/:user/tokens/:id",
        { schema: { tags, summary: "Revoke one token", params: ByToken, response: { 204: NoContent } }, config },
        async (request, reply) => {
            const user = await named(clinic, request.params.user)
            if (!(await accounts.removeToken(user.id, Number(request.params.id))))
                throw new ProblemError("not-found", { what: "token" })
            return reply.code(204).send(null)
        },
    )

    app.get(
        "/api/users/:user/sessions",
        {
            schema: { tags, summary: "A user's sessions", params: ByName, response: { 200: List(SessionView) } },
            config,
        },
        async request => accounts.sessions.of((await named(clinic, request.params.user)).id),
    )

    app.delete(
        "/api/users/:user/sessions",
        {
            schema: { tags, summary: "End all sessions of a user", params: ByName, response: { 204: NoContent } },
            config,
        },
        async (request, reply) => {
            await accounts.sessions.end((await named(clinic, request.params.user)).id, { but: undefined })
            return reply.code(204).send(null)
        },
    )
}
