import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { bundlePages, pagePolicy, type Pages } from "../../host/pages.ts"
import { mayOnlyLook } from "../access/sign-in.ts"
import { Code, message, type CoapMessage } from "../coap/message.ts"
import { hasValidLength, OptionNumber } from "../coap/options.ts"
import { uriOptions } from "../relay/relay.ts"
import type { Server } from "../coap/requester.ts"
import type { Router } from "../router.ts"
import { TargetError, type Targets } from "../targets/targets.ts"
import { answered } from "./decoded.ts"
import type { EventStreams } from "./event-streams.ts"
import { HttpRequester } from "./http-requester.ts"
import type { Asked, ClinicStatus, Network, RouterState } from "./messages.ts"

/** The part of a router that its page needs. */
export type Browsed = Pick<Router, "serve" | "stats" | "status">

/** What a router does not know itself, but its page shows. */
export interface Around {
    /** Where the same is served over CoAP. */
    coapPort: number | undefined
    maxOutboxBytes?: number
    /** What requests to a clinic have shown; `silentMs`: time since it last answered. */
    clinic?: (name: string) => { silentMs: number; clockErrorMs: number | undefined }
    network?: () => Network | undefined
    /** Other CoAP servers that the page may ask. */
    targets?: Pick<Targets, "text" | "serverAt">
}

/** A mote takes 384 bytes, in hex twice as many, beside the path and the options. */
const maxBodyBytes = 8192
/** The token of a request, which never leaves this process. */
const tokenBytes = 8

const pathOrUri = Type.String({ pattern: "^(/|coap(\\+tcp)?://)", maxLength: 1536 })
const asked = Type.Object(
    {
        method: Type.Union([Type.Literal("GET"), Type.Literal("POST"), Type.Literal("PUT"), Type.Literal("DELETE")]),
        path: pathOrUri,
        options: Type.Array(
            Type.Object({
                number: Type.Integer({ minimum: 0, maximum: 0xffff }),
                value: Type.String({ pattern: "^([0-9a-f]{2})*$", maxLength: 512 }),
            }),
            { maxItems: 32 },
        ),
        payload: Type.String({ pattern: "^([0-9a-f]{2})*$", maxLength: 4096 }),
    },
    { additionalProperties: false },
)
const observed = Type.Object({ path: pathOrUri })

/**
 * The CoAP browser: a page at `/` that discovers, asks and observes the resources of the motes and of this router, and what
 * it asks from this server. Everything goes the way of any other client's request: motes keep their rate limit.
 * @returns handler that sends the page
 */
