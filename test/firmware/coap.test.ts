import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { encodeFrame } from "../../router/coap/frame.ts"
import type { CoapMessage } from "../../router/coap/message.ts"
import { isCritical, uintValue } from "../../router/coap/options.ts"
import { openChannel } from "./channel.ts"
import { runs } from "../support/long.ts"

const channel = openChannel("test/src/coap.ts")

/** The firmware's result for `stream` in two pieces. */
async function read(stream: Uint8Array, split = 0): Promise<Buffer> {
    const question = Buffer.alloc(2 + stream.length)
    question.writeUInt16LE(split)
    question.set(stream, 2)
    return (await channel).ask(question)
}

async function problem(hex: string): Promise<string> {
    return (await read(Buffer.from(hex, "hex"))).toString()
}

/** The expected result of `test/src/coap.ts` for these messages. */
function facts(messages: CoapMessage[]): Buffer {
    const found = messages.map(m => {
        const head = Buffer.alloc(10)
        head[0] = m.code
        head[1] = m.token.length
        head.writeUInt16LE(m.payload.length, 2)
        head.writeUInt32LE(uintValue(m.options, 14) ?? 0, 4)
        const critical = m.options.find(o => isCritical(o.number) && o.number !== 11)
        head.writeUInt16LE(critical?.number ?? 0, 8)
        return Buffer.concat([head, m.token, m.payload, encodeFrame(m)])
    })
    return Buffer.concat([Buffer.from("."), ...found])
}

const option = fc.record({
    number: fc.oneof(fc.constantFrom(6, 11, 12, 14, 17, 60), fc.integer({ min: 1, max: 65535 })),
    value: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.uint8Array({ minLength: 12, maxLength: 14 }),
        fc.uint8Array({ minLength: 268, maxLength: 270 }),
    ),
})

const anyMessage = fc.record({
    code: fc.integer({ min: 0, max: 255 }),
    token: fc.uint8Array({ maxLength: 8 }),
    options: fc
        .array(
            option.map(o => (o.number === 14 ? { ...o, value: o.value.subarray(0, 4) } : o)),
            { maxLength: 3 },
        )
        .map(options => options.sort((a, b) => a.number - b.number)),
    payload: fc.uint8Array({ maxLength: 40 }),
})

test("messages are found in a stream wherever it is cut", async () => {
    const property = fc.asyncProperty(
        fc.array(anyMessage, { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (messages, cut) => {
            const stream = Buffer.concat(messages.map(encodeFrame))
            fc.pre(stream.length < 530 && messages.every(m => encodeFrame(m).length <= 384))
            const found = await read(stream, Math.floor(cut * stream.length))
            assert.deepEqual(found, facts(messages))
        },
    )
    await fc.assert(property, { numRuns: runs(150) })
})

test("every place to cut a response", async () => {
    const receipt = {
        code: 0x44,
        token: Buffer.from([9]),
        options: [{ number: 12, value: Buffer.from([17]) }],
        payload: Buffer.alloc(90, 7),
    }
    const stream = encodeFrame(receipt)
    for (let split = 0; split <= stream.length; split++) assert.deepEqual(await read(stream, split), facts([receipt]))
})

test("an invalid CoAP message is reported with its error", async () => {
    assert.equal(await problem("0f01"), "! reserved token length")
    assert.equal(await problem("f001ffffffff"), "! message too large")
    assert.equal(await problem("e0040044"), "! message too large")
    assert.equal(await problem("1044ff"), "! payload marker without payload")
    assert.equal(await problem("1044f0"), "! malformed option")
    assert.equal(await problem("1044d0"), "! malformed option")
    assert.equal(await problem("1044 02".replace(" ", "")), "! malformed option")
    assert.equal(await problem("2044dd00"), "! malformed option")
})

test("any bytes are either messages or an error, and the reader continues", async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async bytes => {
        const found = await read(bytes, bytes.length >> 1)
        assert.match(found.toString("latin1"), /^[.!]/)
    })
    await fc.assert(property, { numRuns: runs(200) })
    assert.deepEqual(await read(Buffer.from("0044", "hex")), facts([empty(0x44)]))
})

function empty(code: number): CoapMessage {
    return { code, token: Buffer.alloc(0), options: [], payload: Buffer.alloc(0) }
}
