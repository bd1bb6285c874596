import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance } from "fastify"
import { eui } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import type { Mote } from "../motes/motes.ts"
import { HttpError } from "./errors.ts"
import { ByKid } from "./schemas.ts"

const tags = ["motes"]
const config = { access: ["doctor"] } as const

const NewMote = Type.Object(
    { patient: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
    { additionalProperties: false },
)

/** The motes: what arrives from each and what is missing; registration, new secrets, revocation. */
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

    app.post<{ Params: Static<typeof ByKid> }>(
        "/api/motes/:kid/rotate",
        {
            schema: {
                ...{ tags, params: ByKid },
                summary:
                    "A new secret, which only this answer shows; the old one goes with the first envelope under it",
            },
            config,
        },
        async (request, reply) => {
            const rotated = await clinic.rotate(Buffer.from(request.params.kid, "hex"))
            if (!rotated) throw new HttpError(404, "there is no such mote")
            const secret = Buffer.from(rotated.secret).toString("hex")
            return reply.code(201).send({ ...shown(rotated.mote), secret })
        },
    )

    app.delete<{ Params: Static<typeof ByKid> }>(
        "/api/motes/:kid",
        { schema: { tags, summary: "Revoke a mote", params: ByKid }, config },
        async (request, reply) => {
            const kid = Buffer.from(request.params.kid, "hex")
            if (!(await clinic.revoke(kid))) throw new HttpError(404, "there is no such mote to revoke")
            return reply.code(204).send()
        },
    )
}

function shown({ kid, patient, registeredAt, revokedAt }: Mote) {
    return { kid: eui(kid), patient, registeredAt, revokedAt }
}
