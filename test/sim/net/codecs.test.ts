import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { PacketError } from "../../../sim/net/bytes.ts"
import {
    decodeEcho,
    decodeIcmp,
    encodeEcho,
    encodeIcmp,
    IcmpType,
} from "../../../sim/net/icmpv6.ts"
import { decodeFrame, encodeFrame, fcs, type Frame } from "../../../sim/net/ieee802154.ts"
import {
    decodeIpv6,
    encodeIpv6,
    formatAddress,
    NextHeader,
    parseAddress,
    type Ipv6Packet,
} from "../../../sim/net/ipv6.ts"
import {
    decodeDao,
    decodeDaoAck,
    decodeDio,
    encodeDao,
    encodeDaoAck,
    encodeDio,
} from "../../../sim/net/rpl/messages.ts"
import { decodeRplOption, encodeRplOption } from "../../../sim/net/rpl/option.ts"
import { isNewer, nextSequence } from "../../../sim/net/rpl/sequence.ts"
import { Reassembly, toFrames } from "../../../sim/net/sixlowpan/fragment.ts"
import { contiki27, contikiNg, decompress, type Link } from "../../../sim/net/sixlowpan/iphc.ts"
import {
    advanceSourceRoute,
    decodeSourceRoute,
    encodeSourceRoute,
} from "../../../sim/net/source-route.ts"
import { decodeSegment, encodeSegment } from "../../../sim/net/tcp-segment.ts"
import { decodeUdp, encodeUdp, type Datagram } from "../../../sim/net/udp.ts"

const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const upTo = (maxLength: number) => fc.uint8Array({ maxLength })
const eui64 = bytes(8)
const context = parseAddress("aaaa::").subarray(0, 8)

const tail = (start: string) =>
    bytes(8).map(id => Uint8Array.of(...parseAddress(start).subarray(0, 8), ...id))
/** Addresses of all the kinds that are compressed differently. */
const unicast = fc.oneof(
    bytes(16).map(address => Uint8Array.of(0x20, ...address.subarray(1))),
    tail("fe80::"),
    tail("aaaa::"),
    u16.map(id => parseAddress(`fe80::ff:fe00:${id.toString(16)}`)),
    fc.constant(parseAddress("aaaa::1")),
)
const multicast = fc.oneof(
    u8.map(id => parseAddress(`ff02::${id.toString(16)}`)),
    u32.map(id => parseAddress(`ff05::${(id >>> 16).toString(16)}:${(id & 0xffff).toString(16)}`)),
    bytes(15).map(rest => Uint8Array.of(0xff, ...rest)),
)
const link: fc.Arbitrary<Link> = fc.record({
    source: eui64,
    destination: eui64,
    contexts: fc.constant([context]),
})
const extension = fc
    .tuple(
        fc.constantFrom(NextHeader.routing, NextHeader.destination),
        fc.integer({ min: 0, max: 4 }),
    )
    .chain(([kind, units]) => fc.record({ kind: fc.constant(kind), data: bytes(8 * units + 6) }))
const hopByHop = bytes(6).map(data => ({ kind: NextHeader.hopByHop as number, data }))
const packet: fc.Arbitrary<Ipv6Packet> = fc
    .record({
        trafficClass: u8,
        flowLabel: fc.oneof(fc.constant(0), fc.nat(0xfffff)),
        hopLimit: fc.oneof(fc.constantFrom(1, 64, 255), u8),
        source: fc.oneof(unicast, fc.constant(parseAddress("::"))),
        destination: fc.oneof(unicast, multicast, fc.constant(parseAddress("::"))),
        options: fc.option(hopByHop, { nil: undefined }),
        others: fc.array(extension, { maxLength: 2 }),
        isUdp: fc.boolean(),
        ports: fc.tuple(
            fc.oneof(u16, fc.integer({ min: 0xf000, max: 0xf0ff })),
            fc.oneof(u16, fc.integer({ min: 0xf0b0, max: 0xf0bf })),
        ),
        data: upTo(1000),
    })
    .map(({ options, others, isUdp, ports, data, ...header }) => ({
        ...header,
        extensions: [...(options ? [options] : []), ...others],
        protocol: isUdp ? NextHeader.udp : NextHeader.tcp,
        payload: isUdp
            ? encodeUdp(
                  { sourcePort: ports[0], destinationPort: ports[1], data },
                  header.source,
                  header.destination,
              )
            : data,
    }))
