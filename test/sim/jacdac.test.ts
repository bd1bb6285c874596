import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { maxPayloadBytes, packFrame, unpackFrame } from "../../sim/jacdac/frame.ts"

const packet = fc.record({
    deviceId: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(bytes => Buffer.from(bytes).toString("hex")),
    flags: fc.nat(7),
    serviceIndex: fc.nat(0x3f),
    command: fc.nat(0xffff),
    payload: fc.uint8Array({ maxLength: maxPayloadBytes }),
})

test("a frame carries its packet", () => {
    fc.assert(
        fc.property(packet, packet => {
            const [back, ...more] = unpackFrame(packFrame(packet))
            assert.deepEqual({ ...back, payload: new Uint8Array(back!.payload) }, { ...packet })
            assert.deepEqual(more, [])
        }),
    )
})

test("a damaged frame carries nothing, garbage never throws", () => {
    fc.assert(
        fc.property(packet, fc.nat(), fc.nat(7), (packet, at, bit) => {
            const frame = packFrame(packet)
            frame[at % frame.length]! ^= 1 << bit
            assert.deepEqual(unpackFrame(frame), [])
        }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => void unpackFrame(bytes)))
})

test("a payload that fits no frame is refused", () => {
    const payload = new Uint8Array(maxPayloadBytes + 1)
    assert.throws(
        () => packFrame({ deviceId: "00".repeat(8), flags: 0, serviceIndex: 1, command: 0, payload }),
        RangeError,
    )
})
