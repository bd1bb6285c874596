import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Unquoter, quote } from "../../emulator/usb/quoting.ts"

test("frames come out of a serial line as they went in, however it is cut, and logs between them do not matter", () => {
    const frame = fc.uint8Array({ minLength: 1, maxLength: 252 })
    const log = fc.uint8Array({ maxLength: 20 }).map(bytes => bytes.map(byte => (byte === 0xfe ? 0x20 : byte)))
    fc.assert(
        fc.property(fc.array(fc.tuple(frame, log)), fc.integer({ min: 1, max: 70 }), (parts, size) => {
            const received: Uint8Array[] = []
            const unquoter = new Unquoter(each => received.push(each))
            const line = Buffer.concat(parts.flatMap(([each, between]) => [quote(each), between]))
            for (let at = 0; at < line.length; at += size) unquoter.push(line.subarray(at, at + size))
            assert.deepEqual(
                received.map(each => [...each]),
                parts.map(([each]) => [...each]),
            )
        }),
    )
})

test("whatever a line brings, no frame is longer than Jacdac's", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 600 }), bytes => {
            const unquoter = new Unquoter(frame => assert.ok(frame.length <= 252))
            unquoter.push(Uint8Array.of(0xfe, 0xfc))
            unquoter.push(bytes)
        }),
    )
})
