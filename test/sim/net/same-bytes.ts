import assert from "node:assert/strict"
import { equalBytes } from "../../../sim/net/bytes.ts"
import { decodeIcmp, IcmpType, type IcmpMessage } from "../../../sim/net/icmpv6.ts"
import { checksum, decodeIpv6, encodeIpv6, NextHeader } from "../../../sim/net/ipv6.ts"
import {
    decodeDao,
    decodeDaoAck,
    decodeDio,
    encodeDao,
    encodeDaoAck,
    encodeDio,
    encodeDis,
    RplCode,
} from "../../../sim/net/rpl/messages.ts"
import { decodeRplOption, encodeRplOption } from "../../../sim/net/rpl/option.ts"
import { decodeSourceRoute, encodeSourceRoute, finalDestination } from "../../../sim/net/source-route.ts"
import { decodeUdp } from "../../../sim/net/udp.ts"
import { toFrames } from "../../../sim/net/sixlowpan/fragment.ts"
import type { Compression } from "../../../sim/net/sixlowpan/compression.ts"
import type { Link } from "../../../sim/net/sixlowpan/iphc.ts"

/** Whether a packet is read, and written again byte for byte, header by header. */
export function checkPacket(packet: Uint8Array): void {
    const ip = decodeIpv6(packet)
    assert.ok(equalBytes(encodeIpv6(ip), packet))
    assert.equal(checksum(ip.source, finalDestination(ip), ip.protocol, ip.payload), 0)
    for (const { kind, data } of ip.extensions!) {
        const again =
            kind === NextHeader.hopByHop
                ? encodeRplOption(decodeRplOption(data)!)
                : encodeSourceRoute(decodeSourceRoute(data, ip.destination), ip.destination)
        assert.deepEqual(again, Uint8Array.from(data))
    }
    if (ip.protocol === NextHeader.icmpv6) {
        const message = decodeIcmp(ip.payload, ip.source, finalDestination(ip))
        if (message.type === IcmpType.rpl) assert.deepEqual(sameRpl(message), Uint8Array.from(message.body))
    } else assert.ok(decodeUdp(ip.payload, ip.source, finalDestination(ip)).data.length)
}

/** A RPL message, read and written. */
function sameRpl({ code, body }: IcmpMessage): Uint8Array {
    switch (code) {
        case RplCode.dis:
            return encodeDis()
        case RplCode.dio:
            return encodeDio(decodeDio(body))
        case RplCode.dao:
            return encodeDao(decodeDao(body))
        default:
            return encodeDaoAck(decodeDaoAck(body))
    }
}

/** Whether the frames that carry a packet are those that a real stack sent. */
export function checkFrames(packet: Uint8Array, link: Link, how: Compression, expected: Uint8Array[]): void {
    const isWhole = expected.length === 1
    const tag = isWhole ? 0 : (expected[0]![2]! << 8) | expected[0]![3]!
    const room = isWhole ? 104 : Math.max(...expected.map(({ length }) => length))
    const made = toFrames(packet, link, how, room, tag)
    assert.deepEqual(
        made.map(bytes => Buffer.from(bytes).toString("hex")),
        expected.map(bytes => Buffer.from(bytes).toString("hex")),
    )
}
