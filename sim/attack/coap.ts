/* The part of CoAP over TCP (RFC 8323) that is needed to send envelopes to the router. */

/** An empty Capabilities and Settings Message. */
export const csm = Uint8Array.of(0x00, 0xe1)

/** Uri-Path and Content-Format 17. */
const options = (path: "vitals" | "alarms") => Uint8Array.of(0xb6, ...Buffer.from(path), 0x11, 0x11)
const post = 0x02
const payloadMarker = 0xff

/** GET /.well-known/core without a token; its response is fairly long. */
export const getCore = Uint8Array.of(
    0xd0,
    0x05,
    0x01,
    0xbb,
    ...Buffer.from(".well-known"),
    0x04,
    ...Buffer.from("core"),
)

/** POST of an envelope without a token. */
export function postEnvelope(path: "vitals" | "alarms", envelope: Uint8Array): Uint8Array {
    const size = options(path).length + 1 + envelope.length
    // Lengths from 13 to 268, and from 269 (RFC 8323 §3.2).
    const head = size < 269 ? [0xd0, size - 13] : [0xe0, (size - 269) >> 8, (size - 269) & 0xff]
    return Uint8Array.of(...head, post, ...options(path), payloadMarker, ...envelope)
}

/** Offset of the envelope in a message, or -1. It starts with the tag of COSE_Mac0 and an array of four. */
export function envelopeAt(data: Uint8Array): number {
    for (let at = 0; at + 1 < data.length; at++) if (data[at] === 0xd1 && data[at + 1] === 0x84) return at
    return -1
}
