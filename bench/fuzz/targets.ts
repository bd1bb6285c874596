import { ProblemError } from "../../clinic/errors.ts"
import { acceptanceIn, isAlarmStatus } from "../../clinic/delivery/hl7/alarm-status.ts"
import { kindsByType, resourceKinds } from "../../clinic/fhir/resources/resources.ts"
import { parseDate } from "../../clinic/fhir/search/date.ts"
import { parseQuery as parseSearch } from "../../clinic/fhir/search/query.ts"
import { decode as decodeMqtt } from "../../host/mqtt/decode.ts"
import { encode as encodeMqtt } from "../../host/mqtt/encode.ts"
import { Frames } from "../../host/mqtt/frames.ts"
import type { Packet } from "../../host/mqtt/packet.ts"
import { MqttError } from "../../host/mqtt/reason.ts"
import { decoded, shownOptions } from "../../router/browser/decoded.ts"
import { encode as encodeDatagram, parse as parseDatagram } from "../../router/coap/datagram.ts"
import { encodeForWebSocket, encodeFrame, FrameReader, fromWebSocket } from "../../router/coap/frame.ts"
import { linkFormat, parseLinks } from "../../router/coap/link-format.ts"
import { Code, message } from "../../router/coap/message.ts"
import { CoapFormatError, pathOptions, uintOption } from "../../router/coap/options.ts"
import { parseQuery, QueryError, response } from "../../router/dns/message.ts"
import { moteTopic } from "../../router/mqtt/motes.ts"
import { contentFormatOf, preferred } from "../../router/relay/http-mapping.ts"
import { uriOptions } from "../../router/relay/relay.ts"
import { parseNetwork } from "../../router/status/network.ts"
import { PacketError } from "../../sim/net/bytes.ts"
import { decodeIcmp, encodeIcmp } from "../../sim/net/icmpv6.ts"
import { checksum, decodeIpv6, encodeIpv6, NextHeader } from "../../sim/net/ipv6.ts"
import { decodeFrame, fcs } from "../../sim/net/mac/ieee802154.ts"
import { decodeDao, decodeDaoAck, decodeDio } from "../../sim/net/rpl/messages.ts"
import { decodeRplOption } from "../../sim/net/rpl/option.ts"
import { Reassembly } from "../../sim/net/sixlowpan/fragment.ts"
import { decompress } from "../../sim/net/sixlowpan/iphc.ts"
import { advanceSourceRoute, finalDestination } from "../../sim/net/source-route.ts"
import { decodeSegment, encodeSegment } from "../../sim/net/tcp-segment.ts"
import { decodeUdp, encodeUdp } from "../../sim/net/udp.ts"
import { decodeAlarms, encodeAlarms } from "../../wire/alarms.ts"
import {
    decodeBatch,
    decodeKeys,
    decodeResults,
    decodeWanted,
    encodeBatch,
    encodeKeys,
    encodeResults,
    encodeWanted,
} from "../../wire/batch.ts"
import { decode, encode, WireError } from "../../wire/cbor.ts"
import { encodeConfig, openCommand, openConfig } from "../../wire/config.ts"
import { openEnvelope, parseEnvelope, parseSealed, seal, sealEnvelope } from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { decodePack, encodePack } from "../../wire/pack.ts"
import { decodeRefusal, encodeRefusal, refusalIn } from "../../wire/refusal.ts"

/** A parser, and what it may do with input that it does not want. */
export interface Target {
    name: string
    /** Parses; throws what `mayThrow` allows, or what is a finding. */
    run(input: Uint8Array): void
    mayThrow(error: unknown): boolean
    /** Inputs to begin with. */
    seeds: Uint8Array[]
}

