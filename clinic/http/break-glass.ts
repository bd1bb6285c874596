import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import type { Whom } from "../people/break-glass.ts"
import { may } from "../people/permissions.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { NewOpening, Opened, Opening, Openings, OpeningsQuery, ReviewedOpening } from "./schemas/break-glass.ts"
import { ById, List, NoContent } from "./schemas/common.ts"
import type { App } from "./typed-app.ts"

const tags = ["break-glass"]
const config = { access: "break-glass", audit: "break-glass" } as const
const review = { access: "review-break-glass", audit: "break-glass" } as const
/** What is nobody's data but the user's own doing. */
const own = { access: "break-glass", audit: "none" } as const
const usualMinutes = 60
const maxOpenings = 100

/** Patients of other wards: opened in an emergency, with a reason, for a while; and reviewed afterwards. */
export function breakGlassRoutes(app: App, clinic: Clinic): void {
    app.post(
        "/api/break-glass",
        {
            schema: {
                ...{ tags, body: NewOpening, response: { 201: Opened } },
                summary: "Open a patient of another ward with a reason, for a while; one who is open stays open longer",
            },
            config,
        },
        async (request, reply) => {
            const user = userFrom(request)
            // A reason is given by a person, who is there.
            if (user.way === undefined) throw new ProblemError("forbidden")
            const { whom, minutes = usualMinutes } = request.body
            const reason = request.body.reason.trim()
            request.said = { reason, minutes }
            const patient = await clinic.breakGlass.find(user.id, toWhom(whom))
            about(request, patient)
            const isOpen = user.opened?.some(opening => opening.patient === patient) ?? false
            if (!isOpen && may(user, "read", patient)) {
                request.said = { reason, needed: "no" }
                return reply.code(201).send({ patient, opening: null })
            }
            const opening = await clinic.breakGlass.open(user, { patient, reason, minutes })
            request.said = { ...request.said, purpose: "BTG", opening: opening.id }
            return reply.code(201).send({ patient, opening })
        },
    )

    app.get(
        "/api/break-glass",
        {
            schema: { tags, summary: "Whom one has opened, as long as it lasts", response: { 200: List(Opening) } },
            config: own,
        },
        async request => [...(userFrom(request).opened ?? [])],
    )

    app.delete(
        "/api/break-glass/:id",
        {
            schema: {
                tags,
                summary: "Close a patient whom one has opened",
                params: ById,
                response: { 204: NoContent },
            },
            config,
        },
        async (request, reply) => {
            const id = Number(request.params.id)
            const patient = await clinic.breakGlass.end(userFrom(request).id, id)
            if (patient === undefined) throw new ProblemError("not-found", { what: "opening" })
            about(request, patient)
            return reply.code(204).send(null)
        },
    )

    app.get(
        "/api/break-glass/openings",
        {
            schema: {
                ...{ tags, querystring: OpeningsQuery, response: { 200: Openings } },
                summary: "Who opened whom and why, the newest first: what nobody has reviewed yet, or what is reviewed",
            },
            config: review,
        },
        async request => {
            const { reviewed, before } = request.query
            const beforeId = before === undefined ? undefined : Number(before)
            const isReviewed = reviewed === "true"
            const found = await clinic.breakGlass.page({ isReviewed, beforeId, limit: maxOpenings + 1 })
            const openings = found.slice(0, maxOpenings)
            about(request, ...openings.map(({ patient }) => patient))
            return { openings, isWhole: found.length <= maxOpenings }
        },
    )

    app.put(
        "/api/break-glass/openings/:id/review",
        {
            schema: {
                ...{ tags, params: ById, response: { 200: ReviewedOpening } },
                summary: "Say that one has reviewed an opening; the first review stays",
            },
            config: review,
        },
        async request => {
            const id = Number(request.params.id)
            const reviewed = await clinic.breakGlass.review(id, userFrom(request).name)
            if (!reviewed) throw new ProblemError("not-found", { what: "opening" })
            about(request, reviewed.patient)
            request.said = { opening: id }
            return reviewed
        },
    )
}

function toWhom(whom: NewOpening["whom"]): Whom {
    return "mote" in whom ? { mote: Buffer.from(whom.mote, "hex") } : whom
}
