import { isIPv6 } from "node:net"

/** Bits of an IPv6 address that one owner usually has all of: a /64 (RFC 7421). */
const ownedGroups = 4

/**
 * The address in a peer's name, as far as it is one owner's: `192.0.2.7` of `192.0.2.7:49152`, `2001:db8:0:1` of
 * `2001:db8:0:1::7:49152`, and the whole name of a peer in the simulator.
 */
export function addressOf(peer: string): string {
    const colon = peer.lastIndexOf(":")
    const address = colon < 0 ? peer : peer.slice(0, colon)
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
    if (mapped) return mapped[1]!
    return isIPv6(address) ? prefixOf(address) : address
}

function prefixOf(address: string): string {
    const [plain = ""] = address.split("%")
    const [head = "", tail] = plain.split("::")
    const before = head === "" ? [] : head.split(":")
    const after = tail === undefined || tail === "" ? [] : tail.split(":")
    const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0")
    const groups = tail === undefined ? before : [...before, ...zeros, ...after]
    return groups
        .slice(0, ownedGroups)
        .map(group => parseInt(group, 16).toString(16))
        .join(":")
}