export function browserRoutes(
    app: FastifyInstance,
    router: Browsed,
    around: Around,
    streams: EventStreams,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
    let pages: Pages | undefined
    for (const path of ["/assets/app.js", "/assets/app.css", "/favicon.svg"])
        app.get(path, { config: { needs: "nothing" } }, async (request, reply) => await sendPage(path, request, reply))
    app.get("/api/state", async ({ visitor }, reply) => {
        const status = router.status()
        const state: RouterState = {
            ...status,
            clinics: status.clinics.map(clinic => ({ ...clinic, ...contactWith(clinic.name, around) })),
            coapPort: around.coapPort ?? null,
            maxOutboxBytes: around.maxOutboxBytes ?? null,
            targets: around.targets?.text ?? null,
            network: around.network?.() ?? null,
            stats: { ...router.stats() },
            visitor,
        }
        return await reply.header("cache-control", "no-store").send(state)
    })

    // In a scope of its own, because a body in JSON that is meant for a mote stays bytes.
    void app.register((scope, _options, registered) => {
        scope.addContentTypeParser(
            "application/json",
            { parseAs: "string" },
            scope.getDefaultJsonParser("error", "error"),
        )
        scope.post<{ Body: Static<typeof asked> }>(
            "/api/request",
            { schema: { body: asked }, bodyLimit: maxBodyBytes, config: { needs: "look" } },
            async ({ body, ip, visitor }, reply) => {
                if (body.method !== "GET" && visitor?.right === "look")
                    return await reply.code(403).send({ reason: mayOnlyLook })
                const { base, path } = split(body.path)
                const request = coapRequest({ ...body, path })
                if (typeof request === "string") return await reply.code(400).send({ reason: request })
                const serve = await serverAt(base)
                if (serve instanceof TargetError) return await reply.code(serve.status).send({ reason: serve.message })
                const start = performance.now()
                const response = await serve(request, new HttpRequester(ip))
                const ms = performance.now() - start
                return await reply.header("cache-control", "no-store").send(answered(response, ms))
            },
        )
        registered()
    })

    app.get<{ Querystring: Static<typeof observed> }>(
        "/api/observe",
        { schema: { querystring: observed } },
        async (httpRequest, reply) => {
            const { base, path } = split(httpRequest.query.path)
            const request = coapRequest({ method: "GET", path, options: [], payload: "" })
            if (typeof request === "string") return await reply.code(400).send({ reason: request })
            const serve = await serverAt(base)
            if (serve instanceof TargetError) return await reply.code(serve.status).send({ reason: serve.message })
            return await streams.observe(request, httpRequest, reply, serve)
        },
    )

    /** The server of what is before a path: this router, or another one that the operator allows. */
    async function serverAt(base: string): Promise<Server | TargetError> {
        if (base === "") return router.serve
        if (!around.targets)
            return new TargetError(403, "other servers are not allowed: start the router with --allow-targets")
        try {
            return await around.targets.serverAt(base)
        } catch (error) {
            if (error instanceof TargetError) return error
            throw error
        }
    }

    /** Bundled when somebody first looks: most routers are never looked at. */
    async function sendPage(path: string, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
        pages ??= bundlePages(fileURLToPath(new URL("../web/", import.meta.url)))
        const { type, body, etag } = pages.get(path)!
        void reply.headers({ etag, "cache-control": "no-cache", "content-security-policy": policy })
        if (request.headers["if-none-match"] === etag) return await reply.code(304).send()
        return await reply.type(type).send(body)
    }
    return (request, reply) => sendPage("/", request, reply)
}

/** The page loads and asks only what is its own. */
const policy = Object.entries(pagePolicy.directives)
    .map(([name, sources]) => `${name.replace(/[A-Z]/g, capital => `-${capital.toLowerCase()}`)} ${sources.join(" ")}`)
    .join("; ")

/** Splits a URI of another server before its path; the base of a path at this router is empty. */
function split(uri: string): { base: string; path: string } {
    const [, base = "", path = ""] = /^(coap(?:\+tcp)?:\/\/[^/?]*)?(.*)$/s.exec(uri)!
    return { base, path: path.startsWith("/") ? path : `/${path}` }
}

/** Builds the CoAP request, or says what is wrong with it. */
function coapRequest({ method, path, options, payload }: Asked): CoapMessage | string {
    const [plain = "", query = ""] = path.split("?", 2)
    const uri = uriOptions(plain, query)
    if (!uri) return "the path has a malformed percent-encoding"
    const extra = options.map(({ number, value }) => ({ number, value: Buffer.from(value, "hex") }))
    if (extra.some(({ number }) => number === OptionNumber.Observe)) return "option 6, Observe, has a way of its own"
    const bad = [...uri, ...extra].find(option => !hasValidLength(option))
    if (bad) return `option ${bad.number} cannot have ${bad.value.length} bytes`
    return message(Code[method], {
        token: randomBytes(tokenBytes),
        options: [...uri, ...extra].sort((a, b) => a.number - b.number),
        payload: Buffer.from(payload, "hex"),
    })
}

function contactWith(name: string, { clinic }: Around): Pick<ClinicStatus, "silentMs" | "clockErrorMs"> {
    const contact = clinic?.(name)
    return { silentMs: contact?.silentMs ?? null, clockErrorMs: contact?.clockErrorMs ?? null }
}
