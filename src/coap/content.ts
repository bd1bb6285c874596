import { Code, CoapMessage, OptionNumber } from "./message"

/** Size exponent of blocks of 1024 bytes, the largest; 7 means BERT, which a mote never uses. */
const maxSzx = 6
/** Header, the longest token, Block2 and the payload marker. */
const overheadBytes = 4 + 8 + 4 + 1

/**
 * 2.05 with a representation, or with one block of it if the peer requests that or accepts no more (RFC 7959 §2.4).
 * @param options ending with Max-Age
 * @param block2 value of the request's Block2 option
 * @param maxBytes the peer's maximum message size
 */
export function content(options: Buffer, payload: Buffer, block2: number | undefined, maxBytes: number): CoapMessage {
    const room = maxBytes - options.length - overheadBytes
    const response = new CoapMessage(Code.content, undefined, options, payload)
    if (block2 === undefined && payload.length <= room) return response
    const asked = block2 === undefined ? maxSzx : block2
    let szx = Math.min(asked & 7, maxSzx)
    const at = (asked >> 4) << (szx + 4)
    const start = block2 === undefined ? 0 : at
    if (start > 0 && start >= payload.length) return new CoapMessage(Code.badRequest)
    while (szx > 0 && 16 << szx > room) szx--
    const size = 16 << szx
    const more = start + size < payload.length ? 8 : 0
    response.options = uintOption(
        options,
        OptionNumber.maxAge,
        OptionNumber.block2,
        ((start >> (szx + 4)) << 4) | more | szx,
    )
    response.payload = payload.slice(start, Math.min(start + size, payload.length))
    return response
}

/** Appends an option with a delta below 13 and a value below 2^24 to `options`, which end with the option `last`. */
export function uintOption(options: Buffer, last: number, number: number, value: number): Buffer {
    const head = (number - last) << 4
    if (value === 0) return Buffer.concat(options, Buffer.from([head]))
    if (value < 0x100) return Buffer.concat(options, Buffer.from([head | 1, value]))
    const low = value & 0xff
    const high = value >> 8
    if (value < 0x10000) return Buffer.concat(options, Buffer.from([head | 2, high, low]))
    return Buffer.concat(options, Buffer.from([head | 3, high >> 8, high & 0xff, low]))
}
