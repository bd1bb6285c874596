import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { PacketError } from "../../../sim/net/bytes.ts"
import { encodeIpv6, parseAddress } from "../../../sim/net/ipv6.ts"
import { Reassembly, toFrames } from "../../../sim/net/sixlowpan/fragment.ts"
import { contikiNg } from "../../../sim/net/sixlowpan/compression.ts"
import type { Link } from "../../../sim/net/sixlowpan/iphc.ts"
import { link, packet, stack, u16 } from "./arbitraries.ts"

test("6LoWPAN: whatever a packet is, its frames bring it over, in any order and doubled", () => {
    const room = fc.integer({ min: 97, max: 104 })
    fc.assert(
        fc.property(packet, link, stack, room, fc.nat(), u16, (value, ends, how, size, seed, tag) => {
            const whole = encodeIpv6(value)
            const frames = toFrames(whole, ends, how, size, tag)
            for (const frame of frames) assert.ok(frame.length <= size)
            const order = frames.map((_, i) => i).sort((a, b) => ((a * seed) % 7) - ((b * seed) % 7))
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
        }),
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
    for (let n = 0; n < 1000; n++) reassembly.take(toFrames(of(n), ends(n), contikiNg, 104, n)[0]!, ends(n), n)
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
    for (const frame of [second!, ...rest]) assert.equal(late.take(frame, ends(8), 60_001), undefined)
})
