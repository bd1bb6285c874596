import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from "fastify"
import type { Log } from "../../host/log.ts"
import { toOutcome } from "../fhir/outcome.ts"
import { SearchError } from "../fhir/search-error.ts"
import { Conflict } from "../errors.ts"
import { StoreFailure } from "../store/failure.ts"
import { fhirType } from "./schemas/fhir.ts"
import type { App } from "./typed-app.ts"

/** Answers with this status; the message is for the client. */
export class HttpError extends Error {
    readonly statusCode: number

    constructor(statusCode: number, message: string) {
        super(message)
        this.statusCode = statusCode
    }
}

export const fhirContentType = `${fhirType}; charset=utf-8`

/** Every failure becomes one plain answer: an OperationOutcome under /fhir, else `{"error": …}`. */
export function answerErrors(app: App, log: Log): void {
    app.setErrorHandler((error: FastifyError, request, reply) => {
        // Who hangs up in the middle of a request may make anything fail, and nobody needs to know.
        const hasHungUp = request.raw.socket.remoteAddress === undefined
        const status = hasHungUp ? 400 : statusOf(error)
        if (status >= 500) log.error({ route: request.routeOptions.url, reason: error.message }, "request failed")
        return answer(
            request,
            reply,
            status,
            status < 500 || error instanceof StoreFailure ? error.message : "it did not work",
        )
    })
    app.setNotFoundHandler((request, reply) => answer(request, reply, 404, "not found"))
}

function statusOf(error: FastifyError): number {
    if (error instanceof SearchError) return 400
    if (error instanceof Conflict) return 409
    if (error instanceof StoreFailure) return error.kind === "full" ? 507 : 503
    return error.statusCode ?? 500
}

/** Fails before there is a route, and so before `answerErrors` can see it: a malformed address. */
export function answerFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
    void answer(request, reply, error.statusCode ?? 400, "the address is malformed")
}

/** One line on the first thing that is wrong with a body or an address. */
export function formatSchemaError(errors: FastifySchemaValidationError[], where: string): Error {
    const { instancePath = "", message = "is wrong" } = errors[0] ?? {}
    return new Error(`${where}${instancePath} ${message}`)
}

function answer(request: FastifyRequest, reply: FastifyReply, status: number, message: string): FastifyReply {
    if (status === 401) reply.header("WWW-Authenticate", "Bearer")
    reply.code(status)
    if (!request.url.startsWith("/fhir")) return reply.send({ error: message })
    // A string: the route's own serializer is for its resources.
    return reply.type(fhirContentType).send(JSON.stringify(toOutcome(status, message)))
}
