import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { readPcap } from "../../../sim/capture/pcap.ts"
import { equalBytes } from "../../../sim/net/bytes.ts"
import { decodeFrame, encodeFrame, type Frame } from "../../../sim/net/mac/ieee802154.ts"
import { parseAddress } from "../../../sim/net/ipv6.ts"
import { Reassembly } from "../../../sim/net/sixlowpan/fragment.ts"
import { contiki27, contikiNg, type Compression } from "../../../sim/net/sixlowpan/compression.ts"
import { sharedFile } from "../../support/shared.ts"
import { checkFrames, checkPacket } from "./same-bytes.ts"

/** Captures of real Contiki stacks. Context 0 of all Contiki-NG captures is fd00::/64, also of that which uses aaaa::. */
const captures: [name: string, context: string, how: Compression][] = [
    ["cooja-sky-contiki27-br-ping", "aaaa::", contiki27],
    ["cooja-rplclassic-udp", "fd00::", contikiNg],
    ["cooja-rpllite-udp-10", "fd00::", contikiNg],
    ["cooja-br-coap-rpllite", "fd00::", contikiNg],
]

for (const [name, context, how] of captures)
    test(`${name}: every frame is read, and written again byte for byte`, t => {
        const file = sharedFile(t, `pcap/${name}.pcap`)
        if (!file) return
        const { frames } = readPcap(readFileSync(file))
        const contexts = [parseAddress(context).subarray(0, 8)]
        const reassembly = new Reassembly(64)
        const parts = new Map<string, Uint8Array[]>()
        let packets = 0
        for (const { bytes, timeUs } of frames) {
            const frame = decodeFrame(bytes)
            assert.deepEqual(encodeFrame(frame), Uint8Array.from(bytes))
            if (frame.type === "ack") continue
            const link = { source: frame.source!, destination: frame.destination!, contexts }
            const payloads = collect(parts, frame)
            const packet = reassembly.take(frame.payload, link, timeUs / 1000)
            if (!packet) continue
            packets++
            checkPacket(packet)
            checkFrames(packet, link, how, payloads)
        }
        assert.ok(packets > 100)
    })

/** The payloads of the frames that make up the packet to which this frame belongs; repetitions count once. */
function collect(parts: Map<string, Uint8Array[]>, frame: Frame): Uint8Array[] {
    const { payload } = frame
    if ((payload[0]! & 0xc0) !== 0xc0) return [payload]
    const key = Buffer.concat([frame.source!, frame.destination!, payload.subarray(2, 4)])
    const known = parts.get(key.toString("hex")) ?? []
    if (!known.some(other => equalBytes(other, payload))) known.push(payload)
    parts.set(key.toString("hex"), known)
    return known
}
