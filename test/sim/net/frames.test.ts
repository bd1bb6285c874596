import assert from "node:assert/strict"
import { test } from "node:test"
import { decodeFrame, encodeFrame } from "../../../sim/net/mac/ieee802154.ts"
import { decodeIcmp } from "../../../sim/net/icmpv6.ts"
import { decodeIpv6, formatAddress, NextHeader, parseAddress } from "../../../sim/net/ipv6.ts"
import { decodeDao, decodeDaoAck, decodeDio } from "../../../sim/net/rpl/messages.ts"
import { decodeRplOption } from "../../../sim/net/rpl/option.ts"
import { finalDestination } from "../../../sim/net/source-route.ts"
import { Reassembly } from "../../../sim/net/sixlowpan/fragment.ts"
import { contiki27, contikiNg, type Compression } from "../../../sim/net/sixlowpan/compression.ts"
import { checkFrames, checkPacket } from "./same-bytes.ts"

/* Single frames that real stacks sent, Contiki 2.7 on Sky motes and Contiki-NG 4.9, one of each kind. */

const [sky, ng] = [
    { how: contiki27, context: "aaaa::" },
    { how: contikiNg, context: "fd00::" },
]

const kinds: [string, { how: Compression; context: string }, string[]][] = [
    [
        "DIS, uncompressed",
        sky,
        [
            "41c801cdabffff0202020002741200416000000000063a40fe800000000000000212740200020202ff02000000000000000000000000001a9b00ef0800000f3d",
        ],
    ],
    [
        "DIO, storing",
        sky,
        [
            "41c802cdabffff01010100017412007a3b3a1a9b0190991ef0010010f0000011110011000000000000000000001100040e00080c0a07000100000100ffffff081e4040000000000000000000000000aaaa0000000000000000000000000000b7c6",
        ],
    ],
    [
        "DAO, storing",
        sky,
        [
            "61cc02cdab020202000274120003030300037412007a333a9b0204ad1e4000f11111001100000000000000000000110005120080aaaa00000000000002127403000303030604000000ffcb1a",
        ],
    ],
    [
        "DIO, non-storing",
        ng,
        [
            "61dc89cdab050005000500050009000900090009007a333a9b01000900f0ffff08f00000fd000000000000000201000100010001040e00080c00040000800001001e003c081e4040ffffffffffffffff00000000fd000000000000000000000000000000f8fa",
        ],
    ],
    [
        "DAO, non-storing, with hop-by-hop option",
        ng,
        [
            "61dc71cdab06000600060006000b000b000b000b007ef5000201000100010001e03a066304000001f29b025ae4008000f105120080fd00000000000000020b000b000b000b06140000001efd0000000000000002060006000600066f11",
        ],
    ],
    [
        "DAO-ACK with source route",
        ng,
        ["61dc10cdab050005000500050001000100010001007ef700e23a0e03019910000009000900090009009b03758f0000f10066c2"],
    ],
    [
        "UDP with source route",
        ng,
        ["61dc15cdab060006000600060001000100010001007ef700e3060300ff000000f0162e223d555568656c6c6f203000b5"],
    ],
    [
        "UDP with hop-by-hop option",
        ng,
        ["61dcb8cdab010001000100010006000600060006007ef700e106630400000136f0223d162e555568656c6c6f20308a81"],
    ],
    [
        "echo request with source route, in fragments",
        ng,
        [
            "61dc10cdab02000200020002000100010001000100c08000006c000e10683faaaa0000000000000000000000000001aaaa0000000000000202000200020002e23a16030299200000030003000300030400040004000400008000f1d6746e000103c1026b00000000f0d90c000000000010111213141516179c20",
            "61dc11cdab02000200020002000100010001000100e08000000c18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637eca8",
        ],
    ],
]

function packetOf(name: string): Uint8Array {
    const [, { context, how }, hex] = kinds.find(([kind]) => kind === name)!
    const frames = hex.map(text => Buffer.from(text, "hex"))
    const decoded = frames.map(bytes => decodeFrame(bytes))
    decoded.forEach((frame, i) => {
        assert.deepEqual(encodeFrame(frame), Uint8Array.from(frames[i]!))
    })
    const { source, destination } = decoded[0]!
    const contexts = [parseAddress(context).subarray(0, 8)]
    const link = { source: source!, destination: destination!, contexts }
    const reassembly = new Reassembly()
    const packet = decoded.map(({ payload }) => reassembly.take(payload, link, 0)).at(-1)!
    checkPacket(packet)
    const payloads = decoded.map(({ payload }) => payload)
    checkFrames(packet, link, how, payloads)
    return packet
}

for (const [name] of kinds) test(`${name}: read, and written again byte for byte`, () => void packetOf(name))

test("what they say", () => {
    const icmp = (name: string) => {
        const packet = decodeIpv6(packetOf(name))
        const { body } = decodeIcmp(packet.payload, packet.source, finalDestination(packet))
        return { packet, body }
    }
    const storing = decodeDio(icmp("DIO, storing").body)
    assert.deepEqual(
        [storing.instance, storing.rank, storing.mode, storing.configuration?.minHopRankIncrease],
        [30, 256, 2, 256],
    )
    assert.equal(decodeDio(icmp("DIO, non-storing").body).rank, 0xffff)
    const [target] = decodeDao(icmp("DAO, storing").body).targets
    assert.equal(formatAddress(target!.address), "aaaa::212:7403:3:303")
    assert.equal(target!.lifetime, 255)
    const { packet, body } = icmp("DAO, non-storing, with hop-by-hop option")
    assert.equal(formatAddress(decodeDao(body).targets[0]!.parent!), "fd00::206:6:6:6")
    assert.equal(decodeRplOption(packet.extensions![0]!.data)!.down, false)
    const ack = icmp("DAO-ACK with source route")
    assert.equal(decodeDaoAck(ack.body).sequence, 241)
    assert.equal(formatAddress(finalDestination(ack.packet)), "fd00::209:9:9:9")
    const echo = decodeIpv6(packetOf("echo request with source route, in fragments"))
    assert.equal(echo.extensions![0]!.kind, NextHeader.routing)
    assert.equal(formatAddress(finalDestination(echo)), "aaaa::204:4:4:4")
})