const stack = fc.constantFrom(contiki27, contikiNg)

function same<T>(
    value: T,
    encode: (value: NoInfer<T>) => Uint8Array,
    decode: (bytes: Uint8Array) => NoInfer<T>,
): void {
    const encoded = encode(value)
    assert.deepEqual(encode(decode(encoded)), encoded)
    assert.deepEqual(plain(decode(encoded)), plain(value))
}

/** Views and copies of bytes are the same bytes, an absent property is one that is undefined. */
function plain(value: unknown): unknown {
    return JSON.parse(
        JSON.stringify(value, (_key, part: unknown) =>
            part instanceof Uint8Array ? Buffer.from(part).toString("hex") : part,
        ),
    )
}

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
    for (const text of [
        "",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9",
        "1::2:3:4:5:6:7:8",
        "g::",
        "12345::",
    ])
        assert.throws(() => parseAddress(text), PacketError, text)
})

test("6LoWPAN: whatever a packet is, its frames bring it over, in any order and doubled", () => {
    const room = fc.integer({ min: 97, max: 104 })
    fc.assert(
        fc.property(
            packet,
            link,
            stack,
            room,
            fc.nat(),
            u16,
            (value, ends, how, size, seed, tag) => {
                const whole = encodeIpv6(value)
                const frames = toFrames(whole, ends, how, size, tag)
                for (const frame of frames) assert.ok(frame.length <= size)
                const order = frames
                    .map((_, i) => i)
                    .sort((a, b) => ((a * seed) % 7) - ((b * seed) % 7))
                const reassembly = new Reassembly()
                const arrived: Uint8Array[] = []
                order.forEach((at, i) => {
                    const copies = i < order.length - 1 && seed % 3 === 0 ? 2 : 1
                    for (let copy = 0; copy < copies; copy++) {
                        const got = reassembly.take(frames[at]!, ends, i)
                        if (got) arrived.push(got)
                    }
                })
                assert.equal(arrived.length, 1)
                assert.deepEqual(Buffer.from(arrived[0]!), Buffer.from(whole))
            },
        ),
        { numRuns: 500 },
    )
})

test("6LoWPAN: half packets do not keep others out, nor pile up; contradictions are thrown away", () => {
    const ends = (n: number): Link => ({
        source: Uint8Array.of(0, 0, 0, 0, 0, 0, n >> 8, n & 255),
        destination: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1),
        contexts: [],
    })
    const of = (n: number) => {
        const [source, destination] = [parseAddress("2001::1"), parseAddress("2001::2")]
        const payload = new Uint8Array(400).fill(n)
        return encodeIpv6({ hopLimit: 9, source, destination, protocol: 6, payload })
    }
    const reassembly = new Reassembly(4)
    for (let n = 0; n < 1000; n++)
        reassembly.take(toFrames(of(n), ends(n), contikiNg, 104, n)[0]!, ends(n), n)
    const frames = toFrames(of(7), ends(7), contikiNg, 104, 7000)
    const got = frames.map(frame => reassembly.take(frame, ends(7), 1000)).at(-1)
    assert.deepEqual(Buffer.from(got!), Buffer.from(of(7)))

    const [head, second, ...rest] = toFrames(of(8), ends(8), contikiNg, 104, 1)
    reassembly.take(head!, ends(8), 2000)
    reassembly.take(second!, ends(8), 2000)
    const forged = Uint8Array.from(second!)
    forged[20]! ^= 1
    assert.throws(() => reassembly.take(forged, ends(8), 2000), PacketError)
    for (const frame of rest) assert.equal(reassembly.take(frame, ends(8), 2000), undefined)
    // Too late: what came before is forgotten.
    const late = new Reassembly()
    late.take(head!, ends(8), 0)
    for (const frame of [second!, ...rest])
        assert.equal(late.take(frame, ends(8), 60_001), undefined)
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
                assert.throws(
                    () => decodeUdp(flip(encodeUdp(datagram, a, b), seed), a, b),
                    PacketError,
                )
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
                assert.throws(
                    () => decodeIcmp(flip(encodeIcmp(message, a, b), seed), a, b),
                    PacketError,
                )
            },
        ),
    )
})

