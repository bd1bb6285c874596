import type { CoapMessage } from "./message.ts"
import { CoapFormatError, decodeOptionsAndPayload, encodeOptionsAndPayload } from "./options.ts"

/** Message types, RFC 7252 §3. */
export const Type = { confirmable: 0, nonConfirmable: 1, acknowledgement: 2, reset: 3 } as const

export interface Address {
    address: string
    port: number
}

/** Encodes a message without options and payload, RFC 7252 §3. */
export function header(type: number, code: number, messageId: number, token = new Uint8Array(0)) {
    const first = 0x40 | (type << 4) | token.length
    return Uint8Array.of(first, code, messageId >> 8, messageId & 0xff, ...token)
}

export function encode(type: number, messageId: number, { code, token, options, payload }: CoapMessage) {
    const body = encodeOptionsAndPayload(options, payload)
    return Buffer.concat([header(type, code, messageId, Uint8Array.from(token)), body])
}

/** Decodes a datagram; the caller has checked that it has at least 4 bytes. Returns undefined if it is malformed. */
export function parse(bytes: Uint8Array): CoapMessage | undefined {
    const tokenLength = bytes[0]! & 15
    if (tokenLength > 8 || 4 + tokenLength > bytes.length) return undefined
    const token = Uint8Array.from(bytes.subarray(4, 4 + tokenLength))
    try {
        const body = decodeOptionsAndPayload(bytes.subarray(4 + tokenLength))
        return { code: bytes[1]!, token, ...body }
    } catch (error) {
        if (error instanceof CoapFormatError) return undefined
        throw error
    }
}
