import { CoapMessage, OptionNumber } from "./message"

/*
 * Block-wise requests (RFC 7959 §2.5, RFC 8323 §6). Several blocks per message (BERT) are not needed for the payloads
 * of a mote.
 */

/** Size exponents, RFC 7959 §2.2: blocks of 16 and 1024 bytes. */
const minSzx = 0
const maxSzx = 6
/** Header, token, the options of `blockOptions` and the marker, in addition to the options of the request. */
const overheadBytes = 4 + 1 + 4 + 4 + 1

export function blockBytes(szx: number): number {
    return 16 << szx
}

/**
 * The size exponent of the largest blocks that fit into messages of `maxBytes`. Undefined: none fit.
 * @param optionBytes of the request without blocks
 */
export function szxFor(maxBytes: number, optionBytes: number): number | undefined {
    const room = maxBytes - optionBytes - overheadBytes
    for (let szx = maxSzx; szx >= minSzx; szx--) if (blockBytes(szx) <= room) return szx
    return undefined
}

/** The size exponent that the peer requests, if it is smaller than `szx`; otherwise `szx`. */
export function askedSzx(response: CoapMessage, szx: number): number {
    const block1 = response.uintOption(OptionNumber.block1)
    return block1 === undefined ? szx : Math.min(szx, block1 & 7)
}

/**
 * Adds Block1, and for the first block Size1, to options that end with Content-Format.
 * @param at offset of the block in the body
 * @param length of the body
 */
export function blockOptions(options: Buffer, at: number, szx: number, length: number): Buffer {
    const size = blockBytes(szx)
    const block1 = (at / size) * 16 + (at + size < length ? 8 : 0) + szx
    let previous: number = OptionNumber.contentFormat
    const all = Buffer.concat(options, uintOption(OptionNumber.block1 - previous, block1))
    if (at > 0) return all
    previous = OptionNumber.block1
    return Buffer.concat(all, uintOption(OptionNumber.size1 - previous, length))
}

/** An option with a delta of 13 to 268 and a value of 1 to 65,535. */
function uintOption(delta: number, value: number): Buffer {
    if (value < 256) return Buffer.from([0xd1, delta - 13, value])
    return Buffer.from([0xd2, delta - 13, value >> 8, value & 0xff])
}
