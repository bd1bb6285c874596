import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance } from "fastify"
import { roles } from "../people/accounts.ts"
import type { Clinic } from "../clinic.ts"
import { Conflict } from "../errors.ts"
import { userFrom } from "./auth.ts"
import { HttpError } from "./errors.ts"
import { Text } from "./schemas.ts"

const tags = ["users"]
const config = { access: ["doctor"] } as const

const NewUser = Type.Object(
    {
        user: Text(100),
        role: Type.Union(roles.map(role => Type.Literal(role))),
        password: Type.Optional(Type.String({ minLength: 12, maxLength: 200 })),
        patient: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    },
    { additionalProperties: false },
)
const ByName = Type.Object({ user: Text(100) })

interface Params {
    Params: Static<typeof ByName>
}

/** Who may come in. Doctors and patients log in with a password; routers have tokens only. */
export function userRoutes(app: FastifyInstance, clinic: Clinic): void {
    app.get("/api/users", { schema: { tags, summary: "All users" }, config }, async () =>
        (await clinic.accounts.all()).map(({ name, role, patient }) => ({
            ...{ user: name, role, patient },
        })),
    )

    app.post<{ Body: Static<typeof NewUser> }>(
        "/api/users",
        { schema: { tags, summary: "A new user", body: NewUser }, config },
        async (request, reply) => {
            const { user: name, ...o } = request.body
            if ((o.role === "router") !== (o.password === undefined))
                throw new HttpError(400, "doctors and patients need a password, routers have none")
            if ((o.role === "patient") !== (o.patient !== undefined))
                throw new HttpError(400, "a user with the role patient, and no other, has a patient")
            if (o.patient !== undefined && !(await clinic.patients.get(o.patient)))
                throw new Conflict("there is no such patient")
            const { role, patient } = await clinic.accounts.add({ name, ...o })
            return reply.code(201).send({ user: name, role, patient })
        },
    )

    app.delete<Params>(
        "/api/users/:user",
        {
            schema: { tags, summary: "Remove a user with all sessions and tokens", params: ByName },
            config,
        },
        async (request, reply) => {
            // Whoever removes the others stays, so that there is always a doctor.
            if (userFrom(request).name === request.params.user) throw new Conflict("nobody can remove themselves")
            if (!(await clinic.accounts.remove(request.params.user))) missing()
            return reply.code(204).send()
        },
    )

    app.post<Params>(
        "/api/users/:user/tokens",
        {
            schema: {
                tags,
                summary: "A new API token; the answer is the only place it shows",
                params: ByName,
            },
            config,
        },
        async (request, reply) => {
            const users = await clinic.accounts.all()
            const user = users.find(({ name }) => name === request.params.user) ?? missing()
            return reply.code(201).send({ token: await clinic.accounts.addToken(user.id) })
        },
    )
}

function missing(): never {
    throw new HttpError(404, "there is no such user")
}
