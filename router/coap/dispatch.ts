import { linkFormat, matchingLinks, type Link, type LinkAttributes } from "./link-format.ts"
import { Code, ContentFormat, message, type CoapMessage, type CoapOption } from "./message.ts"
import { hasValidLength, isCritical, OptionNumber, pathOf, queryOf, uintOption, uintValue } from "./options.ts"
import type { Server } from "./requester.ts"

/** A resource: a handler for each method that it allows. */
export interface Resource {
    /** Its description in `/.well-known/core`. */
    attributes: LinkAttributes
    GET?: Server
    POST?: Server
    PUT?: Server
    DELETE?: Server
}

/** Handles requests for other endpoints. Returns undefined for requests to this server. */
export type Proxy = (...request: Parameters<Server>) => ReturnType<Server> | undefined

/** The supported critical options, and which of them may be repeated, RFC 7252 §5.10. */
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
 * Returns a `Server` for resources by path, and for `/.well-known/core` (RFC 6690), which lists them. `proxy` takes
 * precedence. Wrap the server in `blockwise`, which handles the Block options.
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
            return problem(Code.ProxyingNotSupported, "not a proxy for this URI")
        const resource = byPath.get(pathOf(request.options))
        if (!resource) return problem(Code.NotFound, "no such resource")
        const handler = handlerFor(resource, request.code)
        if (!handler) return problem(Code.MethodNotAllowed, "method not allowed for this resource")
        return handler(request, requester)
    }
}

/** Returns a 2.05 response with the links in link format, or 4.06 if the request does not accept that format. */
export function linksContent(request: CoapMessage, links: Link[]): CoapMessage {
    return content(request, ContentFormat.linkFormat, linkFormat(links))
}

/** Returns an error response with a diagnostic payload, RFC 7252 §5.5.2. */
export function problem(code: number, diagnostic: string, options: CoapOption[] = []): CoapMessage {
    return message(code, { options, payload: Buffer.from(diagnostic) })
}

/** Tells whether the request accepts a response in this Content-Format, RFC 7252 §5.10.4. */
export function accepts(request: CoapMessage, contentFormat: number): boolean {
    const accept = uintValue(request.options, OptionNumber.Accept)
    return accept === undefined || accept === contentFormat
}

function content(request: CoapMessage, contentFormat: number, payload: string): CoapMessage {
    if (!accepts(request, contentFormat)) return problem(Code.NotAcceptable, "this Content-Format is not available")
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
 * Returns the first critical option that is unknown, has an invalid length, or must not be repeated. The latter two
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
