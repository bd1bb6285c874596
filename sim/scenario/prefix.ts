import { PacketError } from "../net/bytes.ts"
import { isLinkLocal, isMulticast, parseAddress } from "../net/ipv6.ts"

/** Length of every prefix from which nodes form addresses (RFC 4862 §5.5.3, followed by an EUI-64). */
const prefixBytes = 8

/**
 * The first 8 bytes of a prefix in a scenario, `aaaa::` or `aaaa::/64`.
 * @throws PacketError if nodes cannot form unicast addresses from it
 */
export function parsePrefix(text: string): Uint8Array {
    const [address = "", length, ...rest] = text.split("/")
    if ((length !== undefined && length !== "64") || rest.length)
        throw new PacketError(`"${text}": expected a prefix of 64 bits, as aaaa::/64`)
    const bytes = parseAddress(address)
    const problem = isLinkLocal(bytes)
        ? "is for one link only"
        : isMulticast(bytes)
          ? "is for multicast"
          : bytes.subarray(0, prefixBytes).every(byte => byte === 0)
            ? "is reserved"
            : bytes.subarray(prefixBytes).some(byte => byte !== 0)
              ? "is longer than 64 bits"
              : undefined
    if (problem) throw new PacketError(`"${text}" ${problem}: expected a unicast prefix of 64 bits, as aaaa::/64`)
    return bytes.subarray(0, prefixBytes)
}
