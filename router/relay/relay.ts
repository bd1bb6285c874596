import type { Attachment } from "../attachment.ts"
import { block2Of } from "../coap/block.ts"
import type { RequestParts } from "../coap/connection.ts"
import { problem, type Proxy } from "../coap/dispatch.ts"
import { Code, type CoapMessage, type CoapOption } from "../coap/message.ts"
import { OptionNumber, uintOption, uintValue } from "../coap/options.ts"
import type { RelayedMote } from "./relayed-mote.ts"

/** Schemes in a Proxy-Uri; which of them does not matter, the mote has one connection only. */
const schemes = ["coap+tcp:", "coap:"]
const methods: number[] = [Code.GET, Code.POST, Code.PUT, Code.DELETE]
/** Options of a request that are passed on to the mote; the path is put together anew. */
const passedOn: number[] = [
    OptionNumber.IfMatch,
    OptionNumber.IfNoneMatch,
    OptionNumber.ContentFormat,
    OptionNumber.UriQuery,
    OptionNumber.Accept,
]
/** Seconds after which it is worth asking for a mote again that is not there. */
const absentMaxAgeS = 10

/** A request as it goes to a mote. */
export interface MoteRequest {
    eui: string
    /** Path, query and what else is passed on. */
    options: CoapOption[]
}

/**
 * Passes clients' requests on to motes behind their one connection (RFC 7252 §5.7): a reverse proxy for `/m/<eui>/…`, a
 * forward proxy for `coap+tcp://<eui>/…`.
 */
export class Relay {
    private readonly attachments: readonly Attachment[]

    constructor(attachments: readonly Attachment[]) {
        this.attachments = attachments
    }

    /** For `dispatch`. */
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
        if (observe > 0) requester.forget(token)
        const mote = this.find(eui)
        if (observe > 0 || !mote) return this.request(eui, request.code, parts)
        return mote.observe(parts, { requester, token, block2 })
    }

    /** Asks a mote. What keeps it from answering is an answer, too: never rejects. */
    async request(eui: string, code: number, parts: RequestParts): Promise<CoapMessage> {
        if (!methods.includes(code)) return problem(Code.MethodNotAllowed, "no such method")
        const mote = this.find(eui)
        if (mote) return await mote.request(code, parts)
        if (this.attachments.some(attachment => attachment.has(eui)))
            return problem(Code.NotImplemented, "this mote speaks MQTT: it cannot be asked")
        return problem(Code.ServiceUnavailable, "no such mote is connected", [
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

/** A mote's identifier as it stands in paths. */
export function isEui(text: string): boolean {
    return /^[0-9a-f]{16}$/.test(text)
}

/** Which mote a request is for, or why it cannot be; undefined where it is for the router itself. */
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

/** RFC 7252 §5.7.2: the URI is taken apart (§6.4). */
function fromUri(uri: string, options: CoapOption[]): MoteRequest | CoapMessage {
    if (!URL.canParse(uri)) return problem(Code.BadOption, "Proxy-Uri is not a URI")
    const { protocol, hostname, pathname, search } = new URL(uri)
    const eui = hostname.toLowerCase()
    if (!schemes.includes(protocol) || !isEui(eui)) return notForMotes
    const rest = options.filter(({ number }) => passedOn.includes(number) && number !== OptionNumber.UriQuery)
    const decoded = uriOptions(pathname, search.slice(1))
    return decoded ? { eui, options: [...decoded, ...rest] } : problem(Code.BadOption, "bad escape")
}

/** Uri-Path and Uri-Query options of a path and a query with percent-encoding; undefined where that is wrong. */
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

const notForMotes = problem(Code.ProxyingNotSupported, "proxy for coap+tcp://<eui>/ only")

function textOption(options: CoapOption[], number: number): string | undefined {
    const option = options.find(o => o.number === number)
    return option && Buffer.from(option.value).toString("utf8")
}
