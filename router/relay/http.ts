import { createHash, randomBytes } from "node:crypto"
import type { TlsOptions } from "node:tls"
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify"
import { isFromOtherSite, isOwnHost } from "../../host/other-sites.ts"
import { Code, codeClass, dotted, message, type CoapMessage } from "../coap/message.ts"
import { OptionNumber, uintOption, uintValue } from "../coap/options.ts"
import { packPage, senmlJson } from "./html.ts"
import { contentFormatOf, httpStatus, mediaTypeOf, preferred } from "./http-mapping.ts"
import { EventStreams } from "../browser/event-streams.ts"
import { isEui } from "../../wire/keys.ts"
import type { SignIn } from "../access/sign-in.ts"
import { browserRoutes, type Around } from "../browser/routes.ts"
import type { Router } from "../router.ts"
import { uriOptions } from "./relay.ts"
import { coapOverWebSockets } from "./web-sockets.ts"
import { refusalKey } from "../../wire/refusal.ts"
import { refusalText } from "../../wire/tables/refusals.ts"
import { refusalOf } from "./refusal.ts"

/** The maximum size of a body, above that of any message to a mote. */
const maxBodyBytes = 2048
/** The time within which a request must arrive. */
const requestMs = 10_000
/** How long a connection may be idle between two requests. */
const keepAliveMs = 15_000
const maxConnections = 256

const methods: Record<string, number> = {
    GET: Code.GET,
    HEAD: Code.GET,
    POST: Code.POST,
    PUT: Code.PUT,
    DELETE: Code.DELETE,
    PATCH: Code.PATCH,
}
/** Asks for notifications instead of one response. */
const eventStream = "text/event-stream"
const formats = { json: "application/json", senml: "application/senml+json", html: "text/html" }

/** The part of a router that the relay needs. */
export type Relayed = Pick<Router, "relay" | "motes" | "serve" | "stats" | "status" | "accept" | "admit">

/**
 * The relay for HTTP clients (RFC 8075 §5.4), where `/m/<eui>/status` is the mote's `/status`, and a page that lists
 * the motes and browses what they serve. SenML is available in JSON and HTML as well. Requests from
 * pages of other sites are refused. With `o.signIn` everything but the page itself needs a login.
 * @param o.names additional host names under which clients reach this machine
 * @param o.signIn who may come in; without it, whoever reaches the port
 * @param o.tls of an HTTPS server; without it, it is HTTP
 * @param o.more adds further resources
 */
export function relayHttp(
    router: Relayed,
    o: Around & {
        names: string[]
        signIn?: SignIn
        tls?: TlsOptions
        more?: (app: FastifyInstance) => void
    },
): FastifyInstance {
    const { relay, motes } = router
    const app = fastify({
        bodyLimit: maxBodyBytes,
        requestTimeout: requestMs,
        keepAliveTimeout: keepAliveMs,
        exposeHeadRoutes: false,
        forceCloseConnections: true, // event streams never end by themselves
        ...(o.tls && { https: o.tls }),
    }) as unknown as FastifyInstance
    app.server.maxConnections = maxConnections
    app.removeAllContentTypeParsers()
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body))
    app.addHook("onRequest", async ({ method, headers }, reply) => {
        if (!isOwnHost(headers.host, o.names)) return await fault(reply, 421, "not a name of this machine")
        if (isFromOtherSite(method, headers, o.tls ? "https" : "http"))
            return await fault(reply, 403, "the request comes from another site")
        return undefined
    })
    app.decorateRequest("visitor", null)
    o.signIn?.guard(app)
    app.addHook("onSend", async (_request, reply) => {
        if (!reply.hasHeader("content-security-policy"))
            void reply.header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
        void reply.headers({
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        })
    })
    app.setNotFoundHandler((_request, reply) => fault(reply, 404, "no such resource"))
    app.setErrorHandler<{ statusCode?: number }>((error, _request, reply) => {
        const { statusCode = 500 } = error
        const reason = statusCode === 413 ? `at most ${maxBodyBytes} bytes` : "bad request"
        return fault(reply, statusCode, statusCode < 500 ? reason : "internal error")
    })
    const endWebSockets = coapOverWebSockets(app.server, router, request => {
        const { headers } = request
        if (!isOwnHost(headers.host, o.names)) return 421
        // A page of another site can open a WebSocket: what it may do is not asked for each message.
        if (isFromOtherSite("POST", headers, o.tls ? "https" : "http")) return 403
        if (!o.signIn) return undefined
        const visitor = o.signIn.visitorOf(request)
        return visitor === undefined ? 401 : visitor.right === "change" ? undefined : 403
    })
    app.addHook("preClose", async () => endWebSockets())
    o.more?.(app)
    const mayGoOn = (request: FastifyRequest) => !o.signIn || o.signIn.visitorOf(request) !== undefined
    const streams = new EventStreams(router, mayGoOn)
    const sendPage = browserRoutes(app, router, o, streams)
    app.get("/", { config: { needs: "nothing" } }, async (request, reply) => {
        const list = motes.list().map(({ eui, since, lastEnvelopeAt }) => ({
            eui,
            connected: new Date(since).toISOString(),
            lastEnvelope: new Date(lastEnvelopeAt).toISOString(),
        }))
        const type = preferred(request.headers.accept, [formats.html, formats.json])
        if (type === undefined) return await fault(reply, 406, "only HTML and JSON are available")
        void reply.header("vary", "accept")
        if (type === formats.html) return await sendPage(request, reply)
        if (o.signIn && !o.signIn.visitorOf(request)) return await fault(reply, 401, "please sign in")
        return await reply.header("cache-control", "no-store").type(type).send(JSON.stringify(list))
    })
    app.all("/m/*", async (request, reply) => {
        const code = methods[request.method]
        if (code === undefined) {
            void reply.header("allow", Object.keys(methods).join(", "))
            return await fault(reply, 405, "only GET, POST, PUT, PATCH and DELETE are allowed")
        }
        const [path = "", query = ""] = request.raw.url!.split("?", 2)
        const [, , eui = "", ...rest] = path.split("/")
        if (!isEui(eui)) return await fault(reply, 404, "a mote's identity has 16 lower-case hex digits")
        const options = uriOptions(`/${rest.join("/")}`, query)
        if (!options) return await fault(reply, 400, "malformed percent-encoding")
        if (request.method === "GET" && request.headers.accept === eventStream) {
            const target = uriOptions(`/m/${eui}/${rest.join("/")}`, query)!
            return await streams.observe(message(code, { token: newToken(), options: target }), request, reply)
        }
        const type = request.headers["content-type"]
        const contentFormat = type === undefined ? undefined : contentFormatOf(type)
        if (type !== undefined && contentFormat === undefined)
            return await fault(reply, 415, "this media type has no CoAP Content-Format")
        if (contentFormat !== undefined) options.push(uintOption(OptionNumber.ContentFormat, contentFormat))
        const body = Buffer.isBuffer(request.body) ? request.body : new Uint8Array(0)
        return await pass(await relay.request(eui, code, { options, payload: body }), request, reply)
    })
    return app
}

