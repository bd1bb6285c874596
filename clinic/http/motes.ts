import type { FastifyRequest } from "fastify"
import { inSlices } from "../../host/slices.ts"
import { eui } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import type { Mote as StoredMote } from "../motes/motes.ts"
import { ProblemError } from "../errors.ts"
import { admit, seenBy } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { ByKid, List, NoContent } from "./schemas/common.ts"
import { Mote, MoteWithSecret, NewMote } from "./schemas/motes.ts"
import type { Turns } from "./turns.ts"
import type { App } from "./typed-app.ts"

const tags = ["motes"]
const config = { access: "manage-motes", audit: "motes" } as const

/** The motes: what arrives from each and what is missing; registration, new secrets, revocation. */
export function moteRoutes(app: App, clinic: Clinic, turns: Turns): void {
    /** Throws ProblemError where the user may not have to do with it. */
    const moteOf = async (request: FastifyRequest, eui: string): Promise<Uint8Array> => {
        const { kid, patient } = (await clinic.motes.get(Buffer.from(eui, "hex"))) ?? missing()
        admit(request, patient, { what: "mote" })
        return kid
    }

    app.get(
        "/api/motes",
        {
            schema: {
                tags,
                summary: "All motes, with what arrived and what is missing",
                response: { 200: List(Mote) },
            },
            config,
        },
        async request =>
            await turns.take(request, async () => {
                const holders = await clinic.grants.holders()
                const user = userFrom(request)
                const motes = await clinic.motes.all(seenBy(user, "manage-motes"))
                about(request, ...motes.map(({ patient }) => patient))
                return await inSlices(motes, async mote => ({
                    ...{ ...shown(mote), ...(await clinic.completeness(mote)), routers: holders.get(mote.id) ?? [] },
                }))
            }),
    )

    app.post(
        "/api/motes",
        {
            schema: {
                tags,
                summary: "A new mote, for a patient or for nobody yet; the answer is the only place its secret shows",
                body: NewMote,
                response: { 201: MoteWithSecret },
            },
            config,
        },
        async (request, reply) => {
            const { patient = null } = request.body
            admit(request, patient)
            const { mote, secret } = await clinic.register(patient, userFrom(request).name)
            return reply.code(201).send({ ...shown(mote), secret: Buffer.from(secret).toString("hex") })
        },
    )

    app.post(
        "/api/motes/:kid/rotate",
        {
            schema: {
                tags,
                summary:
                    "A new secret, which only this answer shows; the old one goes with the first envelope under it",
                params: ByKid,
                response: { 201: MoteWithSecret },
            },
            config,
        },
        async (request, reply) => {
            const rotated = (await clinic.rotate(await moteOf(request, request.params.kid))) ?? missing()
            const secret = Buffer.from(rotated.secret).toString("hex")
            return reply.code(201).send({ ...shown(rotated.mote), secret })
        },
    )

    app.delete(
        "/api/motes/:kid",
        { schema: { tags, summary: "Revoke a mote", params: ByKid, response: { 204: NoContent } }, config },
        async (request, reply) => {
            const kid = await moteOf(request, request.params.kid)
            if (!(await clinic.revoke(kid, userFrom(request).name))) missing()
            return reply.code(204).send(null)
        },
    )
}

function missing(): never {
    throw new ProblemError("not-found", { what: "mote" })
}

export function shown({ kid, patient, wornSince, registeredAt, revokedAt }: StoredMote) {
    return { kid: eui(kid), patient, wornSince, registeredAt, revokedAt }
}
