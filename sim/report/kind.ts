import { PacketError } from "../net/bytes.ts"
import { IcmpType } from "../net/icmpv6.ts"
import { decodeFrame, type Frame } from "../net/mac/ieee802154.ts"
import { headerBytes, isExtension, NextHeader } from "../net/ipv6.ts"
import { RplCode } from "../net/rpl/messages.ts"
import { decompress, isIphc, type Contexts } from "../net/sixlowpan/iphc.ts"

/** Purpose of a frame. */
export const kinds = [
    "TCP data",
    "TCP control",
    "DIO",
    "DAO",
    "DAO-ACK",
    "DIS",
    "ICMPv6",
    "UDP",
    "acknowledgement",
    "other",
] as const

export type Kind = (typeof kinds)[number]

/** First byte of a payload (RFC 4944 §5.1 and §5.3). */
const uncompressed = 0x41
const fragmentMask = 0xf8
const firstFragment = 0xc0
const laterFragment = 0xe0
const maxDatagrams = 256

/** Classifies frames in the order in which they were sent: a later fragment belongs to the kind of its first one. */
export class Kinds {
    private readonly contexts: Contexts
    /** Kinds of fragmented datagrams by sender and tag, oldest first. */
    private readonly datagrams = new Map<string, Kind>()

    constructor(contexts: Contexts) {
        this.contexts = contexts
    }

    of(bytes: Uint8Array): Kind {
        try {
            const frame = decodeFrame(bytes)
            if (frame.type === "ack") return "acknowledgement"
            return frame.type === "data" && frame.payload.length > 1 ? this.ofData(frame) : "other"
        } catch (error) {
            if (error instanceof PacketError) return "other"
            throw error
        }
    }

    private ofData(frame: Frame): Kind {
        const { payload, source } = frame
        const form = payload[0]! & fragmentMask
        if (form !== firstFragment && form !== laterFragment) return this.ofPacket(frame, payload, undefined)
        const size = ((payload[0]! & 7) << 8) | payload[1]!
        const tag = ((payload[2] ?? 0) << 8) | (payload[3] ?? 0)
        const key = `${Buffer.from(source ?? []).toString("hex")} ${size} ${tag}`
        if (form === laterFragment) return this.datagrams.get(key) ?? "other"
        const kind = this.ofPacket(frame, payload.subarray(4), size)
        this.datagrams.delete(key)
        this.datagrams.set(key, kind)
        if (this.datagrams.size > maxDatagrams) this.datagrams.delete(this.datagrams.keys().next().value!)
        return kind
    }

    /** @param size of the whole packet if this is its first fragment */
    private ofPacket(frame: Frame, bytes: Uint8Array, size: number | undefined): Kind {
        const { source, destination } = frame
        if (bytes[0] === uncompressed) return ofIpv6(bytes.subarray(1))
        if (!isIphc(bytes) || !source || !destination) return "other"
        const link = { source, destination, contexts: this.contexts }
        return ofIpv6(decompress(bytes, link, size))
    }
}

/** @param packet at least its headers */
function ofIpv6(packet: Uint8Array): Kind {
    let protocol = packet[6]
    let at = headerBytes
    while (protocol !== undefined && isExtension(protocol)) {
        protocol = packet[at]
        at += 8 * ((packet[at + 1] ?? 0) + 1)
    }
    const size = headerBytes + ((packet[4]! << 8) | packet[5]!)
    if (protocol === NextHeader.udp) return "UDP"
    if (protocol === NextHeader.icmpv6)
        return packet[at] === IcmpType.rpl ? (ofRpl.get(packet[at + 1] ?? -1) ?? "other") : "ICMPv6"
    if (protocol !== NextHeader.tcp) return "other"
    return at + 4 * ((packet[at + 12] ?? 0) >> 4) < size ? "TCP data" : "TCP control"
}

const ofRpl = new Map<number, Kind>([
    [RplCode.dis, "DIS"],
    [RplCode.dio, "DIO"],
    [RplCode.dao, "DAO"],
    [RplCode.daoAck, "DAO-ACK"],
])
