/*
 * What the CoAP browser's page and the router tell each other, in JSON. Times are Unix times in milliseconds.
 */

/** Names of the methods, RFC 7252 §5.8. */
export type Method = "GET" | "POST" | "PUT" | "DELETE"

/** An option of a message; its value in hex, because its format depends on its number. */
export interface ShownOption {
    number: number
    value: string
}

/** A request, which the router sends to a mote or answers itself. */
export interface Asked {
    method: Method
    /** The path at this router, percent-encoded, with the query: `/m/<eui>/status`, `/rd-lookup/ep?rt=…`. */
    path: string
    options: ShownOption[]
    /** In hex. */
    payload: string
}

/** A link of a resource directory or of `/.well-known/core`, RFC 6690. */
export interface ShownLink {
    target: string
    attributes: Record<string, string | number | true>
}

/** What a payload is, in words for people. */
export type Decoded =
    | { kind: "nothing" }
    | { kind: "text"; text: string }
    | { kind: "links"; links: ShownLink[] }
    | { kind: "senml"; records: Record<string, string | number | boolean>[] }
    | { kind: "envelope"; kid: string; boot: number; salt: string; seq: number; sealedBytes: number; text: string }
    /** In diagnostic notation, RFC 8949 §8. */
    | { kind: "cbor"; text: string }
    | { kind: "refusal"; text: string; code: string }
    | { kind: "bytes" }

/** A response or a notification. */
export interface Answered {
    /** Dotted: `2.05`. */
    code: string
    options: (ShownOption & { name: string; text: string })[]
    /** In hex. */
    payload: string
    decoded: Decoded
    at: number
    /** From the request until the response, through the router and to the mote and back; 0 for a notification. */
    ms: number
}

/** What the page shows of the router itself. */
export interface RouterState {
    now: number
    /** Where the same is served over CoAP; null: nowhere. */
    coapPort: number | null
    motes: { eui: string; since: number; lastEnvelopeAt: number }[]
    /** Numbers by name: connections, the outbox, envelopes by outcome. */
    stats: Record<string, number>
    /** Who has signed in; null where nobody needs to. */
    visitor: { name: string; right: "look" | "change" } | null
}