const now = Date.UTC(2026, 0, 1)
const kid = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const keys = deriveKeys(new Uint8Array(32).fill(7), kid)
const down = { kid, enc: keys.downEnc, mac: keys.downMac }
const routerKeys = { kid, upMac: keys.upMac, receipt: keys.receipt, mqtt: keys.mqtt, config: 3 }
const pack = encodePack([{ time: now, name: "hr", value: 60, relative: false, untimed: false } as never], now)
const envelope = sealEnvelope({
    ...{ ...keys, purpose: "vitals" as const, boot: 1, salt: Uint8Array.of(1, 2, 3, 4, 5), seq: 1 },
    plaintext: pack,
})
const delivery = { id: 1, purpose: "vitals" as const, receivedAt: now, envelope }
const [near, far] = [Uint8Array.from({ length: 16 }, (_, i) => i), Uint8Array.from({ length: 16 }, (_, i) => 16 - i)]
const link = {
    source: Uint8Array.of(0, 18, 116, 1, 0, 1, 1, 1),
    destination: Uint8Array.of(0, 18, 116, 2, 0, 2, 2, 2),
    contexts: [Uint8Array.of(0xaa, 0xaa, 0, 0, 0, 0, 0, 0)],
}
const get = message(Code.GET, {
    token: Uint8Array.of(1, 2),
    options: [...pathOptions("/m/0102030405060708/status"), uintOption(17, 112), uintOption(23, 6)],
    payload: Uint8Array.of(1),
})

const only =
    (...errors: (new (...args: never[]) => Error)[]) =>
    (error: unknown) =>
        errors.some(one => error instanceof one)
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8")
const bytesOf = (...texts: string[]) => texts.map(one => Buffer.from(one))

/** Fails if what was parsed is not the same after it has been encoded and parsed once more. */
function roundTrip<T>(value: T, again: (value: T) => T): void {
    const [first, second] = [value, again(value)].map(one => JSON.stringify(one, inHex))
    if (first !== second) throw new Error(`not the same after a round trip: ${first} and ${second}`)
}

/** Bytes in hex: some are a Buffer, which would say so. */
function inHex(_key: string, value: unknown): unknown {
    const bytes = (value as { type?: unknown } | null)?.type === "Buffer" ? (value as { data: number[] }).data : value
    return bytes instanceof Uint8Array || bytes !== value ? Buffer.from(bytes as Uint8Array).toString("hex") : value
}

function wire(name: string, seeds: Uint8Array[], run: (input: Uint8Array) => unknown): Target {
    return { name, seeds, run: input => void run(input), mayThrow: only(WireError) }
}

/** A stream of packets: the same in one piece and byte by byte, and each the same after it has been encoded. */
function mqtt(version: 4 | 5, seed: string): Target {
    const packetsIn = (chunks: Uint8Array[]) => {
        const packets: Packet[] = []
        const frames = new Frames(8192)
        for (const chunk of chunks)
            frames.push(chunk, (first, body) => packets.push(decodeMqtt(first, body, version)) > 0)
        return packets
    }
    return {
        name: `mqtt-${version}`,
        seeds: [Buffer.from(seed, "hex"), Buffer.from("3203000161", "hex"), Buffer.from("820600010001612300", "hex")],
        mayThrow: only(MqttError),
        run: input => {
            const whole = packetsIn([input])
            roundTrip(whole, () => packetsIn([...input].map(byte => Uint8Array.of(byte))))
            for (const one of whole) {
                roundTrip(one, value => packetsIn([encodeMqtt(value, version)])[0]!)
                if (one.kind === "publish") moteTopic(one.topic)
            }
        },
    }
}

function packet(name: string, seeds: Uint8Array[], run: (input: Uint8Array) => unknown): Target {
    return { name, seeds, run: input => void run(input), mayThrow: only(PacketError) }
}

