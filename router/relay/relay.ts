import type { Attachment } from "../attachment.ts"
import { block2Of } from "../coap/block.ts"
import type { RequestParts } from "../coap/connection.ts"
import { problem, type Proxy } from "../coap/dispatch.ts"
import { Code, type CoapMessage, type CoapOption } from "../coap/message.ts"
import { OptionNumber, uintOption, uintValue } from "../coap/options.ts"
import { isEui } from "../../wire/keys.ts"
import type { RelayedMote } from "./relayed-mote.ts"

/** The schemes in a Proxy-Uri. All mean the same, because a mote has only one connection. */
const schemes = ["coap+tcp:", "coap:"]
const methods: number[] = [...[Code.GET, Code.POST, Code.PUT, Code.DELETE], ...[Code.FETCH, Code.PATCH, Code.iPATCH]]
/** The options of a request that are forwarded to the mote, apart from its path. */
const passedOn: number[] = [
    OptionNumber.IfMatch,
    OptionNumber.IfNoneMatch,
    OptionNumber.ContentFormat,
    OptionNumber.UriQuery,
    OptionNumber.Accept,
]
/** The Max-Age of the response for a mote that is not connected. */
const absentMaxAgeS = 10

/** The target and the options of a forwarded request. */
export interface MoteRequest {
    eui: string
    /** The path, the query and the other forwarded options. */
    options: CoapOption[]
}

/**
 * Forwards clients' requests to motes over their connections (RFC 7252 §5.7). It is a reverse proxy for `/m/<eui>/…`
 * and a forward proxy for `coap+tcp://<eui>/…`.
 */
export class Relay {
    private readonly attachments: readonly Attachment[]

    constructor(attachments: readonly Attachment[]) {
        this.attachments = attachments
    }

    /** The proxy for `dispatch`. */
    readonly proxy: Proxy = (request, requester) => {
        const target = targetOf(request.options)
        if (!target) return undefined
        if (!("eui" in target)) return target
        const { eui, options } = target
        const parts = { options, payload: request.payload }
        const observe = uintValue(request.options, OptionNumber.Observe)
        const block2 = block2Of(request)
        if (request.code !== Code.GET || observe === undefined || (block2?.num ?? 0) > 0)
            return this.request(eui, request.code, parts)
        const { token } = request
        if (observe > 0) requester.cancelObserver(token)
        const mote = this.find(eui)
        if (observe > 0 || !mote) return this.request(eui, request.code, parts)
        return mote.observe(parts, { requester, token, block2 })
    }

    /** Sends a request to a mote. Never rejects: failures become error responses. */
    async request(eui: string, code: number, parts: RequestParts): Promise<CoapMessage> {
        if (!methods.includes(code)) return problem(Code.MethodNotAllowed, "no such method")
        const mote = this.find(eui)
        if (mote) return await mote.request(code, parts)
        if (this.attachments.some(attachment => attachment.has(eui)))
            return problem(Code.NotImplemented, "this mote uses MQTT, which has no requests")
        return problem(Code.ServiceUnavailable, "this mote is not connected", [
            uintOption(OptionNumber.MaxAge, absentMaxAgeS),
        ])
    }

    private find(eui: string): RelayedMote | undefined {
        for (const attachment of this.attachments) {
            const mote = attachment.relayed(eui)
            if (mote) return mote
        }
        return undefined
    }
}

/** Returns the target of a request, or an error response. Returns undefined for requests to the router itself. */
function targetOf(options: CoapOption[]): MoteRequest | CoapMessage | undefined {
    const uri = textOption(options, OptionNumber.ProxyUri)
    const scheme = textOption(options, OptionNumber.ProxyScheme)
    if (uri !== undefined) return fromUri(uri, options)
    const path = options.filter(({ number }) => number === OptionNumber.UriPath)
    const rest = options.filter(({ number }) => passedOn.includes(number))
    if (scheme !== undefined) {
        const eui = textOption(options, OptionNumber.UriHost)?.toLowerCase() ?? ""
        return schemes.includes(`${scheme}:`) && isEui(eui) ? { eui, options: [...path, ...rest] } : notForMotes
    }
    const [root, eui, ...more] = path
    if (!root || !eui || Buffer.from(root.value).toString() !== "m") return undefined
    const name = Buffer.from(eui.value).toString()
    if (!isEui(name)) return problem(Code.NotFound, "a mote's identity has 16 lower-case hex digits")
    return { eui: name, options: [...more, ...rest] }
}

/** Decomposes a Proxy-Uri into options (RFC 7252 §5.7.2 and §6.4). */
function fromUri(uri: string, options: CoapOption[]): MoteRequest | CoapMessage {
    if (!URL.canParse(uri)) return problem(Code.BadOption, "Proxy-Uri is not a URI")
    const { protocol, hostname, pathname, search } = new URL(uri)
    const eui = hostname.toLowerCase()
    if (!schemes.includes(protocol) || !isEui(eui)) return notForMotes
    const rest = options.filter(({ number }) => passedOn.includes(number) && number !== OptionNumber.UriQuery)
    const decoded = uriOptions(pathname, search.slice(1))
    return decoded ? { eui, options: [...decoded, ...rest] } : problem(Code.BadOption, "malformed percent-encoding")
}

/**
 * Returns the Uri-Path and Uri-Query options of a percent-encoded path and query; undefined for a malformed encoding.
 */
export function uriOptions(path: string, query: string): CoapOption[] | undefined {
    try {
        const queries = query === "" ? [] : query.split("&").map(decodeURIComponent)
        const segments = path.split("/").slice(1).map(decodeURIComponent)
        const value = (text: string) => Buffer.from(text)
        const isEmpty = segments.length === 1 && segments[0] === ""
        return [
            ...(isEmpty ? [] : segments).map(s => ({
                number: OptionNumber.UriPath,
                value: value(s),
            })),
            ...queries.map(q => ({ number: OptionNumber.UriQuery, value: value(q) })),
        ]
    } catch {
        return undefined
    }
}

const notForMotes = problem(Code.ProxyingNotSupported, "this is a proxy for coap+tcp://<eui>/ only")

function textOption(options: CoapOption[], number: number): string | undefined {
    const option = options.find(o => o.number === number)
    return option && Buffer.from(option.value).toString("utf8")
}
