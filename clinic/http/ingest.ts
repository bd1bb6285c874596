import { createHash } from "node:crypto"
import type { FastifyInstance, FastifyRequest } from "fastify"
import {
    decodeBatch,
    decodeWanted,
    encodeKeys,
    encodeResults,
    headerTime,
    maxBatchBytes,
    maxKeys,
    maxWantedBytes,
    routerHeader,
} from "../../wire/batch.ts"
import { WireError } from "../../wire/cbor.ts"
import { eui, type RouterKeys } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import type { RouterTimes } from "../routers.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { NoContent } from "./schemas/common.ts"
import { Batch, cborType, Keys, Results, Wanted } from "./schemas/router.ts"
import type { App } from "./typed-app.ts"

const tags = ["router"]
const config = { access: "deliver", audit: "none" } as const
const cbor = <T>(schema: T) => ({ content: { [cborType]: { schema } } })

/** For routers: batches of envelopes in, keys out. Both are CBOR (wire/batch.ts). */
export async function ingestRoutes(app: App, clinic: Clinic): Promise<void> {
    await app.register(async (scope: FastifyInstance) => {
        scope.removeAllContentTypeParsers()
        scope.addContentTypeParser(cborType, { parseAs: "buffer", bodyLimit: maxBatchBytes }, (_request, body, done) =>
            done(null, body),
        )
        // The schema says what the bytes are; decodeBatch checks them.
        scope.setValidatorCompiler(() => () => true)
        scope.post(
            "/ingest",
            {
                schema: {
                    tags,
                    summary: "Deliver envelopes; each is stored durably, or known already, or refused",
                    body: cbor(Batch),
                    response: { 200: { description: "Results", ...cbor(Results) } },
                },
                bodyLimit: maxBatchBytes,
                config,
            },
            async (request: FastifyRequest, reply) => {
                const results = await clinic.ingest(decoded(request, decodeBatch), router(request))
                return reply.type(cborType).send(Buffer.from(encodeResults(results)))
            },
        )
        scope.get(
            "/ingest/keys",
            {
                schema: {
                    tags,
                    summary: "What routers need to know of the motes; ask again with If-None-Match",
                    response: {
                        200: { description: "Keys", ...cbor(Keys) },
                        304: { ...NoContent, description: "No change" },
                    },
                },
                config,
            },
            async (request, reply) => {
                const { account } = await heard(request, clinic)
                const { after } = request.query as { after?: unknown }
                const { page, next } = pageOf(await clinic.keys(account), after)
                if (next !== undefined) reply.header("link", `</ingest/keys?after=${next}>; rel="next"`)
                const keys = Buffer.from(encodeKeys(page))
                const etag = `"${createHash("sha256").update(keys).digest("base64url")}"`
                reply.header("etag", etag)
                if (request.headers["if-none-match"] === etag) return reply.code(304).send()
                return reply.type(cborType).send(keys)
            },
        )
        scope.post(
            "/ingest/keys",
            {
                schema: {
                    tags,
                    summary: "The keys of motes that have shown up at a router; it keeps them from now on",
                    body: cbor(Wanted),
                    response: { 200: { description: "Of those that it may have", ...cbor(Keys) } },
                },
                bodyLimit: maxWantedBytes,
                config,
            },
            async (request: FastifyRequest, reply) => {
                const { account } = await heard(request, clinic)
                const keys = await clinic.keysOf(decoded(request, decodeWanted), account)
                return reply.type(cborType).send(Buffer.from(encodeKeys(keys)))
            },
        )
    })
}

/**
 * The keys of so many motes that a router takes them, from after the one whose `kid` in hex is `after`, and where to go on;
 * two keys of one mote stay together.
 */
export function pageOf(
    keys: RouterKeys[],
    after: unknown,
    max = maxKeys,
): { page: RouterKeys[]; next: string | undefined } {
    const isAfter = (kid: string) => typeof after !== "string" || kid > after
    const sorted = keys
        .map(key => ({ kid: eui(key.kid), key }))
        .filter(({ kid }) => isAfter(kid))
        .sort((a, b) => (a.kid < b.kid ? -1 : Number(a.kid > b.kid)))
    let end = Math.min(max, sorted.length)
    while (end > 1 && end < sorted.length && sorted[end]!.kid === sorted[end - 1]!.kid) end--
    const page = sorted.slice(0, end)
    return { page: page.map(({ key }) => key), next: end < sorted.length ? page.at(-1)!.kid : undefined }
}

/** Whose router asks, and that it does: one that has nothing to deliver is not silent. */
async function heard(request: FastifyRequest, clinic: Clinic): Promise<{ account: number }> {
    const from = router(request)
    await clinic.routers.heard(from.account, from, clinic.now())
    return from
}

/** The router's account, and what it says of its own clock. */
function router(request: FastifyRequest): { account: number } & RouterTimes {
    const { headers } = request
    return {
        account: userFrom(request).id,
        sentAt: headerTime(headers[routerHeader.sentAt]),
        storeSince: headerTime(headers[routerHeader.storeSince]),
    }
}

function decoded<T>({ body }: FastifyRequest, decode: (bytes: Uint8Array) => T): T {
    try {
        return decode((body as Buffer | undefined) ?? new Uint8Array())
    } catch (error) {
        if (error instanceof WireError) throw new ProblemError("bad-batch", {}, error.message)
        throw error
    }
}
