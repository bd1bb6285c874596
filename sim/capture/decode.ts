import { PacketError, Reader } from "../net/bytes.ts"
import { decodeEcho, decodeIcmp, IcmpType } from "../net/icmpv6.ts"
import { decodeFrame, type Frame, type LinkAddress } from "../net/mac/ieee802154.ts"
import { decodeIpv6, formatAddress, isMulticast, NextHeader, type Ipv6Address, type Ipv6Packet } from "../net/ipv6.ts"
import { decodeDao, decodeDaoAck, decodeDio, RplCode } from "../net/rpl/messages.ts"
import { modeName } from "../net/rpl/modes.ts"
import { decodeRplOption } from "../net/rpl/option.ts"
import { decompress, isIphc, type Contexts, type Link } from "../net/sixlowpan/iphc.ts"
import { Reassembly } from "../net/sixlowpan/fragment.ts"
import { decodeSourceRoute, finalDestination } from "../net/source-route.ts"
import { decodeSegment, Flag, type Segment } from "../net/tcp-segment.ts"
import { decodeUdp } from "../net/udp.ts"
import { maxPayloadBytes } from "../net/mac/csma.ts"
import { CoapStreams } from "./coap.ts"

export type Protocol = "802.15.4" | "ACK" | "6LoWPAN" | "RPL" | "ICMPv6" | "TCP" | "CoAP" | "UDP"

/** A protocol layer with its fields as text. */
export interface Layer {
    name: string
    fields: [name: string, value: string][]
}

/** A decoded frame: one line, as in Wireshark's packet list, and its layers. */
export interface Decoded {
    protocol: Protocol
    text: string
    source?: LinkAddress
    destination?: LinkAddress
    layers: Layer[]
}

const fragmentMask = 0xf8
const firstFragment = 0xc0
const laterFragment = 0xe0
const coapPort = 5683
const maxDatagrams = 256
const maxRemembered = 256
/** Bytes of a datagram in each middle fragment, between nodes with 64-bit addresses. */
const laterBytes = (maxPayloadBytes - 5) & ~7

/** Displays an address by name: `4`, `host`. */
export type NameOf = (address: Ipv6Address) => string

/**
 * Decodes frames in the order in which they were sent. The line of a fragment, a relative sequence number or a CoAP
 * message depends on earlier frames.
 */
export class Decoder {
    private readonly contexts: Contexts
    private readonly nameOf: NameOf
    private readonly reassembly = new Reassembly(maxDatagrams)
    private readonly coap = new CoapStreams()
    /** The initial sequence number, by connection and direction. */
    private readonly initial = new Map<string, number>()
    /** For fragmented datagrams, by sender, receiver, tag and size: bytes in the first fragment, and the endpoints. */
    private readonly fragmented = new Map<string, { bytes: number; ends: string }>()
    /** Who requested an acknowledgement last, by sequence number. */
    private readonly asked = new Map<number, LinkAddress>()

    constructor(contexts: Contexts, nameOf: NameOf = formatAddress) {
        this.contexts = contexts
        this.nameOf = nameOf
    }

    /** @param ms of any clock that advances; incomplete datagrams time out */
    decode(bytes: Uint8Array, ms: number): Decoded {
        let frame: Frame
        try {
            frame = decodeFrame(bytes)
        } catch (error) {
            const text = messageOf(error)
            return { protocol: "802.15.4", text, layers: [{ name: text, fields: [] }] }
        }
        const decoded: Decoded = { protocol: "802.15.4", text: frame.type, layers: [macOf(frame)] }
        if (frame.source) decoded.source = frame.source
        if (frame.destination) decoded.destination = frame.destination
        if (frame.type === "ack") {
            decoded.protocol = "ACK"
            decoded.text = `Acknowledgement of frame ${frame.sequence}`
            const asking = this.asked.get(frame.sequence)
            if (asking) decoded.destination = asking
            return decoded
        }
        if (frame.ackRequest && frame.source) this.asked.set(frame.sequence, frame.source)
        if (frame.type === "data" && frame.source && frame.destination)
            try {
                this.lowpan(decoded, frame.payload, ms)
            } catch (error) {
                decoded.text = messageOf(error)
            }
        return decoded
    }

