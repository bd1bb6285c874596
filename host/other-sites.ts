import type { IncomingHttpHeaders } from "node:http"
import { isIP } from "node:net"
import { hostname } from "node:os"

/*
 * What pages of other sites can make a browser do with a service of ours that the browser can reach.
 */

/**
 * Whether another site's page asked for this. Browsers say so by `Origin` (Fetch §3.2) and `Sec-Fetch-Site` (Fetch Metadata
 * §2.4); programs send neither. A link from elsewhere may lead here; it cannot change anything.
 */
export function isFromOtherSite(
    method: string,
    { host, origin, "sec-fetch-site": site }: IncomingHttpHeaders,
    scheme: "http" | "https",
): boolean {
    if (origin !== undefined && origin !== `${scheme}://${host}`) return true
    if (method === "GET" || method === "HEAD") return false
    return site !== undefined && site !== "same-origin" && site !== "none"
}

/**
 * Whether `Host` is an address, a name of this machine or one of `names`. A page whose own name leads to our address could
 * read our answers (DNS rebinding): it would come with its name here.
 */
export function isOwnHost(host: string | undefined, names: string[] = []): boolean {
    const [, inBrackets, plain] = /^(?:\[([\da-f:.]+)(?:%[\w.%-]+)?\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host ?? "") ?? []
    const name = (inBrackets ?? plain)?.toLowerCase().replace(/\.$/, "")
    if (!name) return false
    const machine = hostname().toLowerCase()
    const own = ["localhost", machine, `${machine}.local`, machine.split(".")[0], ...names]
    return isIP(name) > 0 || own.some(one => one?.toLowerCase() === name)
}