/** Returns the Content-Type header of a text format. JSON has no charset parameter. */
function utf8(type: string): string {
    return type === formats.html ? `${type}; charset=utf-8` : type
}

/** A token of a request that never leaves this process. */
function newToken(): Uint8Array {
    return randomBytes(8)
}

/** The entity tag of a representation, which differs between its media types (RFC 9110 §8.8.3). */
function entityTag(type: string, body: Uint8Array): string {
    return `"${createHash("sha256").update(`${type}\n`).update(body).digest("base64url").slice(0, 22)}"`
}

/** Tells whether the client has this representation already, RFC 9110 §13.1.2. */
function isKnown({ method, headers }: FastifyRequest, etag: string): boolean {
    if (method !== "GET" && method !== "HEAD") return false
    const known = headers["if-none-match"]?.split(",").map(tag => tag.trim().replace(/^W\//, "")) ?? []
    return known.includes("*") || known.includes(etag)
}

/** Sends a CoAP response as an HTTP response, RFC 8075 §7. */
async function pass(response: CoapMessage, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { code, options, payload } = response
    const maxAge = uintValue(options, OptionNumber.MaxAge)
    const isSuccess = codeClass(code) === 2
    if (!isSuccess) {
        if (maxAge !== undefined) void reply.header("retry-after", maxAge)
        const refusal = refusalOf(response)
        if (refusal) {
            const details = { type: refusalKey, status: httpStatus(code), detail: refusalText(refusal), ...refusal }
            return await reply.code(details.status).type("application/problem+json").send(JSON.stringify(details))
        }
        const reason = Buffer.from(payload).toString("utf8") || `CoAP ${dotted(code)}`
        return await fault(reply, httpStatus(code), reason)
    }
    void reply.header("cache-control", code === Code.Content ? `max-age=${maxAge ?? 60}` : "no-store")
    if (payload.length === 0) return await reply.code(code === Code.Content ? 200 : 204).send()
    const contentFormat = uintValue(options, OptionNumber.ContentFormat)
    const native = mediaTypeOf(contentFormat)
    const pack = senmlJson(contentFormat, payload)
    const offered = pack ? [native, formats.senml, formats.json, formats.html] : [native]
    const type = preferred(request.headers.accept, offered)
    if (type === undefined) return await fault(reply, 406, `only available as ${offered.join(", ")}`)
    void reply.code(httpStatus(code)).header("vary", "accept")
    const title = request.raw.url!.split("?")[0]!
    const text = type === formats.html ? () => packPage(title, pack!) : () => JSON.stringify(pack)
    const body = type === native ? Buffer.from(payload) : Buffer.from(text())
    const etag = entityTag(type, body)
    void reply.header("etag", etag)
    if (isKnown(request, etag)) return await reply.code(304).send()
    return await reply.type(type === native ? native : utf8(type)).send(body)
}

async function fault(reply: FastifyReply, status: number, reason: string): Promise<unknown> {
    return await reply.code(status).type("text/plain; charset=utf-8").send(`${reason}\n`)
}
