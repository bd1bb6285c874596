import { isPicoW } from "../platform/board"

/** The protocol of a router. */
export const enum Protocol {
    /** CoAP over TCP (RFC 8323). */
    coap = 0,
    /** MQTT 3.1.1. */
    mqtt = 1,
}

/** Schemes: RFC 8323 §8.1 and §8.2; MQTT has no registered ones, these are customary. */
const schemes = ["coap+tcp", "coaps+tcp", "mqtt", "mqtts"]
const defaultPorts = [5683, 5684, 1883, 8883]

/** Address and protocol of a router. */
export interface Endpoint {
    readonly protocol: Protocol
    readonly tls: boolean
    readonly host: string
    readonly port: number
}

/**
 * Parses `SCHEME://host:port`, where the scheme is coap+tcp, coaps+tcp, mqtt or mqtts, and the host may be an IPv6
 * address in brackets.
 * @returns undefined if the URL is not valid
 */
export function parseEndpoint(url: string): Endpoint | undefined {
    if (typeof url !== "string") return undefined
    const schemeEnd = url.indexOf("://")
    const index = schemeEnd < 0 ? -1 : schemes.indexOf(url.slice(0, schemeEnd))
    if (index < 0) return undefined
    let authority = url.slice(schemeEnd + 3)
    const last = authority.length - 1
    if (authority.charAt(last) === "/") authority = authority.slice(0, last)
    const start = authority.charAt(0) === "[" ? 1 : 0
    const end = authority.indexOf(start ? "]" : ":")
    const host = end < 0 ? authority : authority.slice(start, end)
    const rest = end < 0 ? "" : authority.slice(end + start)
    if (host.length === 0 || (start && end < 0)) return undefined
    const hasPort = rest.charAt(0) === ":"
    if (rest.length > 0 && !hasPort) return undefined
    const port = hasPort ? decimal(rest.slice(1)) : defaultPorts[index]
    if (port === 0 || port > 0xffff) return undefined
    return { protocol: index >> 1, tls: (index & 1) === 1, host, port }
}

/**
 * Whether this board can connect to an endpoint. DeviceScript's runtime of a Pico W has no TLS and never connects to an
 * IP address (docs/upstream.md). A host is an address if its last label is a number, or if it contains colons.
 */
export function isReachable({ host, tls }: Endpoint): boolean {
    if (!isPicoW) return true
    const end = host.length
    let labelAt = end
    while (labelAt > 0 && digitAt(host, labelAt - 1) <= 9) labelAt--
    const isNumber = labelAt < end && (labelAt === 0 || host.charAt(labelAt - 1) === ".")
    return !tls && !isNumber && host.indexOf(":") < 0
}

/** The number in `digits`; 0 if there are other characters. */
function decimal(digits: string): number {
    let value = 0
    for (let i = 0; i < digits.length; i++) {
        const digit = digitAt(digits, i)
        if (digit > 9 || value > 0xffff) return 0
        value = value * 10 + digit
    }
    return value
}

/** The digit at an index; more than 9 if it is not one. */
function digitAt(text: string, i: number): number {
    const digit = text.charCodeAt(i) - 48
    return digit < 0 ? 10 : digit
}
