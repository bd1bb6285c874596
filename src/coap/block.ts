import { CoapMessage, OptionNumber } from "./message"

/*
 * Requests in blocks, RFC 7959 §2.5 and RFC 8323 §6. Blocks of several kilobytes at once (BERT) are beyond what a mote has
 * to say.
 */

/** Size exponents, RFC 7959 §2.2: blocks of 16 and 1024 bytes. */
const minSzx = 0
const maxSzx = 6
/** Header, token, the options of `blockOptions` and the marker, beside the options of the request. */
const overheadBytes = 4 + 1 + 4 + 4 + 1

export function blockBytes(szx: number): number {
    return 16 << szx
}

/**
 * The size exponent of the largest blocks that go into messages of `maxBytes`; undefined: none do.
 * @param optionBytes of the request without blocks
 */
export function szxFor(maxBytes: number, optionBytes: number): number | undefined {
    const room = maxBytes - optionBytes - overheadBytes
    for (let szx = maxSzx; szx >= minSzx; szx--) if (blockBytes(szx) <= room) return szx
    return undefined
}

/** The size exponent that the peer asks for, if it is smaller than `szx`; otherwise that. */
export function askedSzx(response: CoapMessage, szx: number): number {
    const block1 = response.uintOption(OptionNumber.block1)
    return block1 === undefined ? szx : Math.min(szx, block1 & 7)
}

/**
 * Adds Block1, and to the first block Size1, to options that end with Content-Format.
 * @param at where in the body the block starts
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

/** An option with the delta 13 to 268 and a value of 1 to 65,535. */
function uintOption(delta: number, value: number): Buffer {
    if (value < 256) return Buffer.from([0xd1, delta - 13, value])
    return Buffer.from([0xd2, delta - 13, value >> 8, value & 0xff])
}
