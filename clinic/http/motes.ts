import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance } from "fastify"
import { eui } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import type { Mote } from "../motes.ts"
import { HttpError } from "./errors.ts"

const tags = ["motes"]
const config = { access: ["doctor"] } as const

const NewMote = Type.Object(
    { patient: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
    { additionalProperties: false },
)
const ByKid = Type.Object({ kid: Type.String({ pattern: "^[0-9a-f]{16}$" }) })

/** The motes: what arrives from each and what is missing; registration and revocation. */
export function moteRoutes(app: FastifyInstance, clinic: Clinic): void {
    app.get(
        "/api/motes",
        { schema: { tags, summary: "All motes, with what arrived and what is missing" }, config },
        async () => {
            const motes = await clinic.motes.all()
            return await Promise.all(
                motes.map(async mote => ({ ...shown(mote), ...(await clinic.completeness(mote)) })),
            )
        },
    )

    app.post<{ Body: Static<typeof NewMote> }>(
        "/api/motes",
        {
            schema: {
                tags,
                summary: "A new mote for a patient; the answer is the only place its secret shows",
                body: NewMote,
            },
            config,
        },
        async (request, reply) => {
            const { mote, secret } = await clinic.motes.register(request.body.patient)
            const answer = { ...shown(mote), secret: Buffer.from(secret).toString("hex") }
            return reply.code(201).send(answer)
        },
    )

    app.delete<{ Params: Static<typeof ByKid> }>(
        "/api/motes/:kid",
        { schema: { tags, summary: "Revoke a mote", params: ByKid }, config },
        async (request, reply) => {
            const kid = Buffer.from(request.params.kid, "hex")
            if (!(await clinic.motes.revoke(kid)))
                throw new HttpError(404, "there is no such mote to revoke")
            return reply.code(204).send()
        },
    )
}

function shown({ kid, patient, registeredAt, revokedAt }: Mote) {
    return { kid: eui(kid), patient, registeredAt, revokedAt }
}
