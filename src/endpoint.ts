/** RFC 8323 §8.1 */
const scheme = "coap+tcp://"
const defaultPort = 5683

/** Where a router listens. */
export class Endpoint {
    readonly host: string
    readonly port: number

    constructor(host: string, port: number) {
        this.host = host
        this.port = port
    }
}

/** The endpoint of `coap+tcp://host:port`, where the host may be an IPv6 address in brackets; undefined otherwise. */
export function parseEndpoint(url: string): Endpoint | undefined {
    if (typeof url !== "string" || !url.startsWith(scheme)) return undefined
    let authority = url.slice(scheme.length)
    if (authority.endsWith("/")) authority = authority.slice(0, authority.length - 1)
    const isBracketed = authority.startsWith("[")
    const hostEnd = isBracketed ? authority.indexOf("]") : authority.indexOf(":")
    const host = hostEnd < 0 ? authority : authority.slice(isBracketed ? 1 : 0, hostEnd)
    const rest = hostEnd < 0 ? "" : authority.slice(isBracketed ? hostEnd + 1 : hostEnd)
    if (host.length === 0 || (isBracketed && hostEnd < 0)) return undefined
    if (rest.length === 0) return new Endpoint(host, defaultPort)
    const port = rest.startsWith(":") ? decimal(rest.slice(1)) : 0
    return port > 0 && port < 0x10000 ? new Endpoint(host, port) : undefined
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
