import type { FastifyInstance } from "fastify"
import type { Clinic } from "../clinic.ts"
import { toAuditEvent } from "../fhir/audit-event.ts"
import { dateFilter } from "../fhir/date.ts"
import { parseAuditEventQuery } from "../fhir/search.ts"
import { patientsFor } from "../people/permissions.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { bundle, numbers, queryOf, readOf, searchOf, send, unknown, type ById } from "./fhir-answers.ts"
import { AuditEvent, AuditEventQuery } from "./schemas/fhir.ts"

const outcomes: Record<string, string> = { "0": "done", "4": "refused", "8": "failed" }

/** Who looked at and changed what. A patient gets the events about herself, and no other patient's name in them. */
export function auditEventRoutes(fhir: FastifyInstance, clinic: Clinic): void {
    fhir.get("/AuditEvent", searchOf("read-audit", "audit", AuditEventQuery, AuditEvent), async (request, reply) => {
        const query = queryOf(request)
        const asked = parseAuditEventQuery(query)
        const visible = patientsFor(userFrom(request), "read-audit")
        const patients = asked.patients ?? (visible === "all" ? undefined : visible)
        about(request, ...(patients ?? []))
        if (visible !== "all" && patients?.some(patient => !visible.includes(patient)))
            throw new ProblemError("other-patient")
        const when = dateFilter(asked.dates, clinic.now())
        const found = await clinic.audit.search({
            ...(patients && { patients }),
            ...(asked.user !== undefined && { user: asked.user }),
            ...(asked.outcomes && { outcomes: asked.outcomes.map(code => outcomes[code] ?? code) }),
            ...(when && { ranges: when.moments }),
            ...(asked.beforeId !== undefined && { beforeId: asked.beforeId }),
            limit: asked.count + 1,
        })
        const page = found.slice(0, asked.count)
        const next = found.length > asked.count ? String(page.at(-1)!.id) : undefined
        return send(reply, bundle(request, query, { found: page.map(event => toAuditEvent(event, visible)), next }))
    })

    fhir.get<ById>("/AuditEvent/:id", readOf("read-audit", "audit", AuditEvent), async (request, reply) => {
        const [id] = numbers([request.params.id])
        const event = id === undefined ? undefined : await clinic.audit.get(id)
        const visible = patientsFor(userFrom(request), "read-audit")
        if (!event || (visible !== "all" && !event.patients.some(patient => visible.includes(patient)))) throw unknown()
        about(request, ...(visible === "all" ? event.patients : visible))
        return send(reply, toAuditEvent(event, visible))
    })
}
