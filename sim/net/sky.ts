import type { LinkAddress } from "./mac/ieee802154.ts"

/** The EUI-64 of mote `n` as Cooja gives it to Sky motes: 00:12:74:n:00:n:n:n. */
export function skyAddress(n: number): LinkAddress {
    const low = n & 0xff
    return Uint8Array.of(0x00, 0x12, 0x74, low, n >> 8, low, low, low)
}
