import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { completed, maxWholeBytes, requestWhole } from "../../../router/coap/block-client.ts"
import { blockOption } from "../../../router/coap/block.ts"
import { NoResponseError } from "../../../router/coap/connection.ts"
import { encode, parse, Type } from "../../../router/coap/datagram.ts"
import { Code, message, type CoapMessage } from "../../../router/coap/message.ts"
import { CoapFormatError, OptionNumber, uintOption } from "../../../router/coap/options.ts"
import { UdpClient } from "../../../router/coap/udp-client.ts"
import { ManualClock } from "../../support/clock.ts"

function client() {
    const clock = new ManualClock(0)
    const sent: Buffer[] = []
    let next = 0
    const random = (bytes: number) => Uint8Array.from({ length: bytes }, () => next++ & 255)
    return { clock, sent, udp: new UdpClient({ clock, random, send: bytes => void sent.push(Buffer.from(bytes)) }) }
}

test("a request is sent again until half a minute is over, then given up", async () => {
    const { clock, sent, udp } = client()
    const response = udp.request(Code.GET, {}).catch((error: unknown) => error)
    await clock.advance(29_999)
    assert.equal(sent.length, 4)
    assert.ok(sent.every(bytes => bytes.equals(sent[0]!)))
    await clock.advance(1)
    const error = await response
    assert.ok(error instanceof NoResponseError && error.why === "late")
    await clock.advance(100_000)
    assert.equal(sent.length, 4)
})

test("any datagrams: no error, at most one message in reply to each, no response to a request that they do not know", () => {
    fc.assert(
        fc.property(
            fc.array(
                fc.oneof(
                    fc.uint8Array({ maxLength: 40 }),
                    fc
                        .tuple(fc.integer({ min: 0x40, max: 0x78 }), fc.uint8Array({ minLength: 3, maxLength: 20 }))
                        .map(([first, rest]) => Uint8Array.of(first, ...rest)),
                ),
                { maxLength: 20 },
            ),
            datagrams => {
                const { udp, sent } = client()
                let isAnswered = false
                udp.request(Code.GET, {}).then(
                    () => (isAnswered = true),
                    () => {},
                )
                const token = parse(sent[0]!)!.token
                for (const bytes of datagrams) {
                    if (Buffer.from(bytes).includes(Buffer.from(token))) continue
                    const before = sent.length
                    udp.receive(bytes)
                    assert.ok(sent.length - before <= 1)
                }
                assert.ok(!isAnswered)
                udp.close("over")
            },
        ),
    )
})

/** A server that cuts `body` into blocks of `bytes`. */
function blocksOf(body: Uint8Array, szx: number, twist: (response: CoapMessage, num: number) => CoapMessage = r => r) {
    const unit = 2 ** (szx + 4)
    const request = (_code: number, parts: { options?: CoapMessage["options"] }) => {
        const asked = parts.options?.find(({ number }) => number === OptionNumber.Block2)?.value ?? new Uint8Array(0)
        const num = asked.reduce((sum, byte) => sum * 256 + byte, 0) >> 4
        const part = body.subarray(num * unit, num * unit + unit)
        const more = (num + 1) * unit < body.length
        const options = [blockOption(OptionNumber.Block2, { num, more, szx })]
        return Promise.resolve(twist(message(Code.Content, { options, payload: part }), num))
    }
    return { maxMessageBytes: 1152, request, observe: () => Promise.reject(new Error("not observed")) }
}

test("blocks of any size make the whole; what does not belong together is refused", async () => {
    await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 0, max: 6 }), async (body, szx) => {
            const whole = await requestWhole(blocksOf(body, szx), Code.GET, {})
            assert.deepEqual(Buffer.from(whole.payload), Buffer.from(body))
        }),
        { numRuns: 50 },
    )
    const body = new Uint8Array(100)
    const bad = async (twist: (response: CoapMessage, num: number) => CoapMessage) =>
        await assert.rejects(requestWhole(blocksOf(body, 1, twist), Code.GET, {}), CoapFormatError)
    await bad((r, num) => (num === 1 ? { ...r, options: [] } : r))
    await bad((r, num) => ({ ...r, options: [...r.options, { number: OptionNumber.ETag, value: Uint8Array.of(num) }] }))
    await bad((r, num) => (num === 0 ? { ...r, payload: r.payload.subarray(1) } : r))
    await bad((r, num) => (num === 1 ? { ...r, payload: new Uint8Array(0) } : r))
    await assert.rejects(requestWhole(blocksOf(new Uint8Array(maxWholeBytes + 1), 6), Code.GET, {}), NoResponseError)
    const first = await blocksOf(body, 1).request(Code.GET, {})
    assert.equal((await completed(blocksOf(body, 1), [uintOption(OptionNumber.Accept, 0)], first)).payload.length, 100)
})

test("a payload goes in blocks of the size that the server asks for", async () => {
    const { udp, sent } = client()
    const payload = Buffer.from(Array.from({ length: 1500 }, (_, i) => i & 255))
    const response = requestWhole(udp, Code.PUT, { payload })
    const parts: Buffer[] = []
    for (let n = 0; parts.reduce((sum, part) => sum + part.length, 0) < payload.length; n++) {
        while (sent.length <= n) await new Promise(setImmediate)
        const request = parse(sent[n]!)!
        parts.push(Buffer.from(request.payload))
        const block = request.options.find(({ number }) => number === OptionNumber.Block1)!.value
        const value = block.reduce((sum, byte) => sum * 256 + byte, 0)
        const isMore = (value & 8) !== 0
        const option = blockOption(OptionNumber.Block1, { num: value >> 4, more: isMore, szx: n === 0 ? 2 : value & 7 })
        const code = isMore ? Code.Continue : Code.Changed
        udp.receive(
            encode(
                Type.acknowledgement,
                sent[n]!.readUInt16BE(2),
                message(code, { token: request.token, options: [option] }),
            ),
        )
    }
    assert.equal((await response).code, Code.Changed)
    assert.deepEqual(Buffer.concat(parts), payload)
    assert.ok(parts[0]!.length === 1024 && parts[1]!.length === 64)
})