    private lowpan(decoded: Decoded, payload: Uint8Array, ms: number): void {
        decoded.protocol = "6LoWPAN"
        const link = {
            source: decoded.source!,
            destination: decoded.destination!,
            contexts: this.contexts,
        }
        const fragment = this.fragment(payload, link)
        if (!fragment) decoded.layers.push({ name: isIphc(payload) ? "IPHC" : "IPv6 uncompressed", fields: [] })
        else {
            decoded.layers.push(fragment.layer)
            decoded.text = fragment.text
        }
        const packet = this.reassembly.take(payload, link, ms)
        if (packet) this.ip(decoded, decodeIpv6(packet))
        // The headers in the first fragment contain the destination.
        else if (fragment) decoded.text = fragment.ends
        if (fragment) decoded.text = `${decoded.text} [${fragment.text}]`.trimStart()
    }

    /** RFC 4944 §5.3. Undefined if the payload is not fragmented. */
    private fragment(payload: Uint8Array, link: Link): { text: string; ends: string; layer: Layer } | undefined {
        const kind = payload[0]! & fragmentMask
        const isFirst = kind === firstFragment
        if (!isFirst && kind !== laterFragment) return undefined
        const reader = new Reader(payload)
        const size = reader.u16() & 0x7ff
        const tag = reader.u16()
        const offset = isFirst ? 0 : 8 * reader.u8()
        const start = isFirst ? startOf(reader.rest(), link, size) : undefined
        const key = `${euiOf(link.source)} ${euiOf(link.destination)} ${tag} ${size}`
        if (start) {
            const ends = this.ends(...endsIn(start))
            remember(this.fragmented, key, { bytes: start.length, ends })
        }
        const known = this.fragmented.get(key)
        const text = known
            ? `fragment ${isFirst ? 1 : 2 + partsAfter(offset - known.bytes)} of ${1 + partsAfter(size - known.bytes)}`
            : `fragment at ${offset} of ${size} bytes`
        const fields: Layer["fields"] = [
            ["datagram", `${size} bytes, tag ${tag}`],
            ["offset", `${offset} bytes`],
        ]
        return { text, ends: known?.ends ?? "", layer: { name: `6LoWPAN ${text}`, fields } }
    }

    private ip(decoded: Decoded, packet: Ipv6Packet): void {
        const { source, hopLimit, protocol, payload } = packet
        const destination = finalDestination(packet)
        decoded.layers.push({
            name: "IPv6",
            fields: [
                ["source", formatAddress(source)],
                ["destination", formatAddress(packet.destination)],
                ["hop limit", String(hopLimit)],
                ["payload", `${payload.length} bytes of protocol ${protocol}`],
            ],
        })
        for (const layer of this.extensionsOf(packet)) decoded.layers.push(layer)
        const inner =
            protocol === NextHeader.icmpv6
                ? this.icmp(payload, source, destination)
                : protocol === NextHeader.tcp
                  ? this.tcp(decodeSegment(payload, source, destination), source, destination)
                  : protocol === NextHeader.udp
                    ? udpOf(payload, source, destination)
                    : { protocol: "6LoWPAN" as const, text: `protocol ${protocol}`, layers: [] }
        decoded.protocol = inner.protocol
        decoded.layers.push(...inner.layers)
        decoded.text = `${this.ends(source, destination)} ${inner.text}`
    }

    private ends(source: Ipv6Address, destination: Ipv6Address): string {
        const to = isMulticast(destination) ? formatAddress(destination) : this.nameOf(destination)
        return `${this.nameOf(source)} → ${to}`
    }

