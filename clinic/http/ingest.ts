import { createHash } from "node:crypto"
import type { FastifyInstance } from "fastify"
import { decodeBatch, encodeKeys, encodeResults, maxBatchBytes, type Delivery } from "../../wire/batch.ts"
import { WireError } from "../../wire/cbor.ts"
import type { Clinic } from "../clinic.ts"
import { userFrom } from "./auth.ts"
import { HttpError } from "./errors.ts"

const cborType = "application/cbor"

/** For routers: batches of envelopes in, keys out. Both are CBOR (wire/batch.ts). */
export async function ingestRoutes(app: FastifyInstance, clinic: Clinic): Promise<void> {
    await app.register(async scope => {
        scope.removeAllContentTypeParsers()
        scope.addContentTypeParser(cborType, { parseAs: "buffer", bodyLimit: maxBatchBytes }, (_request, body, done) =>
            done(null, body),
        )
        scope.post<{ Body: Buffer | undefined }>(
            "/ingest",
            { bodyLimit: maxBatchBytes, config: { access: ["router"] } },
            async (request, reply) => {
                const batch = batchIn(request.body ?? new Uint8Array())
                const results = await clinic.ingest(batch, userFrom(request).id)
                return reply.type(cborType).send(Buffer.from(encodeResults(results)))
            },
        )
        scope.get("/ingest/keys", { config: { access: ["router"] } }, async (request, reply) => {
            const keys = Buffer.from(encodeKeys(await clinic.keys()))
            const etag = `"${createHash("sha256").update(keys).digest("base64url")}"`
            reply.header("etag", etag)
            if (request.headers["if-none-match"] === etag) return reply.code(304).send()
            return reply.type(cborType).send(keys)
        })
    })
}

function batchIn(body: Uint8Array): Delivery[] {
    try {
        return decodeBatch(body)
    } catch (error) {
        if (error instanceof WireError) throw new HttpError(400, `not a batch: ${error.message}`)
        throw error
    }
}
