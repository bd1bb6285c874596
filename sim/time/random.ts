import { createHash } from "node:crypto"

/**
 * A pseudo-random number generator in [0, 1) with a seed: xorshift32 (Marsaglia, "Xorshift RNGs", 2003) over a seed
 * spread by a multiplicative hash. For models, never for keys.
 */
export function seededRandom(seed: number): () => number {
    let state = (Math.imul(seed | 0, 0x9e3779b1) ^ 0x6a09e667) | 0 || 1
    const next = () => {
        state ^= state << 13
        state ^= state >>> 17
        state ^= state << 5
        return (state >>> 0) / 2 ** 32
    }
    for (let i = 0; i < 8; i++) next()
    return next
}

/** Normally distributed numbers with mean 0 and standard deviation 1 (Box–Muller transform). */
export function seededNormal(seed: number): () => number {
    const random = seededRandom(seed)
    return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Pseudo-random bytes with a seed. @param name of the stream */
export function seededBytes(seed: number, name: string): (size: number) => Uint8Array {
    let count = 0
    return size => {
        const parts: Buffer[] = []
        for (let length = 0; length < size; length += 32)
            parts.push(createHash("sha256").update(`${seed} ${name} ${count++}`).digest())
        return new Uint8Array(Buffer.concat(parts).subarray(0, size))
    }
}
