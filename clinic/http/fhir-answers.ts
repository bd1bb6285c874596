import { Type, type TSchema } from "@sinclair/typebox"
import type { FastifyReply, FastifyRequest } from "fastify"
import type { Resource } from "@medplum/fhirtypes"
import type { AuditSubject } from "../audit/event.ts"
import { ProblemError } from "../errors.ts"
import { searchBundle, type SearchResult } from "../fhir/bundle.ts"
import type { Action } from "../people/permissions.ts"
import { fhirAnswer } from "./openapi.ts"
import { Bundle } from "./schemas/fhir.ts"

declare module "fastify" {
    interface FastifyRequest {
        /** Where clients see this server's FHIR, without a slash at the end. */
        fhirBase: string
    }
}

export interface ById {
    Params: { id: string }
}

export const fhirTags = ["fhir"]
const config = (access: Action, audit: AuditSubject) => ({ access, audit })
/** A search of one kind of resource. */
export const searchOf = (access: Action, audit: AuditSubject, querystring: TSchema, found: TSchema) => {
    const summary = "Search; see the CapabilityStatement"
    const response = { 200: fhirAnswer("A page", Bundle(found)) }
    return { schema: { tags: fhirTags, summary, querystring, response }, config: config(access, audit) }
}
/** A look at one resource. */
export const readOf = (access: Action, audit: AuditSubject, found: TSchema) => ({
    schema: {
        tags: fhirTags,
        summary: "Read one",
        params: Type.Object({ id: Type.String() }),
        response: { 200: fhirAnswer("It", found) },
    },
    config: config(access, audit),
})

/** The ids that can be ours. */
export function numbers(ids: string[]): number[] {
    return ids.filter(id => /^[1-9]\d{0,14}$/.test(id)).map(Number)
}

export function unknown(): ProblemError {
    return new ProblemError("not-found", { what: "resource" })
}

export function queryOf(request: FastifyRequest): URLSearchParams {
    const start = request.url.indexOf("?")
    return new URLSearchParams(start < 0 ? "" : request.url.slice(start + 1))
}

export function bundle(
    request: FastifyRequest,
    query: URLSearchParams,
    { next, ...o }: { found: SearchResult[]; next?: string | undefined; total?: number },
) {
    const type = request.routeOptions.url!.split("/").at(-1)!
    const url = (changed: URLSearchParams) => (changed.size > 0 ? `${type}?${changed}` : type)
    const following = new URLSearchParams(query)
    if (next !== undefined) following.set("_cursor", next)
    return searchBundle({
        ...{ base: request.fhirBase, self: url(query), ...o },
        ...(next !== undefined && { next: url(following) }),
    })
}

export function send(reply: FastifyReply, resource: Resource): FastifyReply {
    // A string: it has its media type already, and the serializer is for /api.
    return reply.send(JSON.stringify(resource))
}
