import { linksContent, problem, type Resource } from "../coap/dispatch.ts"
import { matchesLink, parseLinks, type Link } from "../coap/link-format.ts"
import { Code, ContentFormat, type CoapMessage } from "../coap/message.ts"
import { pathOptions, queryOf } from "../coap/options.ts"
import type { ConnectedMote, Motes } from "./motes.ts"
import type { Relay } from "./relay.ts"

/** The query parameters that select a page, RFC 9176 §6.2. */
const pageParameters = ["page", "count"]

/** The query parameters that match a registration itself. */
const registrationCriteria = ["ep", "base"]

/**
 * The lookup interfaces of a resource directory (RFC 9176 §6) for connected motes. A mote is registered while it is
 * connected. Its base URI is `coap+tcp://<eui>`, with this router as the proxy. Its registration resource is
 * `/m/<eui>`, and its own resources are also available below that path. Either the registration or a link in it may
 * match a criterion of a lookup (§6.2).
 */
export function directory(motes: Motes, relay: Relay): Record<string, Resource> {
    const resourcesOf = moteLinks(relay)
    return {
        "/rd-lookup/ep": {
            attributes: { rt: "core.rd-lookup-ep", ct: ContentFormat.linkFormat },
            GET: request =>
                lookup(request, async criteria => {
                    const found = motes.list().map(async mote => {
                        const registration = endpoint(mote.eui)
                        const open = criteria.filter(criterion => !matchesLink(registration, criterion))
                        if (open.length === 0) return [registration]
                        if (open.some(isOfRegistration)) return []
                        const links = await resourcesOf(mote)
                        return open.every(one => links.some(link => matches(link, one))) ? [registration] : []
                    })
                    return (await Promise.all(found)).flat()
                }),
        },
        "/rd-lookup/res": {
            attributes: { rt: "core.rd-lookup-res", ct: ContentFormat.linkFormat },
            GET: request =>
                lookup(request, async criteria => {
                    const found = motes.list().map(async mote => {
                        const registration = endpoint(mote.eui)
                        const open = criteria.filter(criterion => !matchesLink(registration, criterion))
                        // Motes that cannot match receive no request.
                        if (open.some(isOfRegistration)) return []
                        const links = await resourcesOf(mote)
                        return links.filter(link => open.every(criterion => matches(link, criterion)))
                    })
                    return (await Promise.all(found)).flat()
                }),
        },
    }
}

function endpoint(eui: string): Link {
    return [`/m/${eui}`, { ep: eui, base: `coap+tcp://${eui}`, rt: "core.rd-ep" }]
}

function isOfRegistration(criterion: string): boolean {
    return registrationCriteria.includes(criterion.split("=")[0]!)
}

/** Tells whether a link matches a criterion. A target matches by its whole URI or by its path on the mote. */
function matches(link: Link, criterion: string): boolean {
    const [target, attributes] = link
    return matchesLink(link, criterion) || matchesLink([target.replace(String(attributes.anchor), ""), {}], criterion)
}

/** Returns a function that gets the links of a mote. It sends at most one successful request per connection. */
function moteLinks(relay: Relay): (mote: ConnectedMote) => Promise<Link[]> {
    const known = new WeakMap<ConnectedMote, Promise<Link[]>>()
    const ask = async (mote: ConnectedMote) => {
        const { eui } = mote
        const options = pathOptions("/.well-known/core")
        const response = await relay.request(eui, Code.GET, { options })
        if (response.code !== Code.Content) {
            known.delete(mote)
            return []
        }
        const base = `coap+tcp://${eui}`
        return parseLinks(Buffer.from(response.payload).toString("utf8"))
            .filter(([target]) => /^\/[^/]/.test(target))
            .map(([target, { ...own }]): Link => [base + target, { ...own, anchor: base }])
    }
    return mote => {
        const links = known.get(mote) ?? ask(mote)
        known.set(mote, links)
        return links
    }
}

/** Returns the links that match the query, or one page of them if the query selects it (RFC 9176 §6.2). */
async function lookup(request: CoapMessage, find: (criteria: string[]) => Promise<Link[]>): Promise<CoapMessage> {
    const query = queryOf(request.options)
    const isPage = (part: string) => pageParameters.includes(part.split("=")[0]!)
    const [page, count] = pageParameters.map(name => {
        const part = query.find(part => part.startsWith(`${name}=`))
        return part === undefined ? undefined : Number(part.slice(name.length + 1))
    })
    if ([page, count].some(n => n !== undefined && !(Number.isSafeInteger(n) && n >= 0)))
        return problem(Code.BadRequest, "page and count must be whole numbers")
    const matching = await find(query.filter(part => !isPage(part)))
    const from = (page ?? 0) * (count ?? 0)
    return linksContent(request, matching.slice(from, count === undefined ? undefined : from + count))
}
