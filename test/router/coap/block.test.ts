import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
    blockBytes,
    readBlockOption,
    blockOption,
    blockwise,
    maxBodyBytes,
    type Block,
} from "../../../router/coap/block.ts"
import { encodeFrame } from "../../../router/coap/frame.ts"
import { Code, dotted, message, type CoapMessage } from "../../../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../../../router/coap/options.ts"
import type { Requester } from "../../../router/coap/requester.ts"

const { Block1, Block2, ETag, RequestTag } = OptionNumber

const anyBlock = fc.record({
    num: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
    more: fc.boolean(),
    szx: fc.integer({ min: 0, max: 7 }),
})

function requester(maxMessageBytes = 1152): Requester {
    const notifier = () => ({ send: () => {}, end: () => {} })
    return {
        peer: "test",
        maxMessageBytes,
        addObserver: notifier,
        cancelObserver: () => {},
        envelopeAccepted: () => {},
    }
}

function block(message: CoapMessage, number: number): Block | undefined {
    return readBlockOption(message.options, number)
}

test("the Block options hold what was put into them, in three bytes at most", () => {
    fc.assert(
        fc.property(anyBlock, fc.constantFrom(Block1, Block2), (value, number) => {
            const option = blockOption(number, value)
            assert.ok(option.value.length <= 3)
            assert.deepEqual(readBlockOption([option], number), { ...value })
        }),
    )
})

test("any value of a Block option is a block or refused", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 6 }), value => {
            const read = () => readBlockOption([{ number: Block2, value }], Block2)
            if (value.length > 3) assert.throws(read, /too long/)
            else assert.ok(read()!.szx <= 7)
        }),
    )
})

/** Everything that there is to get, block by block, as a client does it. */
async function download(body: Uint8Array, szx: number | undefined, maxMessageBytes: number) {
    const serve = blockwise(() => message(Code.Content, { payload: body }))
    const peer = requester(maxMessageBytes)
    const parts: Uint8Array[] = []
    let next: Block | undefined = szx === undefined ? undefined : { num: 0, more: false, szx }
    for (;;) {
        const options = next ? [blockOption(Block2, next)] : []
        const response = await serve(message(Code.GET, { options }), peer)
        assert.equal(dotted(response.code), "2.05")
        assert.ok(encodeFrame({ ...response, token: new Uint8Array(8) }).length <= maxMessageBytes)
        parts.push(response.payload)
        const got = block(response, Block2)
        if (!got?.more) return { body: Buffer.concat(parts), messages: parts.length }
        assert.equal(response.payload.length % blockBytes(got.szx), 0)
        assert.equal(got.num, Buffer.concat(parts.slice(0, -1)).length / blockBytes(got.szx))
        next = { num: got.num + response.payload.length / blockBytes(got.szx), more: false, szx: got.szx }
    }
}

test("an answer arrives whole in blocks of any size, in messages of any size", async () => {
    await fc.assert(
        fc.asyncProperty(
            fc.uint8Array({ maxLength: 5000 }),
            fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
            fc.integer({ min: 60, max: 9000 }),
            async (body, szx, maxMessageBytes) => {
                const got = await download(body, szx, maxMessageBytes)
                assert.deepEqual(got.body, Buffer.from(body))
            },
        ),
        { numRuns: 60 },
    )
})

test("what fits goes in one message, and BERT takes several blocks at a time", async () => {
    assert.equal((await download(new Uint8Array(1000), undefined, 1152)).messages, 1)
    assert.equal((await download(new Uint8Array(5000), undefined, 8192)).messages, 1)
    assert.equal((await download(new Uint8Array(5000), 7, 4096)).messages, 2)
    assert.equal((await download(new Uint8Array(5000), 6, 4096)).messages, 5)
})

test("blocks of one representation have the same ETag, those of another another", async () => {
    let body = Buffer.alloc(100, "a")
    const serve = blockwise(() => message(Code.Content, { payload: body }))
    const eTag = async (num: number) => {
        const options = [blockOption(Block2, { num, more: false, szx: 1 })]
        const response = await serve(message(Code.GET, { options }), requester())
        return Buffer.from(response.options.find(o => o.number === ETag)!.value).toString("hex")
    }
    const first = await eTag(0)
    assert.equal(await eTag(1), first)
    body = Buffer.alloc(100, "b")
    assert.notEqual(await eTag(2), first)
})

