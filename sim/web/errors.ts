import type { FastifyError, FastifyInstance } from "fastify"

/** Responds with this status; the message is shown on the page. */
export class HttpError extends Error {
    readonly statusCode: number

    constructor(statusCode: number, message: string) {
        super(message)
        this.statusCode = statusCode
    }
}

/** Turns every failure into one plain response: `{"error": …}`. */
export function answerErrors(app: FastifyInstance): void {
    app.setErrorHandler((error: FastifyError, _request, reply) => {
        const status = error.statusCode ?? 500
        return reply.code(status).send({ error: status < 500 ? error.message : "internal error" })
    })
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "not found" }))
}
