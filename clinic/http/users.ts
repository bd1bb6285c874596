import type { FastifyRequest } from "fastify"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import type { User } from "../people/accounts.ts"
import { kindOf, may, mayGive, type Role } from "../people/permissions.ts"
import { shownWards, userFrom } from "./auth.ts"
import { List, NoContent } from "./schemas/common.ts"
import { Active, ByName, NewUser, SetupLink, User as UserSchema, WardsBody } from "./schemas/users.ts"
import type { App } from "./typed-app.ts"

const tags = ["users"]
/** Of a list of wards in the audit record. */
const maxSaidChars = 500
const config = { access: "manage-users", audit: "users" } as const

/** Who may come in: people sign in with a password, routers have tokens only. */
export function userRoutes(app: App, clinic: Clinic, base: string | undefined): void {
    app.get(
        "/api/users",
        { schema: { tags, summary: "All users", response: { 200: List(UserSchema) } }, config },
        async () => {
            const wards = await clinic.accounts.wards()
            const users = await clinic.accounts.all()
            return users.map(user => shown(user, wardsOf(user, wards.get(user.id))))
        },
    )

    app.post(
        "/api/users",
        {
            schema: {
                tags,
                summary: "A new user; without a password, it gets one by a setup link",
                body: NewUser,
                response: { 201: UserSchema },
            },
            config,
        },
        async (request, reply) => {
            const { user: name, ...o } = request.body
            request.said = { user: name, role: o.role }
            const { signIn, isPatient } = kindOf(o.role)
            refuseMore(request, { role: o.role })
            const hasPassword = signIn === "password"
            if (!hasPassword && o.password !== undefined) throw new ProblemError("has-no-password", { role: o.role })
            if (isPatient !== (o.patient !== undefined))
                throw new ProblemError(isPatient ? "needs-patient" : "has-no-patient", { role: o.role })
            if (o.patient !== undefined && !(await clinic.patients.get(o.patient)))
                throw new ProblemError("not-on-the-ward")
            checkWards(o.role, o.wards)
            if (o.prefetch !== undefined && !isRouter(o)) throw new ProblemError("has-no-motes", { role: o.role })
            request.said = { ...request.said, ...saidOf(o.wards) }
            const user = await clinic.accounts.add({ name, ...o })
            return reply.code(201).send(shown(user, wardsOf(user, o.wards === "all" ? [] : o.wards)))
        },
    )

    app.put(
        "/api/users/:user/wards",
        {
            schema: {
                tags,
                summary: "Whose patients a user sees from now on; of a router, whose motes it serves",
                params: ByName,
                body: WardsBody,
                response: { 200: UserSchema },
            },
            config,
        },
        async request => {
            const { wards } = request.body
            const user = await named(clinic, request.params.user)
            refuseMore(request, { role: user.role })
            checkWards(user.role, wards)
            request.said = { user: user.name, ...saidOf(wards) }
            await clinic.accounts.setWards(user.id, wards)
            const list = wards === "all" ? [] : wards
            return shown(user, wardsOf({ ...user, allWards: wards === "all" }, list))
        },
    )

    app.delete(
        "/api/users/:user",
        {
            schema: {
                tags,
                summary: "Remove a user with all sessions and tokens",
                params: ByName,
                response: { 204: NoContent },
            },
            config,
        },
        async (request, reply) => {
            // Whoever removes the others stays, so that there is always somebody who can add users.
            if (userFrom(request).name === request.params.user) throw new ProblemError("own-account")
            if (!(await clinic.accounts.remove(request.params.user))) missing()
            return reply.code(204).send(null)
        },
    )

    app.put(
        "/api/users/:user/active",
        {
            schema: {
                tags,
                summary: "Whether anybody comes in with this account; if not, its sessions end and its tokens rest",
                params: ByName,
                body: Active,
                response: { 204: NoContent },
            },
            config,
        },
        async (request, reply) => {
            const { name, role } = await named(clinic, request.params.user)
            const { active } = request.body
            request.said = { user: name, active: active ? 1 : 0 }
            if (userFrom(request).name === name) throw new ProblemError("own-account")
            refuseMore(request, { role })
            await clinic.accounts.setActive(name, active)
            return reply.code(204).send(null)
        },
    )

    app.post(
        "/api/users/:user/setup-link",
        {
            schema: {
                tags,
                summary: "A link that sets the user's password once, within a day; those from before are worth nothing",
                params: ByName,
                response: { 201: SetupLink },
            },
            config,
        },
        async (request, reply) => {
            const user = await named(clinic, request.params.user)
            refuseMore(request, { role: user.role })
            if (kindOf(user.role).signIn !== "password") throw new ProblemError("has-no-password", { role: user.role })
            const link = await clinic.accounts.addSetupLink(user.id)
            const url = base === undefined ? null : `${base}/#setup=${link.token}`
            return reply.code(201).send({ ...link, url })
        },
    )

    app.delete(
        "/api/users/:user/second-factor",
        {
            schema: {
                tags,
                summary: "Remove the second factor and the passkeys of who has lost them",
                params: ByName,
                response: { 204: NoContent },
            },
            config,
        },
        async (request, reply) => {
            const { id, role } = await named(clinic, request.params.user)
            refuseMore(request, { role })
            await clinic.secondFactors.removeAll(id)
            return reply.code(204).send(null)
        },
    )
}

/** Throws ProblemError where there is none. */
export async function named(clinic: Clinic, user: string): Promise<User> {
    return (await clinic.accounts.all()).find(({ name }) => name === user) ?? missing()
}

/** Throws ProblemError where a limited token would give more than it has. */
export function refuseMore(request: FastifyRequest, given: Parameters<typeof mayGive>[1]): void {
    if (!mayGive(userFrom(request), given)) throw new ProblemError("more-than-own")
}

function isRouter({ role }: { role: Role }): boolean {
    return may({ role, patient: null }, "deliver")
}

/** Throws ProblemError where an account of the role cannot have these wards. */
function checkWards(role: Role, wards: "all" | readonly string[] | undefined): void {
    const { wards: which } = kindOf(role)
    if (wards && which === "none") throw new ProblemError("has-no-wards", { role })
    if (which === "one" && (wards === "all" || wards?.length !== 1)) throw new ProblemError("needs-ward", { role })
    // A router without wards serves all of them, so that it needs no word for it.
    if ((which === "choice" && !wards) || (which === "served" && wards === "all"))
        throw new ProblemError("needs-wards", { role })
}

function saidOf(wards: "all" | readonly string[] | undefined): Record<string, string> {
    return wards ? { wards: wards === "all" ? "all" : wards.join(", ").slice(0, maxSaidChars) } : {}
}

function wardsOf({ role, allWards }: User, wards: readonly string[] = []): "all" | readonly string[] | null {
    if (kindOf(role).wards === "choice") return allWards ? "all" : wards
    return wards.length > 0 ? wards : null
}

function shown({ name, role, patient, prefetch, isActive }: User, wards: "all" | readonly string[] | null) {
    return {
        ...{ user: name, role, patient },
        wards: shownWards(wards),
        prefetch: isRouter({ role }) ? prefetch : null,
        active: isActive,
    }
}

function missing(): never {
    throw new ProblemError("not-found", { what: "user" })
}
