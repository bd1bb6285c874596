import { errorResponse, parseQuery, QueryError, Rcode, response, Type } from "./message.ts"

/** The only name that the server resolves. */
export interface DnsName {
    /** The name in upper or lower case, without the final dot. */
    name: string
    /** An IPv4 address, because a Pico W has no IPv6. */
    address: string
}

/**
 * Returns the response to a datagram, or undefined if there is none. Never throws. It resolves one name only, with TTL
 * 0, so that nobody caches the answer: a Pico W cannot connect to a cached name (docs/upstream.md). The server keeps no
 * state, and a response is at most 16 bytes longer than its query, so forged source addresses gain nothing.
 */
export function dnsResponse(datagram: Uint8Array, { name, address }: DnsName): Uint8Array | undefined {
    try {
        const query = parseQuery(datagram)
        if (!query) return undefined
        if (query.edns !== undefined && query.edns !== 0) return response(query, Rcode.badVers)
        if (query.name !== name.toLowerCase()) return response(query, Rcode.refused)
        const isAsked = query.type === Type.a || query.type === Type.any
        return response(query, Rcode.noError, isAsked ? address : undefined)
    } catch (error) {
        if (error instanceof QueryError) return errorResponse(error)
        throw error
    }
}