/** Sends a body in blocks; resolves to the codes of the answers. */
async function upload(
    blocks: { num: number; more: boolean; szx: number; payload: Uint8Array; path?: string; tag?: number }[],
    peer = requester(),
) {
    const bodies: Buffer[] = []
    const serve = blockwise(request => {
        bodies.push(Buffer.from(request.payload))
        return message(Code.Changed)
    })
    const codes: string[] = []
    for (const { payload, path = "/config", tag, ...value } of blocks) {
        const options = [...pathOptions(path), blockOption(Block1, value)]
        if (tag !== undefined) options.push({ number: RequestTag, value: Uint8Array.of(tag) })
        const response = await serve(message(Code.PUT, { options, payload }), peer)
        codes.push(dotted(response.code))
        if (codes.at(-1) === "2.31") assert.deepEqual(block(response, Block1), value)
    }
    return { codes, bodies }
}

function cut(body: Uint8Array, szx: number) {
    const size = blockBytes(szx)
    const count = Math.max(1, Math.ceil(body.length / size))
    return Array.from({ length: count }, (_, num) => ({
        ...{ num, szx, more: num < count - 1 },
        payload: body.subarray(num * size, (num + 1) * size),
    }))
}

test("a request arrives whole in blocks of any size", async () => {
    await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 0, max: 6 }), async (body, szx) => {
            const { codes, bodies } = await upload(cut(body, szx))
            assert.equal(codes.pop(), "2.04")
            assert.ok(codes.every(code => code === "2.31"))
            assert.deepEqual(bodies, [Buffer.from(body)])
        }),
        { numRuns: 60 },
    )
})

test("a block that is missing, of another request or of the wrong size is refused, nothing is served", async () => {
    const [first, second, third] = cut(new Uint8Array(48), 0)
    for (const [codes, ...blocks] of [
        ["2.31 4.08", first, third],
        ["4.08", second],
        ["2.31 4.08", first, { ...second!, path: "/other" }],
        ["2.31 4.08", { ...first!, tag: 1 }, { ...second!, tag: 2 }], // RFC 9175 §3.3
        ["4.00", { ...first!, payload: new Uint8Array(15) }],
        ["4.00", { ...first!, payload: new Uint8Array(0) }],
        ["2.31 2.31 4.00", first, second, { ...third!, payload: new Uint8Array(17) }],
        ["2.31 2.31 4.08 4.08", first, second, { ...third!, num: 3 }, third],
        ["4.00", { ...first!, szx: 7 }],
    ] as const) {
        const got = await upload(blocks.map(b => b!))
        assert.equal(got.codes.join(" "), codes)
        assert.equal(got.bodies.length, 0)
    }
    const mixed = await upload([first!, { ...first!, more: false }])
    assert.deepEqual(mixed.codes, ["2.31", "2.04"], "a request may begin anew")
})

test("what is larger than anything served is refused with the size that is not", async () => {
    const { codes } = await upload(cut(new Uint8Array(maxBodyBytes + 1), 6))
    assert.deepEqual(codes.slice(-2), ["2.31", "4.13"])
})

test("two requesters do not get in each other's way", async () => {
    const bodies: string[] = []
    const serve = blockwise(request => {
        bodies.push(Buffer.from(request.payload).toString())
        return message(Code.Changed)
    })
    const peers = ["a", "b"].map(letter => ({ peer: requester(), letter }))
    for (const { num, more, szx } of cut(new Uint8Array(48), 0))
        for (const { peer, letter } of peers) {
            const options = [blockOption(Block1, { num, more, szx })]
            const payload = Buffer.alloc(16, letter)
            await serve(message(Code.PUT, { options, payload }), peer)
        }
    assert.deepEqual(bodies, ["a".repeat(48), "b".repeat(48)])
})

test("a block behind the end and a malformed option are refused", async () => {
    const serve = blockwise(() => message(Code.Content, { payload: new Uint8Array(100) }))
    const code = async (option: { number: number; value: Uint8Array }) =>
        dotted((await serve(message(Code.GET, { options: [option] }), requester())).code)
    assert.equal(await code(blockOption(Block2, { num: 7, more: false, szx: 0 })), "4.00")
    assert.equal(await code(uintOption(Block2, 2 ** 24)), "4.00")
    assert.equal(await code(blockOption(Block2, { num: 0, more: false, szx: 7 })), "4.00")
})
