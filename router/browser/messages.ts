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

/** A request, which the router sends to a mote or another server, or answers itself. */
export interface Asked {
    method: Method
    /**
     * The path at this router, percent-encoded, with the query: `/m/<eui>/status`, `/rd-lookup/ep?rt=…`; or the URI of a resource of
     * another server, `coap://host:port/…` or `coap+tcp://…`.
     */
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
    /** Of any COSE message, RFC 9052: names and values of its structure, without keys or what is sealed. */
    | { kind: "cose"; name: string; fields: [name: string, value: string][]; text: string }
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

/** A message of the clinic that waits for a mote. */
export interface WaitingStatus {
    what: "config" | "identify" | "clear"
    bytes: number
    /** Since the router got it. */
    ageMs: number
    /** Null: never. */
    expiresInMs: number | null
    /** The mote's latest response, dotted, or why there was none; null: not sent yet. */
    outcome: string | null
}

/** Durations by the router's monotonic clock. */
export interface MoteStatus {
    eui: string
    /** Null: not connected. */
    transport: "coap" | "mqtt" | null
    /** Where its connection comes from, if that is the mote's own. */
    address: string | null
    connectedMs: number | null
    /** Since its last new envelope; null: none since the router's start. */
    silentMs: number | null
    stored: number
    duplicate: number
    perMinute: number
    /** Envelopes in its name, by reason. */
    refused: Record<string, number>
    refusedAgoMs: number | null
    /** Of its envelopes in the outbox. */
    outboxBytes: number
    waiting: WaitingStatus[]
}

/** Delivery to a clinic. */
export interface DeliveryStatus {
    /** Empty where there is only one. */
    name: string
    state: "idle" | "delivering" | "retrying"
    reason: string | null
    /** Age of the oldest envelope of the batch under way. */
    oldestMs: number | null
    retryInMs: number | null
    /** Of its motes. */
    envelopes: number
    bytes: number
    motes: number
    /** Of the oldest dead letters. */
    deadLetters: number
}

/** A clinic; null where it is not known: time since it last answered, and how far this machine's clock is ahead of its. */
export interface ClinicStatus extends DeliveryStatus {
    silentMs: number | null
    clockErrorMs: number | null
}

export interface RouterStatus {
    /** Why no readings can be stored. */
    failure: string | null
    motes: MoteStatus[]
    clinics: DeliveryStatus[]
    /** Motes that more than one clinic claims; the first one has their envelopes. */
    conflicts: { eui: string; clinics: string[] }[]
    /** Envelopes in the outbox whose mote belongs to none of several clinics. */
    ownerless: number
    /** Of the oldest dead letters, by reason. */
    deadLetters: { reason: string; count: number; motes: string[] }[]
}

/** The radio network as its 6LoWPAN border router sees it; docs/router.md has the format of `/rpl`. */
export interface Network {
    /** Of the border router itself. */
    address: string
    /** `rank`: RFC 6550 §3.5, 65535 is infinite; `etx`: expected transmissions, RFC 6551 §4.3.2. */
    neighbours: { address: string; rank: number; etx: number }[]
    /** `via`: the next hop in storing mode, the parent in non-storing mode. */
    routes: { target: string; via: string; lifetimeS: number }[]
}

/** What the page shows of the router itself. */
export interface RouterState extends RouterStatus {
    /** Where the same is served over CoAP; null: nowhere. */
    coapPort: number | null
    maxOutboxBytes: number | null
    /** The other CoAP servers that may be asked, as the operator lists them; null: none. */
    targets: string | null
    clinics: ClinicStatus[]
    /** The radio network; null where no border router reports it. */
    network: Network | null
    /** Numbers by name: connections, the outbox, envelopes by outcome. */
    stats: Record<string, number>
    /** Who has signed in; null where nobody needs to. */
    visitor: { name: string; right: "look" | "change" } | null
}
