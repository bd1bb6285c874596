import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { code, message, type CoapMessage } from "../../../router/coap/message.ts"
import { encodeFrame as encodeCoap } from "../../../router/coap/frame.ts"
import { pathOptions, uintOption } from "../../../router/coap/options.ts"
import { Decoder } from "../../../sim/capture/decode.ts"
import { encodeEcho, encodeIcmp, IcmpType } from "../../../sim/net/icmpv6.ts"
import { broadcast, encodeAck, encodeFrame } from "../../../sim/net/mac/ieee802154.ts"
import { encodeIpv6, formatAddress, NextHeader, parseAddress } from "../../../sim/net/ipv6.ts"
import { linkLocalOf, withPrefix } from "../../../sim/net/node.ts"
import { encodeDis, RplCode } from "../../../sim/net/rpl/messages.ts"
import { toFrames } from "../../../sim/net/sixlowpan/fragment.ts"
import { contiki27 } from "../../../sim/net/sixlowpan/compression.ts"
import { skyAddress } from "../../../sim/net/sky.ts"
import { encodeSegment, Flag } from "../../../sim/net/tcp-segment.ts"
import { maxPayloadBytes } from "../../../sim/net/mac/csma.ts"

const prefix = parseAddress("aaaa::").subarray(0, 8)
const contexts = [prefix]
const host = parseAddress("aaaa::1")
const mote = withPrefix(prefix, skyAddress(4))
const link = { source: skyAddress(4), destination: skyAddress(3), contexts }
let tag = 0
let sequence = 0

const newDecoder = () =>
    new Decoder(contexts, address =>
        formatAddress(address) === "aaaa::1" ? "host" : String(address[11]! === 0x04 ? 4 : "?"),
    )

/** The frames that carry a packet of mote 4 to the host over mote 3. */
function framesOf(protocol: number, payload: Uint8Array, destination = host): Uint8Array[] {
    const packet = encodeIpv6({ hopLimit: 64, source: mote, destination, protocol, payload })
    return toFrames(packet, link, contiki27, maxPayloadBytes, ++tag).map(payload =>
        encodeFrame({
            ...{ type: "data", ackRequest: true, sequence: ++sequence & 255, pan: 0xabcd },
            ...{ source: link.source, destination: link.destination, payload },
        }),
    )
}

const said = (decoder: Decoder, frames: Uint8Array[]) =>
    frames.map(frame => {
        const { protocol, text } = decoder.decode(frame, 0)
        return `${protocol}: ${text}`
    })

function segment(sequence: number, flags: number, data: Uint8Array): Uint8Array[] {
    const ports = { sourcePort: 50_000, destinationPort: 5683 }
    const numbers = { sequence, acknowledgement: 0, flags, window: 1000 }
    return framesOf(NextHeader.tcp, encodeSegment({ ...ports, ...numbers, data }, mote, host))
}

const coap = (parts: Partial<CoapMessage>, what = code("0.02")) => encodeCoap(message(what, parts))

test("an echo request in fragments: where it is going from the first on, what it is when it is whole", () => {
    const data = new Uint8Array(180)
    const echo = encodeEcho(IcmpType.echoRequest, { identifier: 7, sequence: 3, data })
    const frames = framesOf(NextHeader.icmpv6, encodeIcmp(echo, mote, host))
    assert.equal(frames.length, 3)
    assert.deepEqual(said(newDecoder(), frames), [
        "6LoWPAN: 4 → host [fragment 1 of 3]",
        "6LoWPAN: 4 → host [fragment 2 of 3]",
        "ICMPv6: 4 → host Echo request id=7 seq=3 [fragment 3 of 3]",
    ])
    // Whose first fragment nobody saw.
    assert.match(said(newDecoder(), frames.slice(1))[0]!, /^6LoWPAN: \[fragment at \d+ of 228 bytes\]$/)
})

test("an acknowledgement is for who asked for it", () => {
    const decoder = newDecoder()
    const [frame] = framesOf(NextHeader.icmpv6, encodeIcmp({ type: 1, code: 0, body: new Uint8Array(4) }, mote, host))
    decoder.decode(frame!, 0)
    const ack = decoder.decode(encodeAck(frame![2]!), 1)
    assert.equal(ack.protocol, "ACK")
    assert.deepEqual(ack.destination, skyAddress(4))
})

