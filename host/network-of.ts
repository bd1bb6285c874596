import { isIPv6 } from "node:net"

/** The number of 16-bit groups in a /64, the IPv6 prefix that usually belongs to one owner (RFC 7421). */
const ownedGroups = 4

/**
 * Returns the part of an address that identifies its owner: `192.0.2.7` itself, also as `::ffff:192.0.2.7`, and the /64 prefix
 * `2001:db8:0:1` of `2001:db8:0:1::7`. Anything else is returned whole.
 */
export function networkOf(address: string): string {
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
