import fc from "fast-check"
import { deriveKeys } from "../../wire/keys.ts"
import type { Purpose } from "../../wire/envelope.ts"

/** Values of the wire format for property tests. */
export const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

export const uint24 = fc.nat({ max: 0xffffff })
export const uint32 = fc.nat({ max: 0xffffffff })

export const purpose = fc.constantFrom<Purpose>("vitals", "alarm")

export const moteKeys = fc.tuple(bytesOf(32), bytesOf(8)).map(([secret, kid]) => deriveKeys(secret, kid))

/** Flips bit `bit` (counted over all of `bytes`, wrapping) in a copy. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
    const flipped = Uint8Array.from(bytes)
    const at = Math.floor(bit / 8) % bytes.length
    flipped[at] = flipped[at]! ^ (1 << (bit % 8))
    return flipped
}
