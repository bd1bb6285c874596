import { X509Certificate } from "node:crypto"
import { Pool } from "undici"
import { UserError } from "../host/errors.ts"
import {
    decodeKeys,
    decodeResults,
    encodeBatch,
    maxBatch,
    maxKeysBytes,
    maxReasonChars,
    routerHeader,
} from "../wire/batch.ts"
import type { RouterKeys } from "../wire/keys.ts"
import type { ClinicLink } from "./clinic-link.ts"

/** How long a connection, and then a whole exchange, may take. */
const connectMs = 10_000
const exchangeMs = 30_000
/** Results for a full batch with the longest reasons (4 bytes a character at most). */
const maxResultsBytes = maxBatch * (32 + 4 * maxReasonChars)

/**
 * The clinic's HTTPS interface on one kept-alive connection. `url` is its root, `ca` the certificate (PEM) that has to
 * have signed the clinic's, where that is not a public one. Throws UserError for an unusable URL or certificate.
 */
export function httpsClinic(o: { url: string; ca?: string; token: string; now?: () => number }): ClinicLink {
    const { now = Date.now } = o
    const root = parseUrl(o.url)
    const prefix = root.pathname.replace(/\/$/, "")
    const pool = new Pool(root.origin, {
        connections: 1,
        connect: { ca: o.ca === undefined ? undefined : checkedPem(o.ca), timeout: connectMs },
        maxResponseSize: Math.max(maxKeysBytes, maxResultsBytes),
    })
    /** The last keys, and the entity tag under which the clinic says that they are still the same (RFC 9110 §13.1.2). */
    let newest: { etag: string; keys: RouterKeys[] } | undefined
    let storeSince: number | undefined
    const exchange = async (
        method: "GET" | "POST",
        path: string,
        signal?: AbortSignal,
        { body, etag: known }: { body?: Uint8Array; etag?: string } = {},
    ): Promise<{ status: number; etag: string | undefined; bytes: Uint8Array }> => {
        signal?.throwIfAborted()
        const abort = new AbortController()
        const giveUp = () => abort.abort(new Error("given up"))
        const timer = setTimeout(() => abort.abort(new Error("no answer in time")), exchangeMs)
        signal?.addEventListener("abort", giveUp)
        try {
            const response = await pool.request({
                method,
                path: prefix + path,
                headers: {
                    authorization: `Bearer ${o.token}`,
                    accept: "application/cbor",
                    [routerHeader.sentAt]: String(Math.trunc(now())),
                    ...(storeSince !== undefined && { [routerHeader.storeSince]: String(Math.trunc(storeSince)) }),
                    ...(body && { "content-type": "application/cbor" }),
                    ...(known !== undefined && { "if-none-match": known }),
                },
                body,
                signal: abort.signal,
            })
            const bytes = new Uint8Array(await response.body.arrayBuffer())
            const { statusCode: status, headers } = response
            const etag = typeof headers.etag === "string" ? headers.etag : undefined
            const isGood = status === 200 || (status === 304 && known !== undefined)
            if (isGood) return { status, etag, bytes }
            throw new Error(`the clinic answered ${method} ${path} with ${status}`)
        } finally {
            clearTimeout(timer)
            signal?.removeEventListener("abort", giveUp)
        }
    }
    return {
        storeIsSince: time => (storeSince = time),
        deliver: async (batch, signal) => {
            const body = encodeBatch(batch)
            return decodeResults((await exchange("POST", "/ingest", signal, { body })).bytes)
        },
        keys: async signal => {
            const path = "/ingest/keys"
            const before = newest
            const asked = before && { etag: before.etag }
            const { status, etag, bytes } = await exchange("GET", path, signal, asked)
            if (before && status === 304) return before.keys
            const keys = decodeKeys(bytes)
            newest = etag === undefined ? undefined : { etag, keys }
            return keys
        },
        close: () => pool.destroy(),
    }
}

function parseUrl(text: string): URL {
    if (!URL.canParse(text)) throw new UserError(`not a URL: ${text}`)
    const url = new URL(text)
    if (url.protocol !== "https:") throw new UserError(`the clinic's URL has to be https: ${text}`)
    return url
}

function checkedPem(pem: string): string {
    try {
        new X509Certificate(pem)
        return pem
    } catch {
        throw new UserError("the clinic's certificate authority is no certificate in PEM")
    }
}
