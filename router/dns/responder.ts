import { errorResponse, parseQuery, QueryError, Rcode, response, Type } from "./message.ts"

/** The one name that is answered for. */
export interface DnsName {
    /** In any case, without the dot of the root. */
    name: string
    /** IPv4: a Pico W has no IPv6. */
    address: string
}

/**
 * The response to a datagram; undefined where there is none. Answers for one name and nothing else, with TTL 0, so that nobody keeps
 * the answer: a Pico W cannot connect to a name that it still remembers (docs/upstream.md). Never throws. Nothing is kept of
 * a query, and a response is at most 16 bytes longer, so that nobody gains by asking in another's name.
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
