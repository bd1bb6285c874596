import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { PacketError } from "../../../sim/net/bytes.ts"
import { decodeEcho, decodeIcmp, encodeEcho, encodeIcmp, IcmpType } from "../../../sim/net/icmpv6.ts"
import { decodeFrame, encodeFrame, fcs, type Frame } from "../../../sim/net/mac/ieee802154.ts"
import { decodeIpv6, encodeIpv6, formatAddress, parseAddress } from "../../../sim/net/ipv6.ts"
import { decodeDao, decodeDaoAck, decodeDio } from "../../../sim/net/rpl/messages.ts"
import { decodeRplOption } from "../../../sim/net/rpl/option.ts"
import { Reassembly } from "../../../sim/net/sixlowpan/fragment.ts"
import { decompress, type Link } from "../../../sim/net/sixlowpan/iphc.ts"
import { decodeSourceRoute } from "../../../sim/net/source-route.ts"
import { decodeSegment, encodeSegment } from "../../../sim/net/tcp-segment.ts"
import { decodeUdp, encodeUdp, type Datagram } from "../../../sim/net/udp.ts"
import { bytes, context, eui64, packet, same, u16, u32, u8, unicast, multicast, upTo, plain } from "./arbitraries.ts"

test("frames of the MAC: written and read", () => {
    const address = fc.option(fc.oneof(bytes(2), eui64), { nil: undefined })
    const frame = fc.record({
        type: fc.constantFrom<Frame["type"]>("beacon", "data", "command"),
        ackRequest: fc.constantFrom(true, undefined),
        pending: fc.constantFrom(true, undefined),
        sequence: u8,
        pan: u16,
        destination: address,
        source: address,
        version: fc.constantFrom(1, undefined),
        payload: upTo(100),
    })
    fc.assert(
        fc.property(frame, value => {
            if (!value.destination && !value.source) return
            same(value as Frame, encodeFrame, decodeFrame)
        }),
    )
})

test("IPv6: written and read; addresses as text, too", () => {
    fc.assert(fc.property(packet, value => same(value, encodeIpv6, decodeIpv6)))
    fc.assert(
        fc.property(fc.oneof(unicast, multicast, bytes(16)), address => {
            assert.deepEqual(parseAddress(formatAddress(address)), Uint8Array.from(address))
        }),
    )
    for (const text of ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "1::2:3:4:5:6:7:8", "g::", "12345::"])
        assert.throws(() => parseAddress(text), PacketError, text)
})

test("UDP, TCP and ICMPv6: written and read, and one wrong bit is noticed", () => {
    const flip = (encoded: Uint8Array, seed: number) => {
        const wrong = Uint8Array.from(encoded)
        wrong[(seed >> 3) % wrong.length]! ^= 1 << (seed & 7)
        return wrong
    }
    fc.assert(
        fc.property(
            unicast,
            unicast,
            fc.record({ sourcePort: u16, destinationPort: u16, data: upTo(300) }),
            fc.record({
                sequence: u32,
                acknowledgement: u32,
                flags: fc.nat(63),
                window: u16,
                maxSegment: fc.option(u16, { nil: undefined }),
            }),
            fc.record({ identifier: u16, sequence: u16, data: upTo(64) }),
            fc.nat(),
            (a, b, datagram, rest, echo, seed) => {
                same<Datagram>(
                    datagram,
                    d => encodeUdp(d, a, b),
                    u => decodeUdp(u, a, b),
                )
                assert.throws(() => decodeUdp(flip(encodeUdp(datagram, a, b), seed), a, b), PacketError)
                const segment = { ...datagram, ...rest } as Parameters<typeof encodeSegment>[0]
                same(
                    segment,
                    s => encodeSegment(s, a, b),
                    u => decodeSegment(u, a, b),
                )
                const wrong = flip(encodeSegment(segment, a, b), seed)
                assert.throws(() => decodeSegment(wrong, a, b), PacketError)
                const message = encodeEcho(IcmpType.echoReply, echo)
                same(
                    message,
                    m => encodeIcmp(m, a, b),
                    u => decodeIcmp(u, a, b),
                )
                assert.deepEqual(plain(decodeEcho(message)), plain(echo))
                assert.throws(() => decodeIcmp(flip(encodeIcmp(message, a, b), seed), a, b), PacketError)
            },
        ),
    )
})

test("random bytes: every decoder refuses with a PacketError or reads them, nothing else", () => {
    const a = parseAddress("fe80::1")
    const ends: Link = {
        source: new Uint8Array(8),
        destination: new Uint8Array(8),
        contexts: [context],
    }
    const withFcs = (body: Uint8Array) => {
        const sum = fcs(body)
        return Uint8Array.of(...body, sum & 255, sum >> 8)
    }
    const decoders: ((input: Uint8Array) => unknown)[] = [
        decodeFrame,
        input => decodeFrame(withFcs(input)),
        decodeIpv6,
        input => decodeIpv6(Uint8Array.of(0x60, ...input)),
        input => decompress(input, ends),
        input => decompress(Uint8Array.of(0x60 | (input[0] ?? 0), ...input), ends),
        input => new Reassembly().take(input, ends, 0),
        input => new Reassembly().take(Uint8Array.of(0xc0 | ((input[0] ?? 0) & 7), ...input), ends, 0),
        input => decodeIcmp(input, a, a),
        input => decodeUdp(input, a, a),
        input => decodeSegment(input, a, a),
        decodeDio,
        decodeDao,
        decodeDaoAck,
        decodeRplOption,
        input => decodeRplOption(Uint8Array.of(0x63, ...input)),
        input => decodeSourceRoute(input, a),
        input => decodeSourceRoute(Uint8Array.of(3, ...input), a),
    ]
    fc.assert(
        fc.property(upTo(200), input => {
            for (const decode of decoders)
                try {
                    decode(input)
                } catch (error) {
                    assert.ok(error instanceof PacketError, `${String(error)} of ${decode.toString()}`)
                }
        }),
        { numRuns: 2000 },
    )
})
