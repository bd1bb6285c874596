import { linksContent, problem, type Resource } from "../coap/dispatch.ts"
import { matchingLinks, parseLinks, type Link } from "../coap/link-format.ts"
import { Code, ContentFormat, type CoapMessage } from "../coap/message.ts"
import { pathOptions, queryOf } from "../coap/options.ts"
import type { ConnectedMote, Motes } from "./motes.ts"
import type { Relay } from "./relay.ts"

/** RFC 9176 §6.2: what selects a page instead of a link. */
const pageParameters = ["page", "count"]

/**
 * The lookup half of a resource directory (RFC 9176 §6) for the motes that are connected: their connection is their
 * registration. A mote's base URI is `coap+tcp://<eui>`, with this router as the proxy; its registration resource is
 * `/m/<eui>`, and everything that it serves is below that, too.
 */
export function directory(motes: Motes, relay: Relay): Record<string, Resource> {
    const resourcesOf = moteLinks(relay)
    return {
        "/rd-lookup/ep": {
            attributes: { rt: "core.rd-lookup-ep", ct: ContentFormat.linkFormat },
            GET: request =>
                lookup(
                    request,
                    motes.list().map(({ eui }) => endpoint(eui)),
                ),
        },
        "/rd-lookup/res": {
            attributes: { rt: "core.rd-lookup-res", ct: ContentFormat.linkFormat },
            GET: async request => {
                // Motes that do not matter are left alone.
                const ep = queryOf(request.options).find(part => part.startsWith("ep="))
                const wanted = motes.list().filter(mote => !ep || ep === `ep=${mote.eui}`)
                return lookup(request, (await Promise.all(wanted.map(resourcesOf))).flat())
            },
        },
    }
}

function endpoint(eui: string): Link {
    return [`/m/${eui}`, { ep: eui, base: `coap+tcp://${eui}`, rt: "core.rd-ep" }]
}

/** What each mote serves, with its `ep`: it is asked once a connection. */
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
            .map(([target, { ...own }]): Link => [base + target, { ...own, anchor: base, ep: eui }])
    }
    return mote => {
        const links = known.get(mote) ?? ask(mote)
        known.set(mote, links)
        return links
    }
}

/** The links that match the query, and of those one page where that is wanted (RFC 9176 §6.2). */
function lookup(request: CoapMessage, links: Link[]): CoapMessage {
    const query = queryOf(request.options)
    const isPage = (part: string) => pageParameters.includes(part.split("=")[0]!)
    const [page, count] = pageParameters.map(name => {
        const part = query.find(part => part.startsWith(`${name}=`))
        return part === undefined ? undefined : Number(part.slice(name.length + 1))
    })
    if ([page, count].some(n => n !== undefined && !(Number.isSafeInteger(n) && n >= 0)))
        return problem(Code.BadRequest, "page and count are whole numbers")
    const matching = matchingLinks(
        links,
        query.filter(part => !isPage(part)),
    )
    const from = (page ?? 0) * (count ?? 0)
    const shown = matching.slice(from, count === undefined ? undefined : from + count)
    return linksContent(request, shown.map(withoutEndpoint))
}

/** Only the links to endpoints name them; the others have their anchor. */
function withoutEndpoint([target, attributes]: Link): Link {
    const { ep, ...rest } = attributes
    return [target, rest.anchor === undefined && ep !== undefined ? attributes : rest]
}
