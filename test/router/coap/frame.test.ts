import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { encodeFrame, FrameReader } from "../../../router/coap/frame.ts"
import { code, dotted, type CoapMessage } from "../../../router/coap/message.ts"
import { CoapFormatError, pathOf, pathOptions, uintOption, uintValue } from "../../../router/coap/options.ts"

const max = 100_000
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")

/** All messages in `bytes`, given to a reader in pieces of these lengths and then the rest. */
function read(bytes: Uint8Array, cuts: number[] = [], maxMessageBytes = max): CoapMessage[] {
    const reader = new FrameReader(maxMessageBytes)
    const messages: CoapMessage[] = []
    let at = 0
    for (const cut of [...cuts, bytes.length]) {
        messages.push(...reader.push(bytes.subarray(at, at + cut)))
        at = Math.min(at + cut, bytes.length)
    }
    return messages
}

/** The same with plain Uint8Arrays, for comparing. */
function plain(message: CoapMessage): CoapMessage {
    return {
        code: message.code,
        token: Uint8Array.from(message.token),
        options: message.options.map(o => ({ number: o.number, value: Uint8Array.from(o.value) })),
        payload: Uint8Array.from(message.payload),
    }
}

const message: fc.Arbitrary<CoapMessage> = fc
    .record({
        code: fc.nat({ max: 255 }),
        token: fc.uint8Array({ maxLength: 8 }),
        options: fc.array(
            fc.record({
                number: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 0xffff })),
                value: fc.oneof(
                    fc.uint8Array({ maxLength: 14 }),
                    fc.constantFrom(268, 269, 270, 700).map(n => new Uint8Array(n)),
                ),
            }),
            { maxLength: 6 },
        ),
        payload: fc.oneof(
            fc.uint8Array({ maxLength: 40 }),
            fc.constantFrom(255, 256, 268, 269, 65_804, 65_805).map(n => new Uint8Array(n).fill(1)),
        ),
    })
    .map(m => plain({ ...m, options: m.options.sort((a, b) => a.number - b.number) }))

test("messages come back as they were, however the stream is cut", () => {
    const cuts = fc.array(fc.nat({ max: 50 }), { maxLength: 20 })
    fc.assert(
        fc.property(fc.array(message, { maxLength: 4 }), cuts, (messages, cuts) => {
            const bytes = Buffer.concat(messages.map(encodeFrame))
            assert.deepEqual(read(bytes, cuts).map(plain), messages)
        }),
        { numRuns: 200 },
    )
})

test("two messages come back with a cut at every byte", () => {
    const first = {
        code: code("0.02"),
        token: hex("0102030405060708"),
        options: [...pathOptions("/a/path"), uintOption(60, 70_000)],
        payload: new Uint8Array(300).fill(7),
    }
    const second = { code: code("2.04"), token: hex(""), options: [], payload: hex("ff") }
    const bytes = Buffer.concat([encodeFrame(first), encodeFrame(second)])
    for (let cut = 0; cut <= bytes.length; cut++)
        assert.deepEqual(read(bytes, [cut]).map(plain), [plain(first), plain(second)])
    assert.deepEqual(read(bytes, Array<number>(bytes.length).fill(1)).map(plain), [first, second].map(plain))
})

test("arbitrary bytes throw CoapFormatError or nothing", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
            try {
                read(bytes)
            } catch (error) {
                assert.ok(error instanceof CoapFormatError)
            }
        }),
        { numRuns: 2000 },
    )
})

test("a frame is written as RFC 8323 §3.2 says", () => {
    // The GET of RFC 8323's figures: no options, token of one byte.
    const get = { code: code("0.01"), token: hex("7f"), options: [], payload: hex("") }
    assert.equal(Buffer.from(encodeFrame(get)).toString("hex"), "01017f")
    const payload = (length: number) => Buffer.from(encodeFrame({ ...get, payload: new Uint8Array(length) }))
    assert.equal(payload(11).subarray(0, 3).toString("hex"), "c1017f") // 12 bytes: in the nibble
    assert.equal(payload(12).subarray(0, 4).toString("hex"), "d100017f") // 13: one more byte
    assert.equal(payload(268).subarray(0, 5).toString("hex"), "e10000017f") // 269: two
    assert.equal(payload(65_804).subarray(0, 7).toString("hex"), "f100000000017f") // 65805: four
})

test("option deltas and lengths are extended as RFC 7252 §3.1 says", () => {
    const encoded = (number: number, length: number) =>
        Buffer.from(
            encodeFrame({
                code: 1,
                token: hex(""),
                options: [{ number, value: new Uint8Array(length) }],
                payload: hex(""),
            }),
        ).toString("hex")
    assert.equal(encoded(12, 0), "1001c0")
    assert.equal(encoded(13, 0), "2001d000")
    assert.equal(encoded(268, 0), "2001d0ff")
    assert.equal(encoded(269, 0), "3001e00000")
    assert.equal(encoded(12, 13).slice(0, 10), "d00201cd00")
    assert.equal(encoded(12, 269).slice(0, 14), "e0000301ce0000")
})

for (const [what, bytes] of [
    ["a reserved token length", "09 01 000000000000000000"],
    ["a reserved option delta", "10 01 f0"],
    ["a reserved option length", "10 01 0f"],
    ["an option beyond its message", "10 01 01"],
    ["an extended delta beyond its message", "10 01 d0"],
    ["a payload marker without payload", "10 01 ff"],
    ["an option number beyond 65535", "60 01 e0ff00 e0ff00"],
    ["a huge announced length", "f0 ffffffff 02"],
] as const)
    test(`refuses ${what}`, () => assert.throws(() => read(hex(bytes)), CoapFormatError))

test("a length is refused as soon as the header is there, one byte below is taken", () => {
    const message = { code: 2, token: hex("01"), options: [], payload: new Uint8Array(500) }
    const frame = encodeFrame(message)
    assert.throws(() => read(frame.subarray(0, 4), [], frame.length - 1), CoapFormatError)
    assert.equal(read(frame, [], frame.length).length, 1)
})

test("messages before a malformed one are delivered", () => {
    const reader = new FrameReader(max)
    const seen: number[] = []
    assert.throws(() => {
        for (const message of reader.push(hex("0001 0002 0f00"))) seen.push(message.code)
    }, CoapFormatError)
    assert.deepEqual(seen, [1, 2])
})

test("codes are written with two digits", () => {
    assert.equal(code("4.04"), 0x84)
    assert.equal(dotted(0x84), "4.04")
    assert.equal(dotted(code("4.15")), "4.15")
})

test("unsigned integers take as few bytes as they need", () => {
    fc.assert(
        fc.property(fc.nat({ max: 0xffffffff }), value => {
            assert.equal(uintValue([uintOption(60, value)], 60), value)
        }),
    )
    assert.equal(uintOption(60, 0).value.length, 0)
    assert.equal(uintOption(60, 255).value.length, 1)
    assert.equal(uintOption(60, 256).value.length, 2)
})

test("paths are told apart whatever their segments hold", () => {
    assert.equal(pathOf(pathOptions("/a/b")), "/a/b")
    assert.equal(pathOf([{ number: 11, value: Buffer.from("a/b") }]), "/a%2Fb")
    assert.equal(pathOf([]), "/")
    assert.match(pathOf([{ number: 11, value: hex("ff") }]), /^\/%/)
})
