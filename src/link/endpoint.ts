/** RFC 8323 §8.1 */
const scheme = "coap+tcp://"
const defaultPort = 5683

/** Where a router listens. */
export interface Endpoint {
    readonly host: string
    readonly port: number
}

/** The endpoint of `coap+tcp://host:port`, where the host may be an IPv6 address in brackets; undefined otherwise. */
export function parseEndpoint(url: string): Endpoint | undefined {
    if (typeof url !== "string" || url.slice(0, scheme.length) !== scheme) return undefined
    let authority = url.slice(scheme.length)
    const last = authority.length - 1
    if (authority.charAt(last) === "/") authority = authority.slice(0, last)
    const start = authority.charAt(0) === "[" ? 1 : 0
    const end = authority.indexOf(start ? "]" : ":")
    const host = end < 0 ? authority : authority.slice(start, end)
    const rest = end < 0 ? "" : authority.slice(end + start)
    if (host.length === 0 || (start && end < 0)) return undefined
    if (rest.length === 0) return { host, port: defaultPort }
    const port = rest.charAt(0) === ":" ? decimal(rest.slice(1)) : 0
    return port > 0 && port < 0x10000 ? { host, port } : undefined
}

/** The number in `digits`, 0 where there are others. */
function decimal(digits: string): number {
    let value = 0
    for (let i = 0; i < digits.length; i++) {
        const digit = digits.charCodeAt(i) - 48
        if (digit < 0 || digit > 9 || value > 0xffff) return 0
        value = value * 10 + digit
    }
    return value
}
