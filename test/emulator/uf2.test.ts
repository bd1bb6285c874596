import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { readUf2 } from "../../emulator/uf2.ts"
import { UserError } from "../../host/errors.ts"

function block(address: number, payload: Uint8Array, { flags = 0x2000, family = 0xe48bff56 } = {}): Buffer {
    const bytes = Buffer.alloc(512)
    const words = [0x0a324655, 0x9e5d5157, flags, address, payload.length, 0, 1, family]
    words.forEach((word, i) => bytes.writeUInt32LE(word, 4 * i))
    bytes.set(payload, 32)
    bytes.writeUInt32LE(0x0ab16f30, 508)
    return bytes
}

test("blocks go where they say, the rest is erased", () => {
    const flash = readUf2(Buffer.concat([block(0x10000000, Buffer.from("one")), block(0x10100000, Buffer.from("two"))]))
    assert.equal(Buffer.from(flash.subarray(0, 4)).toString("latin1"), "one\xff")
    assert.equal(Buffer.from(flash.subarray(0x100000, 0x100003)).toString(), "two")
})

test("another chip's file, one outside of flash and an empty one are refused", () => {
    const payload = Buffer.from("x")
    for (const file of [
        block(0x10000000, payload, { family: 0xbfdd4eee }),
        block(0x20000000, payload),
        block(0x101fffff, Buffer.from("xy")),
        block(0x10000000, payload, { flags: 1 }),
        Buffer.alloc(0),
    ])
        assert.throws(() => readUf2(file), UserError)
})

test("whatever a file contains, it is read or refused", () => {
    const word = fc.oneof(fc.constantFrom(0, 1, 0x2000, 0x10000000, 0x101fff00, 256, 0xe48bff56), fc.nat(0xffffffff))
    fc.assert(
        fc.property(fc.array(word, { minLength: 6, maxLength: 6 }), fc.nat(600), (words, size) => {
            const file = block(0, new Uint8Array(0))
            words.forEach((value, i) => file.writeUInt32LE(value, 8 + 4 * i))
            try {
                assert.equal(readUf2(file.subarray(0, size)).length, 2 * 1024 * 1024)
            } catch (error) {
                assert.ok(error instanceof UserError, String(error))
            }
        }),
    )
})
