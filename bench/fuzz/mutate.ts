/** A source of random numbers: 0 ≤ x < 1. */
export type Random = () => number

/** Longer than any message of a mote, so that limits are reached. */
const maxBytes = 4096
/** Numbers at which parsers make mistakes. */
const interesting = [0, 1, 0x0f, 0x10, 0x1f, 0x20, 0x7f, 0x80, 0xc0, 0xd0, 0xe0, 0xf0, 0xfe, 0xff]

/** Changes an input in one to eight places. `other` is another input of the corpus. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
    let bytes: Uint8Array = Uint8Array.from(input)
    for (let n = 1 + below(8, random) * below(2, random); n > 0; n--) bytes = changed(bytes, other, random)
    return Uint8Array.from(bytes.subarray(0, maxBytes))
}

function changed(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
    const at = below(bytes.length + 1, random)
    const size = 1 + below(below(2, random) === 0 ? 4 : 64, random)
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (below(9, random)) {
        case 0:
            return withByte(bytes, at, byte => byte ^ (1 << below(8, random)))
        case 1:
            return withByte(bytes, at, () => interesting[below(interesting.length, random)]!)
        case 2:
            return withByte(bytes, at, byte => byte + below(17, random) - 8)
        case 3:
            return withByte(bytes, at, () => below(256, random))
        case 4:
            return Buffer.concat([before, after.subarray(size)])
        case 5:
            return Buffer.concat([before, Uint8Array.from({ length: size }, () => below(256, random)), after])
        case 6:
            return Buffer.concat([before, bytes.subarray(at, at + size), after])
        case 7: {
            const from = below(other.length + 1, random)
            return Buffer.concat([before, other.subarray(from, from + size), after])
        }
    }
    return Buffer.concat([before, other.subarray(below(other.length + 1, random))])
}

function withByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
    if (at < bytes.length) bytes[at] = change(bytes[at]!)
    return bytes
}

function below(limit: number, random: Random): number {
    return Math.floor(random() * limit)
}
