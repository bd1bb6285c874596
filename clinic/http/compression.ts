import { promisify } from "node:util"
import { gzip } from "node:zlib"
import Negotiator from "negotiator"
import type { App } from "./typed-app.ts"

declare module "fastify" {
    interface FastifyContextConfig {
        /** Large answers that repeat nothing of the request beside a secret, so that their length tells nobody anything. */
        isCompressed?: boolean
    }
}

/** Below this there is nothing to gain. */
const leastBytes = 1024
const compress = promisify(gzip)

/** Answers of routes that say so are compressed for clients that take it (RFC 9110 §12.5.3). */
export function compressAnswers(app: App): void {
    app.addHook("onSend", async (request, reply, payload) => {
        if (!request.routeOptions.config.isCompressed) return payload
        const varies = reply.getHeader("vary")
        reply.header("vary", varies === undefined ? "accept-encoding" : `${String(varies)}, accept-encoding`)
        if (typeof payload !== "string" && !Buffer.isBuffer(payload)) return payload
        const isTaken = new Negotiator(request.raw).encoding(["gzip", "identity"]) === "gzip"
        if (!isTaken || payload.length < leastBytes) return payload
        reply.header("content-encoding", "gzip")
        reply.removeHeader("content-length")
        return await compress(payload)
    })
}
