import type { FastifyError, FastifyInstance } from "fastify"

/** Answers with this status; the message is for the page. */
export class HttpError extends Error {
    readonly statusCode: number

    constructor(statusCode: number, message: string) {
        super(message)
        this.statusCode = statusCode
    }
}

/** Every failure becomes one plain answer: `{"error": …}`. */
export function answerErrors(app: FastifyInstance): void {
    app.setErrorHandler((error: FastifyError, _request, reply) => {
        const status = error.statusCode ?? 500
        return reply.code(status).send({ error: status < 500 ? error.message : "it did not work" })
    })
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "there is no such thing" }))
}