    private extensionsOf({ extensions = [], destination }: Ipv6Packet): Layer[] {
        return extensions.map(({ kind, data }): Layer => {
            if (kind === NextHeader.routing) {
                const { segmentsLeft, addresses } = decodeSourceRoute(data, destination)
                const way = addresses.map(address => this.nameOf(address)).join(", ")
                const fields: Layer["fields"] = [
                    ["segments left", String(segmentsLeft)],
                    ["way", way],
                ]
                return { name: "RPL source route", fields }
            }
            const option = kind === NextHeader.hopByHop ? decodeRplOption(data) : undefined
            if (!option) return { name: `Extension header ${kind}`, fields: [] }
            const fields: Layer["fields"] = [
                ["direction", option.down ? "down" : "up"],
                ["rank error", option.rankError ? "yes" : "no"],
                ["instance", String(option.instance)],
                ["sender rank", String(option.senderRank)],
            ]
            return { name: "RPL option", fields }
        })
    }

    private icmp(payload: Uint8Array, source: Ipv6Address, destination: Ipv6Address): Decoded {
        const message = decodeIcmp(payload, source, destination)
        const { type, code, body } = message
        if (type === IcmpType.rpl) return this.rpl(code, body)
        const fields: Layer["fields"] = [
            ["type", String(type)],
            ["code", String(code)],
        ]
        let text = errors[type] ?? `type ${type}`
        if (type === IcmpType.echoRequest || type === IcmpType.echoReply) {
            const { identifier, sequence, data } = decodeEcho(message)
            text = `Echo ${type === IcmpType.echoRequest ? "request" : "reply"} id=${identifier} seq=${sequence}`
            fields.push(["data", `${data.length} bytes`])
        }
        return { protocol: "ICMPv6", text, layers: [{ name: `ICMPv6: ${text}`, fields }] }
    }

    private rpl(code: number, body: Uint8Array): Decoded {
        const line = (text: string, fields: Layer["fields"]): Decoded => ({
            ...{ protocol: "RPL", text },
            layers: [{ name: `RPL: ${text}`, fields }],
        })
        if (code === RplCode.dis) return line("DIS", [])
        if (code === RplCode.dio) {
            const dio = decodeDio(body)
            return line(`DIO rank ${dio.rank} version ${dio.version}`, [
                ["instance", String(dio.instance)],
                ["DODAG", formatAddress(dio.dodag)],
                ["mode", modeName(dio.mode)],
                ["grounded", dio.grounded ? "yes" : "no"],
                ["DTSN", String(dio.dtsn)],
            ])
        }
        if (code === RplCode.dao) {
            const { sequence, instance, targets } = decodeDao(body)
            const names = targets.map(({ address, parent, lifetime }) => {
                const name = this.nameOf(address)
                const over = parent ? ` via ${this.nameOf(parent)}` : ""
                return `${name}${over}${lifetime === 0 ? " withdrawn" : ""}`
            })
            const fields = targets.map(({ address, lifetime, pathSequence }): [string, string] => [
                `target ${formatAddress(address)}`,
                `lifetime ${lifetime}, path sequence ${pathSequence}`,
            ])
            fields.unshift(["sequence", String(sequence)], ["instance", String(instance)])
            return line(`DAO ${names.join(", ")}`, fields)
        }
        if (code === RplCode.daoAck) {
            const { sequence, status } = decodeDaoAck(body)
            return line(`DAO-ACK seq=${sequence} ${status < 128 ? "accepted" : "refused"}`, [
                ["status", String(status)],
            ])
        }
        return line(`RPL code ${code}`, [])
    }

