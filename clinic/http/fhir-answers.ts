import { createHash } from "node:crypto"
import { Type, type TObject } from "@sinclair/typebox"
import type { FastifyReply, FastifyRequest } from "fastify"
import Negotiator from "negotiator"
import type { Resource } from "@medplum/fhirtypes"
import { ProblemError } from "../errors.ts"
import type { Clinic } from "../clinic.ts"
import type { Asking, Kind } from "../fhir/kind.ts"
import { parametersOf } from "../fhir/search/query.ts"
import { knownTo } from "./admission.ts"
import { userFrom } from "./auth.ts"
import { fhirAnswer } from "./openapi.ts"
import { NoContent } from "./schemas/common.ts"
import { Bundle, fhirType, Subset } from "./schemas/fhir.ts"

declare module "fastify" {
    interface FastifyRequest {
        /** Where clients see this server's FHIR, without a slash at the end. */
        fhirBase: string
    }
}

export const fhirTags = ["fhir"]

const paging = {
    _count: Type.Optional(Type.String({ pattern: "^[0-9]{1,9}$", description: "Matches a page, at most 1000" })),
    _cursor: Type.Optional(Type.String({ description: "From the `next` link" })),
    _format: Type.Optional(Type.String({ description: "json" })),
    _sort: Type.Optional(Type.String({ description: "Names of parameters, with - the last one first" })),
    _include: Type.Optional(Type.String({ description: "What the matches point at: `Observation:device`" })),
    _revinclude: Type.Optional(Type.String({ description: "What points at the matches" })),
    _summary: Type.Optional(Type.String({ description: "`true`, `text`, `data`, `count` or `false`" })),
    _elements: Type.Optional(Type.String({ description: "Names of elements, with commas" })),
    _total: Type.Optional(Type.String({ description: "`none`, `estimate` or `accurate`" })),
}

/** A search of one kind of resource; `all` may be included. */
export function searchOf({ access, audit, ...kind }: Kind, all: readonly Kind[]) {
    const querystring = Type.Object({
        ...Object.fromEntries(
            parametersOf({ access, audit, ...kind }).map(([name, { type, documentation }]) => [
                name,
                Type.Optional(
                    Type.String({ description: documentation === undefined ? type : `${type}: ${documentation}` }),
                ),
            ]),
        ),
        ...paging,
    })
    const targets = new Set(Object.values(kind.parameters).flatMap(({ targets = [] }) => targets))
    const pointing = all.filter(from => Object.values(from.parameters).some(one => one.targets?.includes(kind.type)))
    const found = all.filter(one => one.type === kind.type || targets.has(one.type) || pointing.includes(one))
    return {
        schema: {
            tags: fhirTags,
            summary: "Search; see the CapabilityStatement",
            querystring,
            response: { 200: fhirAnswer("A page", Bundle(found.map(({ schema }) => schema))) },
        },
        config: { access, audit, isLook: true },
    }
}

/** A search whose parameters are in the body. */
export function searchByPost(kind: Kind, all: readonly Kind[]) {
    const { schema, config } = searchOf(kind, all)
    const { querystring, ...rest } = schema
    const body = { content: { [formType]: { schema: querystring } } }
    return { schema: { ...rest, body }, config }
}

export const formType = "application/x-www-form-urlencoded"

/** A look at one resource. */
export function readOf({ access, audit, schema }: Kind, more: Record<string, TObject> = {}) {
    return {
        schema: {
            tags: fhirTags,
            summary: "Read one",
            params: Type.Object({ id: Type.String() }),
            response: {
                200: fhirAnswer("It", Type.Union([schema, Subset(schema)])),
                304: { ...NoContent, description: "No change" },
                ...more,
            },
        },
        config: { access, audit },
    }
}

/** The parameters of the address and, of a search by POST, those of the body. */
export function queryOf(request: FastifyRequest): URLSearchParams {
    const start = request.url.indexOf("?")
    const query = new URLSearchParams(start < 0 ? "" : request.url.slice(start + 1))
    if (request.body instanceof URLSearchParams) for (const [name, value] of request.body) query.append(name, value)
    return query
}

export function send(reply: FastifyReply, resource: Resource): FastifyReply {
    // A string: it has its media type already, and the serializer is for /api.
    return reply.send(JSON.stringify(resource))
}

/** A resource as it is now, or 304 where the client has it already (RFC 9110 §13.1.2, §13.1.3). */
export function sendUnlessKnown(request: FastifyRequest, reply: FastifyReply, resource: Resource): FastifyReply {
    const { versionId, lastUpdated } = resource.meta ?? {}
    const body = JSON.stringify(resource)
    const tag = `W/"${versionId ?? createHash("sha256").update(body).digest("hex").slice(0, 32)}"`
    void reply.header("etag", tag)
    if (lastUpdated !== undefined) void reply.header("last-modified", new Date(lastUpdated).toUTCString())
    const { "if-none-match": tags, "if-modified-since": since } = request.headers
    const opaque = (text: string) => text.trim().replace(/^W\//, "")
    const isKnown =
        tags !== undefined
            ? tags.trim() === "*" || tags.split(",").some(one => opaque(one) === opaque(tag))
            : since !== undefined &&
              lastUpdated !== undefined &&
              Math.floor(Date.parse(lastUpdated) / 1000) * 1000 <= Date.parse(since)
    if (isKnown) return reply.code(304).removeHeader("content-type").send()
    return reply.send(body)
}

export function askingOf(request: FastifyRequest, clinic: Clinic): Asking {
    return {
        ...{ clinic, user: userFrom(request), now: clinic.now(), base: request.fhirBase },
        known: (action, patients) => knownTo(request, patients, action),
    }
}

/** What clients may ask for; of several that they take the first. */
const mediaTypes = [fhirType, `${fhirType}; fhirVersion=4.0`, "application/json", "text/json"]

/**
 * The media type to answer with (RFC 9110 §12.5.1, http://hl7.org/fhir/R4/http.html#general). Browsers, who take anything, get
 * FHIR's own. Throws ProblemError where the client takes none of ours.
 */
export function mediaTypeFor(request: FastifyRequest): string {
    // An unescaped + in a query means a blank, but clients write application/fhir+json there.
    const format = queryOf(request).get("_format")?.replaceAll(" ", "+")
    const asked = format === "json" ? fhirType : (format ?? request.headers.accept ?? "*/*")
    const accept = asked.replace(/;\s*charset="?utf-8"?/gi, "")
    const type = new Negotiator({ headers: { accept } }).mediaType(mediaTypes)
    if (type === undefined) throw new ProblemError("not-acceptable")
    return type
}
