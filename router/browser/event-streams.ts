import { PassThrough } from "node:stream"
import type { FastifyReply, FastifyRequest } from "fastify"
import type { CoapMessage } from "../coap/message.ts"
import { OptionNumber, uintOption } from "../coap/options.ts"
import type { Server } from "../coap/requester.ts"
import type { Router } from "../router.ts"
import { answered } from "./decoded.ts"
import { HttpRequester } from "./http-requester.ts"

/** HTTP clients that observe something at the same time. */
const maxStreams = 32
/** A client that does not read so many bytes of notifications is cut off. */
const maxBacklogBytes = 256 * 1024

/**
 * Observe (RFC 7641) as Server-Sent Events: `first` is the response to the registration, `notification` each later one, both as JSON
 * (`Answered`), and `over` comes when no further one will.
 */
export class EventStreams {
    private readonly router: Pick<Router, "serve">
    private readonly mayGoOn: (request: FastifyRequest) => boolean
    private count = 0

    /** @param mayGoOn tells whether who has asked may still look */
    constructor(router: Pick<Router, "serve">, mayGoOn: (request: FastifyRequest) => boolean) {
        this.router = router
        this.mayGoOn = mayGoOn
    }

    /**
     * @param request a GET request without Observe
     * @param serve of the server that is asked, by default the router
     */
    async observe(
        request: CoapMessage,
        httpRequest: FastifyRequest,
        reply: FastifyReply,
        serve: Server = this.router.serve,
    ): Promise<unknown> {
        void reply.header("cache-control", "no-store")
        if (this.count >= maxStreams)
            return await reply.code(503).send({ reason: "too many clients observe something" })
        this.count++
        const stream = new PassThrough({ highWaterMark: maxBacklogBytes })
        const requester = new HttpRequester(httpRequest.ip)
        const send = (event: string, response: CoapMessage, ms: number) => {
            const isRead = stream.write(`event: ${event}\ndata: ${JSON.stringify(answered(response, ms))}\n\n`)
            if (!isRead) stream.destroy() // the client does not read
        }
        requester.ended = () => stream.end("event: over\ndata: {}\n\n")
        requester.notified = response => {
            if (this.mayGoOn(httpRequest)) send("notification", response, 0)
            else stream.destroy()
        }
        stream.once("close", () => {
            this.count--
            requester.close()
        })
        void this.register(request, requester, send, serve).then(isObserved => {
            if (!isObserved) requester.ended()
        })
        return await reply.type("text/event-stream").send(stream)
    }

    private async register(
        request: CoapMessage,
        requester: HttpRequester,
        send: (event: string, response: CoapMessage, ms: number) => void,
        serve: Server,
    ): Promise<boolean> {
        const start = performance.now()
        const options = [...request.options, uintOption(OptionNumber.Observe, 0)].sort((a, b) => a.number - b.number)
        const response = await serve({ ...request, options }, requester)
        send("first", response, performance.now() - start)
        return response.options.some(({ number }) => number === OptionNumber.Observe)
    }
}
