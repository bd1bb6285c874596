import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from "fastify"
import type { Clock } from "../../host/clock.ts"
import { LogSummary } from "../../host/log-summary.ts"
import type { Log } from "../../host/log.ts"
import { ConfigError } from "../../wire/settings.ts"
import { problemDetails, problemKinds, problemMediaType, type Problem } from "../../wire/tables/problems.ts"
import { ProblemError } from "../errors.ts"
import { toOutcome } from "../fhir/outcome.ts"
import { StoreFailure } from "../store/failure.ts"
import { fhirType } from "./schemas/fhir.ts"
import type { App } from "./typed-app.ts"

const fhirContentType = `${fhirType}; charset=utf-8`

/** Every failure becomes one plain answer: an OperationOutcome under /fhir, else problem details (RFC 9457). */
export function answerErrors(app: App, o: { log: Log; clock: Clock }): void {
    const failures = new LogSummary("requests failed", { ...o, level: "error" })
    app.setErrorHandler((error: FastifyError, request, reply) => {
        // Who hangs up in the middle of a request may make anything fail, and nobody needs to know.
        const hasHungUp = request.raw.socket.remoteAddress === undefined
        const problem: Problem = hasHungUp ? { code: "bad-request" } : problemOf(error)
        const isOurs = problemKinds[problem.code].status >= 500 && !(error instanceof ProblemError)
        if (isOurs) failures.count(`${request.routeOptions.url}: ${error.message}`)
        return answer(request, reply, problem, isOurs ? undefined : error.message)
    })
    app.setNotFoundHandler((request, reply) => answer(request, reply, { code: "not-found", what: "address" }))
}

function problemOf(error: FastifyError): Problem {
    if (error instanceof ProblemError) return error.problem
    if (error instanceof StoreFailure) return { code: error.kind === "full" ? "disk-full" : "database-broken" }
    if (error instanceof ConfigError) return { code: "bad-settings", refusal: error.refusal }
    switch (error.statusCode) {
        case 413:
            return { code: "too-large" }
        case 415:
            return { code: "media-type" }
        case 429:
            return { code: "too-often" }
    }
    return { code: error.statusCode !== undefined && error.statusCode < 500 ? "bad-request" : "failed" }
}

/** Fails before there is a route, and so before `answerErrors` can see it: a malformed address. */
export function answerFrameworkError(_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
    void answer(request, reply, { code: "bad-address" })
}

/** The first thing that is wrong with a body or an address. */
export function formatSchemaError(errors: FastifySchemaValidationError[], where: string): Error {
    const { instancePath = "", keyword: rule, message = "is wrong" } = errors[0] ?? {}
    const place = where + instancePath
    return new ProblemError("bad-request", { place, ...(rule !== undefined && { rule }) }, `${place} ${message}`)
}

function answer(request: FastifyRequest, reply: FastifyReply, problem: Problem, detail?: string): FastifyReply {
    const { status } = problemKinds[problem.code]
    request.problem = problem.code
    if (status === 401) reply.header("WWW-Authenticate", "Bearer")
    reply.code(status)
    const details = problemDetails(problem, detail)
    // Strings: the route's own serializer is for its resources.
    if (!request.url.startsWith("/fhir")) return reply.type(problemMediaType).send(JSON.stringify(details))
    return reply.type(fhirContentType).send(JSON.stringify(toOutcome(problem, details)))
}
