import { X509Certificate } from "node:crypto"
import { Pool } from "undici"
import { UserError } from "../host/errors.ts"
import {
    decodeKeys,
    decodeResults,
    encodeBatch,
    encodeWanted,
    maxBatch,
    maxKeysBytes,
    maxReasonChars,
    routerHeader,
} from "../wire/batch.ts"
import type { RouterKeys } from "../wire/keys.ts"
import type { ClinicLink } from "./clinic-link.ts"

/** The time limit for connecting. */
const connectMs = 10_000
/** The time limit for a request and its response. */
const exchangeMs = 30_000
/** The size of the results for a full batch with the longest reasons. */
const maxResultsBytes = maxBatch * (32 + maxReasonChars)

/**
 * Connects to the clinic's HTTPS interface over one persistent connection. `url` is its root. `ca` is the PEM
 * certificate of its certificate authority, unless that is a public one; with it no other is trusted. `client` is the
 * router's own certificate and key, for a clinic that asks for it. Throws UserError for an unusable URL or certificate.
 */
export function httpsClinic(o: {
    url: string
    ca?: string
    client?: { cert: string; key: string }
    token: string
    now?: () => number
}): ClinicLink {
    const { now = Date.now } = o
    const root = parseUrl(o.url)
    const prefix = root.pathname.replace(/\/$/, "")
    const pool = new Pool(root.origin, {
        connections: 1,
        connect: { ca: o.ca === undefined ? undefined : checkedPem(o.ca), ...o.client, timeout: connectMs },
        maxResponseSize: Math.max(maxKeysBytes, maxResultsBytes),
    })
    /** The latest keys, page by page. */
    let newest: { pages: KeyPage[]; keys: RouterKeys[] } | undefined
    let storeSince: number | undefined
    let heard: (time: number) => void = () => {}
    const exchange = async (
        method: "GET" | "POST",
        path: string,
        signal?: AbortSignal,
        { body, etag: known }: { body?: Uint8Array; etag?: string } = {},
    ): Promise<Answer> => {
        signal?.throwIfAborted()
        const abort = new AbortController()
        const giveUp = () => abort.abort(new Error("cancelled"))
        const timer = setTimeout(() => abort.abort(new Error("no response in time")), exchangeMs)
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
            const time = typeof headers.date === "string" ? Date.parse(headers.date) : NaN
            if (status < 500 && Number.isFinite(time)) heard(time)
            const [etag, link] = [headers.etag, headers.link].map(value =>
                typeof value === "string" ? value : undefined,
            )
            const isGood = status === 200 || (status === 304 && known !== undefined)
            if (isGood) return { status, etag, link, bytes }
            throw Object.assign(new Error(`the clinic answered ${method} ${path} with ${status}`), { status })
        } finally {
            clearTimeout(timer)
            signal?.removeEventListener("abort", giveUp)
        }
    }
    return {
        onTime: listener => (heard = listener),
        setStoreCreatedAt: time => (storeSince = time),
        deliver: async (batch, signal) => {
            const body = encodeBatch(batch)
            return decodeResults((await exchange("POST", "/ingest", signal, { body })).bytes)
        },
        keys: async signal => {
            const pages: KeyPage[] = []
            let path: string | undefined = keysPath
            while (path !== undefined) {
                if (pages.length === maxPages) throw new Error(`more than ${maxPages} pages of keys`)
                const before: KeyPage | undefined = newest?.pages.find(page => page.path === path)
                const asked = before?.etag === undefined ? {} : { etag: before.etag }
                const { status, etag, link, bytes } = await exchange("GET", path, signal, asked)
                const next = nextOf(link)
                const isSame = before !== undefined && status === 304 && before.next === next
                const keys = status === 304 && before ? before.keys : decodeKeys(bytes)
                pages.push(isSame ? before : { path, etag: etag ?? before?.etag, next, keys })
                path = pages.at(-1)!.next
            }
            const { pages: known = [], keys } = newest ?? {}
            const isUnchanged = pages.length === known.length && pages.every((page, i) => page === known[i])
            if (keys && isUnchanged) return keys
            newest = { pages, keys: pages.flatMap(page => page.keys) }
            return newest.keys
        },
        keysOf: async (kids, signal) =>
            decodeKeys((await exchange("POST", keysPath, signal, { body: encodeWanted(kids) })).bytes),
        close: () => pool.destroy(),
    }
}

interface Answer {
    status: number
    etag: string | undefined
    link: string | undefined
    bytes: Uint8Array
}

/** A page of keys. With its entity tag the clinic tells whether it has changed (RFC 9110 §13.1.2). */
interface KeyPage {
    path: string
    etag: string | undefined
    keys: RouterKeys[]
    /** The path of the next page, undefined for the last one. */
    next: string | undefined
}

const keysPath = "/ingest/keys"
/** The maximum number of pages, enough for a million motes. */
const maxPages = 100

/** Returns the path of the next page from its Link header (RFC 8288). Ignores links to anything but keys. */
function nextOf(link: string | undefined): string | undefined {
    const [, next] = /<(\/ingest\/keys\?after=[0-9a-f]{16})>; *rel="?next"?/.exec(link ?? "") ?? []
    return next
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
        throw new UserError("the file of the clinic's certificate authority is not a PEM certificate")
    }
}