test("a DIS to all", () => {
    const all = parseAddress("ff02::1a")
    const source = linkLocalOf(skyAddress(4))
    const dis = { type: IcmpType.rpl, code: RplCode.dis, body: encodeDis() }
    const payload = encodeIcmp(dis, source, all)
    const packet = { hopLimit: 64, source, destination: all, protocol: NextHeader.icmpv6, payload }
    const wide = { ...link, destination: broadcast }
    const [bytes] = toFrames(encodeIpv6(packet), wide, contiki27, maxPayloadBytes, 1)
    const frame = encodeFrame({
        ...{ type: "data", sequence: 1, pan: 0xabcd },
        ...{ source: link.source, destination: broadcast, payload: bytes! },
    })
    assert.deepEqual(said(newDecoder(), [frame]), ["RPL: 4 → ff02::1a DIS"])
})

test("CoAP in TCP: messages are found wherever they begin, also when a segment comes again", () => {
    const decoder = newDecoder()
    const post = coap({
        options: [...pathOptions("/vitals"), uintOption(12, 17)],
        payload: new Uint8Array(70),
    })
    const signal = coap({}, code("7.01"))
    const stream = Buffer.concat([signal, post, post])
    const start = 4_294_967_290
    const cut = signal.length + post.length + 20
    const lines = [
        ...said(decoder, segment(start, Flag.syn, new Uint8Array(0))),
        ...said(decoder, segment((start + 1) >>> 0, Flag.ack, stream.subarray(0, cut))),
        ...said(decoder, segment((start + 1 + cut) >>> 0, Flag.ack, stream.subarray(cut))),
        ...said(decoder, segment((start + 1) >>> 0, Flag.ack, stream.subarray(0, cut))),
    ].filter(line => !/fragment [12] of 3|fragment 1 of 2/.test(line))
    const whole = `CoAP: 4 → host 7.01 CSM (2 B), POST /vitals (${post.length} B), POST /vitals (${post.length} B) · seq=1 ack=0 len=${cut}`
    assert.equal(lines[0], "TCP: 4 → host 50000 → 5683 [SYN] seq=0 len=0")
    assert.ok(lines[1]!.startsWith(whole), lines[1])
    assert.match(lines[2]!, /^TCP: .* \[ACK\] seq=\d+ ack=0 len=\d+/)
    assert.ok(lines[3]!.startsWith(whole), lines[3])
    const layers = segment((start + 1) >>> 0, Flag.ack, stream.subarray(0, cut)).map(
        frame => decoder.decode(frame, 0).layers,
    )
    const fields = layers.at(-1)!.at(-1)!
    assert.equal(fields.name, "CoAP: POST /vitals")
    assert.deepEqual(fields.fields.at(-1), ["content format", "17"])
})

test("whatever is in the air, it says one line about it", () => {
    const decoder = newDecoder()
    const good = segment(1, Flag.syn, new Uint8Array(0))
    const arbitrary = fc.oneof(
        fc.uint8Array({ maxLength: 140 }),
        fc.uint8Array({ maxLength: 100 }).map(payload =>
            encodeFrame({
                ...{ type: "data", sequence: 1, pan: 0xabcd },
                ...{ source: link.source, destination: link.destination, payload },
            }),
        ),
        fc
            .uint8Array({ maxLength: 60 })
            .chain(payload =>
                fc
                    .constantFrom(NextHeader.tcp, NextHeader.udp, NextHeader.icmpv6, 0, 43, 60, 99)
                    .map(protocol => framesOf(protocol, payload)[0]!),
            ),
    )
    fc.assert(
        fc.property(arbitrary, bytes => {
            const { text, layers } = decoder.decode(bytes, 0)
            assert.match(text, /^[^\n]{1,500}$/)
            assert.ok(layers.length > 0)
        }),
        { numRuns: 2000 },
    )
    assert.match(said(decoder, good)[0]!, /SYN/)
})
