import { Type } from "@sinclair/typebox"
import type { FastifyInstance } from "fastify"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { searchBundle } from "../fhir/bundle.ts"
import { numbers, type Item } from "../fhir/kind.ts"
import { everything, parseEverything } from "../fhir/operations/everything.ts"
import { lastn, takeMax } from "../fhir/operations/lastn.ts"
import { stats, takeStatistics } from "../fhir/operations/stats.ts"
import { narrowed, observationKind, observationSchema } from "../fhir/resources/observation.ts"
import { patientKind } from "../fhir/resources/patient.ts"
import { kindsByType, resourceKinds } from "../fhir/resources/resources.ts"
import { fault } from "../fhir/search/fault.ts"
import { parseQuery } from "../fhir/search/query.ts"
import { namedIn, resolved } from "../fhir/search/search.ts"
import { subsetOf, versioned } from "../fhir/subset.ts"
import { about } from "./audited.ts"
import { askingOf, fhirTags, queryOf, send } from "./fhir-answers.ts"
import { fhirAnswer } from "./openapi.ts"
import { Bundle, resource } from "./schemas/fhir.ts"
import type { Turns } from "./turns.ts"

const { audit, access } = observationKind
const config = { access, audit, isLook: true }
const statistics = resource("Parameters", {
    parameter: Type.Optional(
        Type.Array(
            Type.Object({
                name: Type.Literal("statistics"),
                resource: Type.Object({
                    resourceType: Type.Literal("Observation"),
                    ...Type.Pick(observationSchema, ["status", "category", "code", "subject", "component"]).properties,
                    effectivePeriod: Type.Object({ start: Type.Optional(Type.String()), end: Type.String() }),
                }),
            }),
        ),
    ),
})

/** The operations `$lastn`, `$stats` and `$everything`. */
export function fhirOperations(fhir: FastifyInstance, clinic: Clinic, turns: Turns): void {
    const observations = (summary: string) => ({
        tags: fhirTags,
        summary,
        response: { 200: fhirAnswer("A page", Bundle([observationKind.schema])) },
    })
    fhir.get(
        "/Observation/$lastn",
        { schema: observations("The last ones of each patient and code"), config },
        async (request, reply) => {
            const query = queryOf(request)
            const max = takeMax(query)
            const parsed = parseQuery(observationKind, query, { kinds: kindsByType, base: request.fhirBase })
            if (parsed.sort.length + parsed.includes.length + parsed.revincludes.length > 0)
                throw fault("_sort", "unknown")
            const asking = askingOf(request, clinic)
            const { items, named } = await turns.take(request, () => lastn(parsed, max, asking, kindsByType))
            about(request, ...(named ?? []), ...items.flatMap(({ patients }) => patients))
            const matches = items.map(({ resource }) => subsetOf(versioned(resource), observationKind, parsed.subset))
            const self = `Observation/$lastn?${new URLSearchParams([...parsed.understood, ["max", String(max)]])}`
            return send(reply, searchBundle({ base: request.fhirBase, self, matches }))
        },
    )

    fhir.get(
        "/Observation/$stats",
        {
            schema: {
                ...observations("Statistics of a patient and a time"),
                response: { 200: fhirAnswer("It", statistics) },
            },
            config,
        },
        async (request, reply) => {
            const query = queryOf(request)
            const { statistics, durationMs } = takeStatistics(query)
            const { criteria } = parseQuery(observationKind, query, { kinds: kindsByType, base: request.fhirBase })
            const asking = askingOf(request, clinic)
            const all = await resolved(observationKind, criteria, asking, kindsByType)
            const other = all.find(({ name }) => !["patient", "subject", "code", "category", "date"].includes(name))
            if (other) throw fault(other.name, "unknown")
            const [patient, ...others] = asking.known(access, numbers(namedIn(all) ?? []))
            if (namedIn(all)?.length !== 1 || others.length > 0) throw fault("patient", "malformed")
            about(request, patient)
            if (patient === undefined) throw new ProblemError("not-found", { what: "resource" })
            const { when, measured } = narrowed(all, asking.now)
            const [range, ...rest] = when?.moments ?? [{ from: -Infinity, before: asking.now + 1 }]
            if (rest.length > 0) throw fault("date", "malformed")
            const before = Math.min(range?.before ?? 0, asking.now + 1)
            const from = Math.max(range?.from ?? 0, durationMs === undefined ? -Infinity : before - durationMs)
            const of = { patient, names: measured, from, before, statistics }
            return send(reply, await turns.take(request, () => stats(of, asking)))
        },
    )

    fhir.get<{ Params: { id: string } }>(
        "/Patient/:id/$everything",
        {
            schema: {
                tags: fhirTags,
                summary: "All there is of a patient, page by page",
                params: Type.Object({ id: Type.String() }),
                response: { 200: fhirAnswer("A page", Bundle(resourceKinds.map(({ schema }) => schema))) },
            },
            config,
        },
        async (request, reply) => {
            const query = queryOf(request)
            const { id } = request.params
            const wanted = parseEverything(query, patientKind, kindsByType, request.fhirBase)
            const asking = askingOf(request, clinic)
            const [patient] = await patientKind.read([id], asking)
            if (!patient) throw new ProblemError("not-found", { what: "resource" })
            about(request, ...patient.patients)
            const { items, next } = await turns.take(request, () => everything(id, wanted, asking, kindsByType))
            const url = (query: URLSearchParams) => `Patient/${id}/$everything${query.size > 0 ? `?${query}` : ""}`
            const following = new URLSearchParams(query)
            if (next !== undefined) following.set("_cursor", next)
            const matches = items.map(({ resource }: Item) => versioned(resource))
            return send(
                reply,
                searchBundle({
                    ...{ base: request.fhirBase, self: url(query), matches },
                    next: next === undefined ? undefined : url(following),
                }),
            )
        },
    )
}
