import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { runProgram } from "../../sim/mote/program.ts"
import { runs } from "../support/long.ts"

/** The remainder of the message, followed by eight zeros, in a long division by x⁸ + x² + x + 1. */
function remainder(packet: Uint8Array): number {
    let message = packet.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) << 8n
    for (let bit = 8n * BigInt(packet.length) + 7n; bit >= 8n; bit--)
        if ((message >> bit) & 1n) message ^= 0x107n << (bit - 8n)
    return Number(message)
}

test("the packet error code of the firmware is a CRC-8, for any packet", async () => {
    const packets = fc.sample(fc.uint8Array({ maxLength: 40 }), { numRuns: runs(300), seed: 614 })
    const codes: number[] = []
    let isLength = true
    const { panics, run } = await runProgram("test/src/packet-error-code.ts", {
        chips: [
            {
                address: 0x10,
                write(bytes) {
                    codes.push(bytes[0]!)
                    isLength = true
                    return true
                },
                read() {
                    const packet = packets[codes.length] ?? new Uint8Array(0)
                    if (!isLength) return packet
                    isLength = false
                    return Uint8Array.of(packet.length)
                },
            },
        ],
    })
    await run(60, () => codes.length >= packets.length)
    assert.deepEqual(panics, [])
    assert.deepEqual(codes.slice(0, packets.length), packets.map(remainder))
})
