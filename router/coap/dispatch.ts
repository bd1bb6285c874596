import { linkFormat, matchingLinks, type Link, type LinkAttributes } from "./link-format.ts"
import { Code, ContentFormat, message, type CoapMessage, type CoapOption } from "./message.ts"
import { hasValidLength, isCritical, OptionNumber, pathOf, queryOf, uintOption, uintValue } from "./options.ts"
import type { Server } from "./requester.ts"

/** What can be asked for under one path. */
export interface Resource {
    /** How `/.well-known/core` describes it. */
    attributes: LinkAttributes
    GET?: Server
    POST?: Server
    PUT?: Server
    DELETE?: Server
}

/** Answers those requests that are for somebody behind us; undefined for the others. */
export type Proxy = (...request: Parameters<Server>) => ReturnType<Server> | undefined

/** RFC 7252 §5.10: the critical options that are understood, and which of them may be repeated. */
const criticalOptions = new Map<number, { isRepeatable: boolean }>([
    [OptionNumber.UriHost, { isRepeatable: false }],
    [OptionNumber.UriPort, { isRepeatable: false }],
    [OptionNumber.UriPath, { isRepeatable: true }],
    [OptionNumber.UriQuery, { isRepeatable: true }],
    [OptionNumber.Accept, { isRepeatable: false }],
    [OptionNumber.Block2, { isRepeatable: false }],
    [OptionNumber.Block1, { isRepeatable: false }],
    [OptionNumber.ProxyUri, { isRepeatable: false }],
    [OptionNumber.ProxyScheme, { isRepeatable: false }],
])

const proxyOptions: number[] = [OptionNumber.ProxyUri, OptionNumber.ProxyScheme]

/**
 * A `Server` for the given resources, by path, and `/.well-known/core` (RFC 6690) that lists them; `proxy` is asked first.
 * It has to be inside `blockwise`, which deals with the Block options.
 */
export function dispatch(resources: Record<string, Resource>, proxy?: Proxy): Server {
    const links = Object.entries(resources).map(([path, { attributes }]): Link => [path, attributes])
    const wellKnownCore: Resource = {
        attributes: {},
        GET: request => linksContent(request, matchingLinks(links, queryOf(request.options))),
    }
    const byPath = new Map(Object.entries({ ...resources, "/.well-known/core": wellKnownCore }))
    return (request, requester) => {
        const bad = badOption(request.options)
        if (bad !== undefined) return problem(Code.BadOption, `unknown critical option ${bad}`)
        const proxied = proxy?.(request, requester)
        if (proxied) return proxied
        if (request.options.some(({ number }) => proxyOptions.includes(number)))
            return problem(Code.ProxyingNotSupported, "not a proxy for this")
        const resource = byPath.get(pathOf(request.options))
        if (!resource) return problem(Code.NotFound, "no such resource")
        const handler = handlerFor(resource, request.code)
        if (!handler) return problem(Code.MethodNotAllowed, "no such method here")
        return handler(request, requester)
    }
}

/** 2.05 with links. */
export function linksContent(request: CoapMessage, links: Link[]): CoapMessage {
    return content(request, ContentFormat.linkFormat, linkFormat(links))
}

/** An error response with its diagnostic payload, RFC 7252 §5.5.2. */
export function problem(code: number, diagnostic: string, options: CoapOption[] = []): CoapMessage {
    return message(code, { options, payload: Buffer.from(diagnostic) })
}

/** Whether the request takes a response in this Content-Format, RFC 7252 §5.10.4. */
export function accepts(request: CoapMessage, contentFormat: number): boolean {
    const accept = uintValue(request.options, OptionNumber.Accept)
    return accept === undefined || accept === contentFormat
}

function content(request: CoapMessage, contentFormat: number, payload: string): CoapMessage {
    if (!accepts(request, contentFormat)) return problem(Code.NotAcceptable, "other format only")
    const options = [uintOption(OptionNumber.ContentFormat, contentFormat)]
    return message(Code.Content, { options, payload: Buffer.from(payload) })
}

function handlerFor(resource: Resource, code: number): Server | undefined {
    switch (code) {
        case Code.GET:
            return resource.GET
        case Code.POST:
            return resource.POST
        case Code.PUT:
            return resource.PUT
        case Code.DELETE:
            return resource.DELETE
    }
    return undefined
}

/**
 * The first critical option that is unknown, of a length it cannot have, or repeated where it must not be; the last two
 * count as unknown (RFC 7252 §5.4.3 and §5.4.5).
 */
function badOption(options: CoapOption[]): number | undefined {
    return options.find((option, i) => {
        const { number } = option
        if (!isCritical(number)) return false
        const known = criticalOptions.get(number)
        if (!known || !hasValidLength(option)) return true
        return !known.isRepeatable && options[i - 1]?.number === number
    })?.number
}