/** Every parser of what comes from outside. */
export const targets: Target[] = [
    wire("cbor", [encode([1, -1, "a", Uint8Array.of(1), new Map([[1, null]]), 1.5])], input => decode(input)),
    wire("cbor-any-floats", [encode([1.5, 1e300])], input => decode(input, "any", 100)),
    wire("envelope", [envelope], parseEnvelope),
    wire("sealed", [envelope], input => openEnvelope(parseSealed(input), keys.upEnc)),
    wire("pack", [pack], input => decodePack(input, now)),
    wire("alarms", [encodeAlarms([], now)], input => decodeAlarms(input, now)),
    wire("config", [encodeConfig({}, 1)], input =>
        openConfig(seal("config", new Uint8Array(12), notEmpty(input), down), keys),
    ),
    wire(
        "command",
        [
            encode(
                new Map<string, unknown>([
                    ["command", "identify"],
                    ["version", 1],
                ]),
            ),
        ],
        input => openCommand(seal("command", new Uint8Array(12), notEmpty(input), down), keys),
    ),
    wire("refusal", [encodeRefusal({ code: "out-of-range", setting: 1, min: 1, max: 2 } as never)], decodeRefusal),
    wire("problem-details", [encode(new Map([[1, "x"]]))], refusalIn),
    wire("batch", [encodeBatch([delivery])], input =>
        roundTrip(decodeBatch(input), value => decodeBatch(encodeBatch(value))),
    ),
    wire("results", [encodeResults([{ id: 1, status: "refused", reason: "revoked" }])], input =>
        roundTrip(decodeResults(input), value => decodeResults(encodeResults(value))),
    ),
    wire("keys", [encodeKeys([routerKeys])], input =>
        roundTrip(decodeKeys(input), value => decodeKeys(encodeKeys(value))),
    ),
    wire("wanted", [encodeWanted([kid])], decodeWanted),
    {
        name: "coap-tcp",
        seeds: [encodeFrame(get)],
        mayThrow: only(CoapFormatError),
        run: input => {
            const whole = [...new FrameReader(2048).push(input)]
            const reader = new FrameReader(2048)
            const parts = [input.subarray(0, input.length >> 1), input.subarray(input.length >> 1)]
            const split = parts.flatMap(part => [...reader.push(part)])
            roundTrip(whole, () => split)
            for (const one of whole) roundTrip(one, value => [...new FrameReader(4096).push(encodeFrame(value))][0]!)
        },
    },
    {
        name: "coap-ws",
        seeds: [encodeForWebSocket(get)],
        mayThrow: only(CoapFormatError),
        run: input => {
            const [parsed] = new FrameReader(8192).push(fromWebSocket(input))
            roundTrip(parsed, value => [...new FrameReader(8192).push(fromWebSocket(encodeForWebSocket(value!)))][0])
        },
    },
    {
        name: "coap-udp",
        seeds: [encodeDatagram(0, 7, get)],
        mayThrow: only(CoapFormatError),
        run: input => {
            const parsed = parseDatagram(input)
            if (parsed) roundTrip(parsed, value => parseDatagram(encodeDatagram(0, 7, value))!)
        },
    },
    {
        name: "link-format",
        seeds: bytesOf('</a>;rt="b c";obs,</d>;ct=40;title="\\"x\\""'),
        mayThrow: () => false,
        run: input => {
            const links = parseLinks(text(input))
            linkFormat(links)
        },
    },
    {
        name: "page-payload",
        seeds: [envelope, pack, ...bytesOf("</a>;ct=0", '{"a":1}')],
        mayThrow: () => false,
        run: input => {
            for (const format of [0, 16, 17, 18, 40, 50, 60, 112, 257])
                decoded(message(Code.Content, { options: [uintOption(12, format)], payload: input }))
            shownOptions([{ number: input[0] ?? 0, value: input.subarray(1) }])
        },
    },
    {
        name: "dns",
        seeds: [Buffer.from("000101000001000000000000066d6f74652d7208696e7465726e616c0000010001", "hex")],
        mayThrow: only(QueryError),
        run: input => {
            const query = parseQuery(input)
            if (query) response(query, 0, "192.0.2.7")
        },
    },
    mqtt(4, "101000044d5154540402003c000464657630"),
    mqtt(5, "101500044d51545405c2003c05210014000461626364"),
    {
        name: "http",
        seeds: bytesOf(
            "application/json;q=0.5, text/*",
            "application/coap-payload; cf=17",
            "/m/0102030405060708/%7e?a=%20&b",
        ),
        mayThrow: () => false,
        run: input => {
            const [path = "", query = ""] = text(input).split("?", 2)
            preferred(text(input), ["application/json", "text/html"])
            contentFormatOf(text(input))
            uriOptions(path, query)
        },
    },
    {
        name: "network",
        seeds: bytesOf('{"address":"aaaa::1","neighbours":[{"address":"fe80::2","rank":256,"etx":1}],"routes":[]}'),
        mayThrow: only(Error),
        run: input => void parseNetwork(input),
    },
    {
        name: "fhir-search",
        seeds: bytesOf(
            "patient=1&code=8867-4&_sort=-date&_count=10&date=ge2026-01-01&date=lt2026-02",
            "_cursor=7&_id=1,2&_include=Observation:device&_elements=code",
            "patient.name:contains=a&value-quantity=gt100||/min&_has:Device:patient:_id=1",
        ),
        mayThrow: only(ProblemError),
        run: input => {
            const query = new URLSearchParams(text(input))
            for (const kind of resourceKinds)
                orProblem(() => void parseSearch(kind, query, { kinds: kindsByType, base: "https://ward/fhir" }))
            for (const value of query.values()) orProblem(() => void parseDate(value))
        },
    },
    {
        name: "hl7",
        seeds: bytesOf("MSH|^~\\&|A|B|C|D|20260101||ORA^R41|1|P|2.6\rMSA|AA|7\rOBX|1|ST|1^A^B||x\r"),
        mayThrow: () => false,
        run: input => {
            isAlarmStatus(text(input))
            acceptanceIn(text(input))
        },
    },
    packet("ieee802154", [Buffer.from("41d801cdab0202010101ffff00", "hex")], input => {
        const sum = fcs(input)
        decodeFrame(Buffer.concat([input, Uint8Array.of(sum & 255, sum >> 8)]))
    }),
    packet("iphc", [Buffer.from("7b3b3a1a9b0200", "hex")], input => decompress(input, link)),
    packet("fragments", [Buffer.from("c02800017b3b3a1a9b02000000000000", "hex")], input => {
        const reassembly = new Reassembly(2)
        for (let at = 0; at < input.length; at += 48) reassembly.take(input.subarray(at, at + 48), link, at)
    }),
    packet(
        "ipv6",
        [encodeIpv6({ hopLimit: 64, source: near, destination: far, protocol: NextHeader.udp, payload: pack })],
        input => {
            const parsed = decodeIpv6(input)
            roundTrip(parsed, value => decodeIpv6(encodeIpv6(value)))
            finalDestination(parsed)
            advanceSourceRoute(parsed, () => false)
        },
    ),
    packet("icmpv6", [encodeIcmp({ type: 155, code: 1, body: pack }, near, far)], input =>
        decodeIcmp(input, near, far),
    ),
    packet("udp", [encodeUdp({ sourcePort: 1, destinationPort: 2, data: pack }, near, far)], input =>
        decodeUdp(summed(input, 6, NextHeader.udp), near, far),
    ),
    packet(
        "tcp",
        [
            encodeSegment(
                {
                    ...{ sourcePort: 1, destinationPort: 2, sequence: 3, acknowledgement: 4, flags: 2, window: 5 },
                    ...{ maxSegment: 48, data: pack },
                },
                near,
                far,
            ),
        ],
        input => decodeSegment(summed(input, 16, NextHeader.tcp), near, far),
    ),
    packet("rpl-dio", [Buffer.from("1e00010010000000aaaa000000000000000000000000000104", "hex")], decodeDio),
    packet(
        "rpl-dao",
        [Buffer.from("1e4000f0051200 80aaaa0000000000000212740200020202".replaceAll(" ", ""), "hex")],
        decodeDao,
    ),
    packet("rpl-dao-ack", [Buffer.from("1e00f000", "hex")], decodeDaoAck),
    packet("rpl-option", [Buffer.from("001e0100", "hex")], decodeRplOption),
]

/** With the checksum right, because almost nothing else would pass it. */
function summed(input: Uint8Array, at: number, protocol: number): Uint8Array {
    if (input.length < at + 2) return input
    const bytes = Buffer.from(input)
    bytes.writeUInt16BE(0, at)
    bytes.writeUInt16BE(checksum(near, far, protocol, bytes), at)
    return bytes
}

/** Nobody seals nothing. */
function notEmpty(input: Uint8Array): Uint8Array {
    return input.length === 0 ? Uint8Array.of(0) : input
}

function orProblem(parse: () => void): void {
    try {
        parse()
    } catch (error) {
        if (!(error instanceof ProblemError)) throw error
    }
}
