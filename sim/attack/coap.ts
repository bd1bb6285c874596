/* As much CoAP over TCP (RFC 8323) as somebody needs who wants to put envelopes into the router. */

/** An empty Capabilities and Settings Message. */
export const csm = Uint8Array.of(0x00, 0xe1)

/** Uri-Path "vitals", Content-Format 17. */
const options = Uint8Array.of(0xb6, 0x76, 0x69, 0x74, 0x61, 0x6c, 0x73, 0x11, 0x11)
const post = 0x02
const payloadMarker = 0xff

/** POST /vitals with an envelope, without a token. */
export function postVitals(envelope: Uint8Array): Uint8Array {
    const size = options.length + 1 + envelope.length
    // Lengths from 13 to 268 and from 269 on; RFC 8323 §3.2.
    const head = size < 269 ? [0xd0, size - 13] : [0xe0, (size - 269) >> 8, (size - 269) & 0xff]
    return Uint8Array.of(...head, post, ...options, payloadMarker, ...envelope)
}

/** Where the envelope in a message begins: the tag of COSE_Mac0 in front of an array of four; -1 without. */
export function envelopeAt(data: Uint8Array): number {
    for (let at = 0; at + 1 < data.length; at++) if (data[at] === 0xd1 && data[at + 1] === 0x84) return at
    return -1
}