    private tcp(segment: Segment, source: Ipv6Address, destination: Ipv6Address): Decoded {
        const { sourcePort, destinationPort, sequence, acknowledgement, flags, data } = segment
        const there = `${formatAddress(source)} ${sourcePort} ${formatAddress(destination)} ${destinationPort}`
        const back = `${formatAddress(destination)} ${destinationPort} ${formatAddress(source)} ${sourcePort}`
        if (flags & Flag.syn) {
            remember(this.initial, there, sequence)
            this.coap.open(there, sequence + 1)
        }
        const seq = (sequence - (this.initial.get(there) ?? 0)) >>> 0
        const ack = (acknowledgement - (this.initial.get(back) ?? 0)) >>> 0
        const names = flagNames.filter(([, bit]) => flags & bit).map(([name]) => name)
        const numbers = `seq=${seq}${flags & Flag.ack ? ` ack=${ack}` : ""} len=${data.length}`
        const text = `${sourcePort} → ${destinationPort} [${names.join(", ")}] ${numbers}`
        const layers: Layer[] = [
            {
                name: "TCP",
                fields: [
                    ["ports", `${sourcePort} → ${destinationPort}`],
                    ["flags", names.join(", ")],
                    ["sequence", `${sequence} (relative ${seq})`],
                    ["acknowledgement", `${acknowledgement} (relative ${ack})`],
                    ["window", String(segment.window)],
                    ["data", `${data.length} bytes`],
                ],
            },
        ]
        const isCoap = sourcePort === coapPort || destinationPort === coapPort
        const messages = isCoap ? this.coap.read(there, sequence, data) : undefined
        if (!messages?.length) return { protocol: "TCP", text, layers }
        for (const { text, contentFormat, bytes } of messages) {
            const fields: Layer["fields"] = [["message", `${bytes} bytes`]]
            if (contentFormat !== undefined) fields.push(["content format", String(contentFormat)])
            layers.push({ name: `CoAP: ${text}`, fields })
        }
        const inner = messages.map(({ text, bytes }) => `${text} (${bytes} B)`).join(", ")
        return { protocol: "CoAP", text: `${inner} · ${numbers}`, layers }
    }
}

const errors: Record<number, string> = {
    [IcmpType.unreachable]: "Destination unreachable",
    [IcmpType.packetTooBig]: "Packet too big",
    [IcmpType.timeExceeded]: "Time exceeded: hop limit",
    [IcmpType.parameterProblem]: "Parameter problem",
}

const flagNames = [
    ["FIN", Flag.fin],
    ["SYN", Flag.syn],
    ["RST", Flag.rst],
    ["PSH", Flag.psh],
    ["ACK", Flag.ack],
] as const

function udpOf(payload: Uint8Array, source: Ipv6Address, destination: Ipv6Address): Decoded {
    const { sourcePort, destinationPort, data } = decodeUdp(payload, source, destination)
    const text = `${sourcePort} → ${destinationPort} len=${data.length}`
    return { protocol: "UDP", text, layers: [{ name: `UDP: ${text}`, fields: [] }] }
}

function macOf({ type, sequence, ackRequest, pan, source, destination, payload }: Frame): Layer {
    const fields: Layer["fields"] = [["sequence", String(sequence)]]
    if (pan !== undefined) fields.push(["PAN", `0x${pan.toString(16)}`])
    if (source) fields.push(["source", euiOf(source)])
    if (destination) fields.push(["destination", euiOf(destination)])
    if (ackRequest) fields.push(["acknowledgement", "requested"])
    fields.push(["payload", `${payload.length} bytes`])
    return { name: `IEEE 802.15.4 ${type}`, fields }
}

function euiOf(address: LinkAddress): string {
    return Array.from(address, byte => byte.toString(16).padStart(2, "0")).join(":")
}

/** Number of fragments for this many bytes after the first fragment. */
function partsAfter(bytes: number): number {
    return Math.ceil(bytes / laterBytes)
}

/** The beginning of the datagram in its first fragment, with headers decompressed. */
function startOf(rest: Uint8Array, link: Link, size: number): Uint8Array {
    return isIphc(rest) ? decompress(rest, link, size) : rest.subarray(1)
}

function endsIn(start: Uint8Array): [source: Ipv6Address, destination: Ipv6Address] {
    if (start.length < 40) throw new PacketError("cut short")
    return [start.subarray(8, 24), start.subarray(24, 40)]
}

/** Remembers the newest entries; the oldest is dropped. */
function remember<T>(known: Map<string, T>, key: string, value: T): void {
    known.delete(key)
    if (known.size >= maxRemembered) {
        const [oldest] = known.keys()
        if (oldest !== undefined) known.delete(oldest)
    }
    known.set(key, value)
}

function messageOf(error: unknown): string {
    if (error instanceof PacketError) return error.message
    throw error
}
