import type { LinkAddress } from "./mac/ieee802154.ts"

/** The EUI-64 that Cooja assigns to Sky mote `n`: 00:12:74:n:00:n:n:n. */
export function skyAddress(n: number): LinkAddress {
    const low = n & 0xff
    return Uint8Array.of(0x00, 0x12, 0x74, low, n >> 8, low, low, low)
}
