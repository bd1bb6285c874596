import type { IncomingHttpHeaders } from "node:http"
import { isIP } from "node:net"
import { hostname } from "node:os"

/* Protection against pages of other sites that send requests to this service through the user's browser. */

/**
 * Tells whether another site's page caused this request. Browsers state the origin in `Origin` (Fetch §3.2) and
 * `Sec-Fetch-Site` (Fetch Metadata §2.4); programs send neither. A link from another site is allowed, because GET and
 * HEAD change nothing.
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
 * Tells whether `Host` is an IP address, a name of this machine or one of `names`. This prevents DNS rebinding: a page
 * could point its own domain name at this service and read the responses, but its requests would carry that name.
 */
export function isOwnHost(host: string | undefined, names: string[] = []): boolean {
    const [, inBrackets, plain] = /^(?:\[([\da-f:.]+)(?:%[\w.%-]+)?\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host ?? "") ?? []
    const name = (inBrackets ?? plain)?.toLowerCase().replace(/\.$/, "")
    if (!name) return false
    const machine = hostname().toLowerCase()
    const own = ["localhost", machine, `${machine}.local`, machine.split(".")[0], ...names]
    return isIP(name) > 0 || own.some(one => one?.toLowerCase() === name)
}
