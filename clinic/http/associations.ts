import type { FastifyReply, FastifyRequest } from "fastify"
import { eui } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import type { AssociationEnd } from "../motes/association-end.ts"
import type { Association as Stored } from "../motes/associations.ts"
import type { Mote } from "../motes/motes.ts"
import { zoned } from "../time-zone.ts"
import { admit, maySee } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { shown as shownMote } from "./motes.ts"
import { Association, NewAssociation, Unassigned, UnassignedPage, UnassignedQuery } from "./schemas/associations.ts"
import { ById, ByKid, List, NoContent } from "./schemas/common.ts"
import { WornMote } from "./schemas/motes.ts"
import { sendTable, tableAnswer } from "./table.ts"
import type { App } from "./typed-app.ts"

const tags = ["motes"]
const manage = { access: "manage-motes", audit: "motes" } as const
const pageSize = 500

const columns = ["id", "mote", "patient", "begins", "begun by", "ends", "ended by", "reason"]
const unassignedColumns = ["name", "value", "unit", "absent", "time", "about", "readings", "span s"]

/** Who wears and wore a mote: on, off, and what was measured in between. */
export function associationRoutes(app: App, clinic: Clinic): void {
    /** Throws ProblemError where the user may not have to do with it. */
    const moteOf = async (request: FastifyRequest, kid: string): Promise<Mote> => {
        const mote = await clinic.motes.get(Buffer.from(kid, "hex"))
        if (!mote) throw new ProblemError("not-found", { what: "mote" })
        admit(request, mote.patient, { what: "mote" })
        return mote
    }
    const visible = (request: FastifyRequest, found: readonly Stored[]): Stored[] => {
        const seen = found.filter(({ patient }) => maySee(userFrom(request), "manage-motes", patient))
        about(request, ...seen.map(({ patient }) => patient))
        return seen
    }
    const send = async (request: FastifyRequest, reply: FastifyReply, found: readonly Stored[]) => {
        const answer = found.map(shown)
        const rows = () =>
            answer.map(({ beginsAt, endsAt, ...a }) => [
                ...[a.id, a.mote, a.patient, zoned(beginsAt, clinic.timeZone), a.begunBy],
                ...[endsAt === null ? null : zoned(endsAt, clinic.timeZone), a.endedBy, a.reason],
            ])
        const table = () => ({ name: "associations", row: "association", columns, rows: rows() })
        return await sendTable(request, reply, { answer, table })
    }

    app.get(
        "/api/motes/:kid/associations",
        {
            schema: {
                ...{ tags, summary: "Who wore a mote, in the order of time", params: ByKid },
                response: { 200: tableAnswer("The associations", List(Association)) },
            },
            config: manage,
        },
        async (request, reply) => {
            const found = await clinic.associations.ofMote(await moteOf(request, request.params.kid))
            return await send(request, reply, visible(request, found))
        },
    )

    app.get(
        "/api/patients/:id/associations",
        {
            schema: {
                ...{ tags: ["patients"], summary: "Which motes a patient wore, in the order of time", params: ById },
                response: { 200: tableAnswer("The associations", List(Association)) },
            },
            config: { access: "read", audit: "motes" },
        },
        async (request, reply) => {
            const id = Number(request.params.id)
            admit(request, id)
            if (!(await clinic.patients.get(id))) throw new ProblemError("not-found", { what: "patient" })
            return await send(request, reply, await clinic.associations.search({ patients: [id] }))
        },
    )

    app.put(
        "/api/motes/:kid/association",
        {
            schema: {
                ...{ tags, summary: "From now on this patient wears the mote", params: ByKid, body: NewAssociation },
                response: { 200: WornMote },
            },
            config: manage,
        },
        async request => {
            const { patient, confirmed = [] } = request.body
            const isConfirmed = confirmed.includes("mote-in-use")
            const by = userFrom(request).name
            const { kid } = await moteOf(request, request.params.kid)
            admit(request, patient)
            const mote = await clinic.pair(kid, { patient, by, isConfirmed })
            if (!mote) throw new ProblemError("not-found", { what: "mote" })
            return shownMote(mote)
        },
    )

    app.delete(
        "/api/motes/:kid/association",
        {
            schema: {
                ...{ tags, summary: "From now on nobody wears the mote", params: ByKid, response: { 204: NoContent } },
            },
            config: manage,
        },
        async (request, reply) => {
            const { kid } = await moteOf(request, request.params.kid)
            const taken = await clinic.takeOff(kid, userFrom(request).name)
            if (taken === undefined) throw new ProblemError("not-found", { what: "mote" })
            return reply.code(204).send(null)
        },
    )

    app.get(
        "/api/motes/:kid/unassigned",
        {
            schema: {
                ...{ tags, summary: "Readings of a mote that are nobody's, the newest first", params: ByKid },
                querystring: UnassignedQuery,
                response: { 200: tableAnswer("The readings", UnassignedPage) },
            },
            config: manage,
        },
        async (request, reply) => {
            const { id } = await moteOf(request, request.params.kid)
            const { before = Number.MAX_SAFE_INTEGER } = request.query
            const answer = await unassigned(clinic, id, Number(before))
            const rows = () =>
                answer.readings.map(({ spanMs, ...r }) => [
                    ...[r.name, r.value, r.unit, r.absent, zoned(r.time, clinic.timeZone), r.isAbout ? "about" : null],
                    ...[r.count, spanMs === null ? null : spanMs / 1000],
                ])
            const table = () => ({ name: "unassigned", row: "reading", columns: unassignedColumns, rows: rows() })
            return await sendTable(request, reply, { answer, table })
        },
    )
}

/** More than a page has of one millisecond is left out, so that there is always a next page. */
async function unassigned(clinic: Clinic, mote: number, before: number) {
    const { count } = await clinic.observations.unassigned(mote)
    const found = await clinic.observations.unassignedPage(mote, before, pageSize)
    const readings = found.map(({ relative, span, ...reading }): Unassigned => ({
        ...reading,
        ...{ isAbout: relative === 1, spanMs: span },
    }))
    return { count, readings, before: found.length < pageSize ? null : found.at(-1)!.time }
}

function shown({ kid, reason, ...association }: Stored): Association {
    return { ...association, mote: eui(kid), reason: reason as AssociationEnd | null }
}
