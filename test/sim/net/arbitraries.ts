import assert from "node:assert/strict"
import fc from "fast-check"
import { NextHeader, parseAddress, type Ipv6Packet } from "../../../sim/net/ipv6.ts"
import { contiki27, contikiNg } from "../../../sim/net/sixlowpan/compression.ts"
import type { Link } from "../../../sim/net/sixlowpan/iphc.ts"
import { encodeUdp } from "../../../sim/net/udp.ts"

export const u8 = fc.nat(0xff)
export const u16 = fc.nat(0xffff)
export const u32 = fc.nat(0xffffffff)
export const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
export const upTo = (maxLength: number) => fc.uint8Array({ maxLength })
export const eui64 = bytes(8)
export const context = parseAddress("aaaa::").subarray(0, 8)

export const tail = (start: string) => bytes(8).map(id => Uint8Array.of(...parseAddress(start).subarray(0, 8), ...id))
/** Addresses of all the kinds that are compressed differently. */
export const unicast = fc.oneof(
    bytes(16).map(address => Uint8Array.of(0x20, ...address.subarray(1))),
    tail("fe80::"),
    tail("aaaa::"),
    u16.map(id => parseAddress(`fe80::ff:fe00:${id.toString(16)}`)),
    fc.constant(parseAddress("aaaa::1")),
)
export const multicast = fc.oneof(
    u8.map(id => parseAddress(`ff02::${id.toString(16)}`)),
    u32.map(id => parseAddress(`ff05::${(id >>> 16).toString(16)}:${(id & 0xffff).toString(16)}`)),
    bytes(15).map(rest => Uint8Array.of(0xff, ...rest)),
)
export const link: fc.Arbitrary<Link> = fc.record({
    source: eui64,
    destination: eui64,
    contexts: fc.constant([context]),
})
const extension = fc
    .tuple(fc.constantFrom(NextHeader.routing, NextHeader.destination), fc.integer({ min: 0, max: 4 }))
    .chain(([kind, units]) => fc.record({ kind: fc.constant(kind), data: bytes(8 * units + 6) }))
const hopByHop = bytes(6).map(data => ({ kind: NextHeader.hopByHop as number, data }))
export const packet: fc.Arbitrary<Ipv6Packet> = fc
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
            ? encodeUdp({ sourcePort: ports[0], destinationPort: ports[1], data }, header.source, header.destination)
            : data,
    }))
export const stack = fc.constantFrom(contiki27, contikiNg)

/** Whether a value is written and read again as it was. */
export function same<T>(
    value: T,
    encode: (value: NoInfer<T>) => Uint8Array,
    decode: (bytes: Uint8Array) => NoInfer<T>,
): void {
    const encoded = encode(value)
    assert.deepEqual(encode(decode(encoded)), encoded)
    assert.deepEqual(plain(decode(encoded)), plain(value))
}

/** Views and copies of bytes are the same bytes, an absent property is one that is undefined. */
export function plain(value: unknown): unknown {
    return JSON.parse(
        JSON.stringify(value, (_key, part: unknown) =>
            part instanceof Uint8Array ? Buffer.from(part).toString("hex") : part,
        ),
    )
}
