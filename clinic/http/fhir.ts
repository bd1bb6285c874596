import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { searchBundle } from "../fhir/bundle.ts"
import { capabilityStatement } from "../fhir/capability.ts"
import type { Kind } from "../fhir/kind.ts"
import { warning } from "../fhir/outcome.ts"
import { kindsByType, resourceKinds } from "../fhir/resources/resources.ts"
import { parseQuery, type Query } from "../fhir/search/query.ts"
import { search, type Found } from "../fhir/search/search.ts"
import { subsetOf, versioned } from "../fhir/subset.ts"
import { about } from "./audited.ts"
import {
    askingOf,
    fhirTags,
    formType,
    mediaTypeFor,
    queryOf,
    readOf,
    searchByPost,
    searchOf,
    send,
    sendUnlessKnown,
} from "./fhir-answers.ts"
import { fhirOperations } from "./fhir-operations.ts"
import { fhirAnswer } from "./openapi.ts"
import { CapabilityStatement } from "./schemas/fhir.ts"
import type { Turns } from "./turns.ts"
import type { App } from "./typed-app.ts"

const metadata = {
    ...{ tags: fhirTags, summary: "What this server can do", security: [] },
    response: { 200: fhirAnswer("CapabilityStatement", CapabilityStatement) },
}

/** FHIR R4 for reading (http://hl7.org/fhir/R4/http.html), in JSON. `origin` is where clients see it, if not at `Host`. */
export async function fhirRoutes(app: App, clinic: Clinic, turns: Turns, origin?: string): Promise<void> {
    const startedAt = new Date(clinic.now()).toISOString()
    const routes = async (fhir: FastifyInstance) => {
        fhir.decorateRequest("fhirBase", "")
        fhir.addHook("onRequest", async (request, reply) => {
            reply.type(`${mediaTypeFor(request)}; charset=utf-8`)
            request.fhirBase = `${origin ?? `https://${request.host}`}/fhir`
        })
        fhir.removeAllContentTypeParsers()
        fhir.addContentTypeParser(formType, { parseAs: "string" }, async (_request: unknown, body: string) =>
            Promise.resolve(new URLSearchParams(body)),
        )
        // What is asked for is checked by clinic/fhir/search, which knows FHIR's rules.
        fhir.setValidatorCompiler(() => () => true)
        fhir.get("/metadata", { schema: metadata, config: { access: "public" } }, async (request, reply) =>
            send(reply, capabilityStatement(resourceKinds, request.fhirBase, startedAt)),
        )
        for (const kind of resourceKinds) kindRoutes(fhir, kind, clinic, turns)
        fhirOperations(fhir, clinic, turns)
        fhir.setNotFoundHandler(async (request, reply) => {
            const allow = methodsOf(request.url.split("?")[0]!)
            if (allow === undefined) throw new ProblemError("not-found", { what: "address" })
            void reply.header("allow", allow)
            throw new ProblemError("bad-method")
        })
    }
    await app.register(routes, { prefix: "/fhir" })
}

/** What one may do with one kind of resource. */
function kindRoutes(fhir: FastifyInstance, kind: Kind, clinic: Clinic, turns: Turns): void {
    const { type } = kind
    const answerSearch = async (request: FastifyRequest, reply: FastifyReply) => {
        const query = parseQuery(kind, queryOf(request), {
            ...{ kinds: kindsByType, base: request.fhirBase },
            isLenient: isLenient(request),
        })
        const found = await turns.take(request, () => search(kind, query, askingOf(request, clinic), kindsByType))
        // Whoever asks for a patient of whom there is nothing has learnt that.
        if (type !== "Patient") about(request, ...(found.named ?? []))
        for (const { patients } of [...found.matches, ...found.included]) about(request, ...patients)
        return send(reply, pageOf(request, kind, query, found))
    }
    fhir.get(`/${type}`, searchOf(kind, resourceKinds), answerSearch)
    fhir.post(`/${type}/_search`, searchByPost(kind, resourceKinds), answerSearch)

    const readOne = async (request: FastifyRequest, id: string) => {
        const [item] = await kind.read([id], askingOf(request, clinic))
        if (item) about(request, ...item.patients)
        if (!item || item.isHidden) throw unknown()
        return versioned(item.resource)
    }
    fhir.get<{ Params: { id: string } }>(`/${type}/:id`, readOf(kind), async (request, reply) => {
        const query = new URLSearchParams(queryOf(request))
        for (const name of [...query.keys()])
            if (!["_format", "_pretty", "_summary", "_elements"].includes(name)) query.delete(name)
        const { subset } = parseQuery(kind, query, { kinds: kindsByType, base: request.fhirBase })
        const resource = await readOne(request, request.params.id)
        return sendUnlessKnown(request, reply, subsetOf(resource, kind, subset))
    })
    fhir.get<{ Params: { id: string; version: string } }>(
        `/${type}/:id/_history/:version`,
        readOf(kind),
        async (request, reply) => {
            const { id, version } = request.params
            const resource = await readOne(request, id)
            if (resource.meta?.versionId !== version) throw unknown()
            return sendUnlessKnown(request, reply, resource)
        },
    )
}

/** The methods that an address takes; undefined where there is nothing at it. */
function methodsOf(path: string): string | undefined {
    const [type = "", ...rest] = path.split("/").slice(2)
    if (type !== "metadata" && !kindsByType.has(type)) return undefined
    const where = rest.length === 3 && rest[1] === "_history" ? "version" : rest.length
    if (rest.length === 1 && rest[0] === "_search") return "POST"
    return where === 0 || (type !== "metadata" && (where === 1 || where === "version")) ? "GET, HEAD" : undefined
}

function unknown(): ProblemError {
    return new ProblemError("not-found", { what: "resource" })
}

function pageOf(request: FastifyRequest, kind: Kind, query: Query, found: Found) {
    const { understood, ignored, subset } = query
    const url = (query: URLSearchParams) => (query.size > 0 ? `${kind.type}?${query}` : kind.type)
    const self = new URLSearchParams(understood)
    if (query.cursor !== undefined) self.set("_cursor", query.cursor)
    const following = new URLSearchParams(understood)
    if (found.next !== undefined) following.set("_cursor", found.next)
    const issue = [
        ...ignored.map(name => warning("not-supported", `${plain(name)} is not a parameter of this search: left out`)),
        ...(found.isCut ? [warning("too-costly", "there is more to include than one answer holds")] : []),
    ]
    return searchBundle({
        ...{ base: request.fhirBase, self: url(self), total: found.total },
        next: found.next === undefined ? undefined : url(following),
        matches: found.matches.map(({ resource }) => subsetOf(versioned(resource), kind, subset)),
        included: found.included.map(({ resource }) =>
            subsetOf(versioned(resource), kindsByType.get(resource.resourceType)!, subset),
        ),
        outcome: issue.length > 0 ? { resourceType: "OperationOutcome", issue } : undefined,
    })
}

/** Strict unless the client says otherwise: what is left out finds more than was asked for. */
function isLenient({ headers }: FastifyRequest): boolean {
    return [headers.prefer ?? []].flat().some(value => /(^|[\s,;])handling=lenient($|[\s,;])/i.test(value))
}

function plain(name: string): string {
    return /^[\w.:-]{1,60}$/.test(name) ? name : "?"
}
