import { deriveKeys, type MoteKeys } from "../../wire/keys.ts"

export const benchSecret = new Uint8Array(32).fill(1)
/** Number of motes that the server knows unless it is told another one. */
export const benchMotes = 1024
export const benchKid = (n: number) => Uint8Array.of(2, 2, 2, 2, 2, 2, n >> 8, n & 255)

const derived = new Map<number, MoteKeys>()

/** The keys of mote `n`. */
export function benchKeysOf(n: number): MoteKeys {
    let keys = derived.get(n)
    if (!keys) derived.set(n, (keys = deriveKeys(benchSecret, benchKid(n))))
    return keys
}