test("RPL messages, option and source routes: written and read", () => {
    const configuration = fc.record({
        intervalMin: u8,
        intervalDoublings: u8,
        redundancy: u8,
        maxRankIncrease: u16,
        minHopRankIncrease: fc.integer({ min: 1, max: 0xffff }),
        objective: u16,
        defaultLifetime: u8,
        lifetimeUnitS: u16,
    })
    const prefix = fc.record({
        length: u8,
        flags: u8,
        validS: u32,
        preferredS: u32,
        prefix: bytes(16),
    })
    const dio = fc.record({
        instance: u8,
        version: u8,
        rank: u16,
        grounded: fc.boolean(),
        mode: fc.nat(7),
        preference: fc.nat(7),
        dtsn: u8,
        dodag: bytes(16),
        configuration: fc.option(configuration, { nil: undefined }),
        prefix: fc.option(prefix, { nil: undefined }),
    })
    fc.assert(
        fc.property(dio, value =>
            same(value as Parameters<typeof encodeDio>[0], encodeDio, decodeDio),
        ),
    )
    const target = fc.record({
        length: fc.constant(128),
        address: bytes(16),
        lifetime: u8,
        pathSequence: u8,
        pathControl: u8,
        parent: fc.option(bytes(16), { nil: undefined }),
    })
    const dao = fc.record({
        instance: u8,
        ackRequested: fc.boolean(),
        sequence: u8,
        dodag: fc.option(bytes(16), { nil: undefined }),
        targets: fc.array(target, { maxLength: 4 }),
    })
    fc.assert(
        fc.property(dao, value =>
            same(value as Parameters<typeof encodeDao>[0], encodeDao, decodeDao),
        ),
    )
    const ack = fc.record({
        instance: u8,
        sequence: u8,
        status: u8,
        dodag: fc.option(bytes(16), { nil: undefined }),
    })
    fc.assert(
        fc.property(ack, value =>
            same(value as Parameters<typeof encodeDaoAck>[0], encodeDaoAck, decodeDaoAck),
        ),
    )
    const flags = { down: fc.boolean(), rankError: fc.boolean(), forwardingError: fc.boolean() }
    const option = fc.record({ ...flags, instance: u8, senderRank: u16 })
    fc.assert(fc.property(option, value => same(value, encodeRplOption, b => decodeRplOption(b)!)))
    fc.assert(
        fc.property(
            tail("aaaa::"),
            fc.array(fc.oneof(tail("aaaa::"), unicast), { maxLength: 10 }),
            (to, addresses) => {
                const route = { segmentsLeft: addresses.length, addresses }
                same(
                    route,
                    r => encodeSourceRoute(r, to),
                    b => decodeSourceRoute(b, to),
                )
            },
        ),
    )
})

test("a source route is followed to its end, and not round in circles", () => {
    const address = (n: number) => parseAddress(`aaaa::${n}`)
    const begin = (addresses: Uint8Array[]): Ipv6Packet => ({
        hopLimit: 64,
        source: address(1),
        destination: address(2),
        extensions: [
            {
                kind: NextHeader.routing,
                data: encodeSourceRoute({ segmentsLeft: addresses.length, addresses }, address(2)),
            },
        ],
        protocol: NextHeader.none,
        payload: new Uint8Array(0),
    })
    const visited: string[] = []
    let at: Ipv6Packet | undefined = begin([address(3), address(4)])
    while (at) {
        const here: string = formatAddress(at.destination)
        visited.push(here)
        at = advanceSourceRoute(at, other => formatAddress(other) === here)
    }
    assert.deepEqual(visited, ["aaaa::2", "aaaa::3", "aaaa::4"])
    const round = begin([address(3), address(2)])
    const isOwn = (other: Uint8Array) => formatAddress(other) === "aaaa::2"
    assert.throws(() => advanceSourceRoute(round, isOwn), PacketError)
    const toAll = begin([parseAddress("ff02::1")])
    assert.throws(() => advanceSourceRoute(toAll, () => false), PacketError)
})

test("sequence counters: each is newer than the one before, also after a start and round the end", () => {
    let value = 240
    for (let i = 0; i < 400; i++) {
        const next = nextSequence(value)
        assert.ok(isNewer(next, value) && !isNewer(value, next), `${value} ${next}`)
        value = next
    }
    assert.ok(isNewer(240, 100)) // started anew
    assert.ok(!isNewer(77, 77))
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
        input =>
            new Reassembly().take(Uint8Array.of(0xc0 | ((input[0] ?? 0) & 7), ...input), ends, 0),
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
                    assert.ok(
                        error instanceof PacketError,
                        `${String(error)} of ${decode.toString()}`,
                    )
                }
        }),
        { numRuns: 2000 },
    )
})
