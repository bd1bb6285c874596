import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
    decodeBatch,
    decodeKeys,
    decodeResults,
    encodeBatch,
    encodeKeys,
    encodeResults,
    maxBatch,
    maxReasonChars,
} from "../../wire/batch.ts"
import { encode, WireError } from "../../wire/cbor.ts"
import { maxEnvelopeBytes } from "../../wire/envelope.ts"
import { bytesOf, purpose } from "./arbitrary.ts"

const delivery = fc.record({
    id: fc.maxSafeNat(),
    purpose,
    receivedAt: fc.maxSafeNat(),
    envelope: fc.uint8Array({ maxLength: 300 }),
})
const result = fc.record(
    {
        id: fc.maxSafeNat(),
        status: fc.constantFrom("stored" as const, "duplicate" as const, "refused" as const),
        reason: fc.string({ maxLength: maxReasonChars }),
    },
    { requiredKeys: ["id", "status"] },
)
const routerKeys = fc.record({
    kid: bytesOf(8),
    upMac: bytesOf(32),
    receipt: bytesOf(32),
    mqtt: bytesOf(32),
    config: fc.maxSafeNat(),
})

/** fast-check makes objects without a prototype; the decoders do not. */
const plain = <T>(value: T): T => structuredClone(value)

test("batches, results and keys come back as they were", () => {
    fc.assert(
        fc.property(fc.array(delivery, { maxLength: 20 }), batch => {
            assert.deepEqual(plain(decodeBatch(encodeBatch(batch))), plain(batch))
        }),
    )
    fc.assert(
        fc.property(fc.array(result, { maxLength: 20 }), results => {
            assert.deepEqual(decodeResults(encodeResults(results)), plain(results))
        }),
    )
    fc.assert(
        fc.property(fc.array(routerKeys, { maxLength: 20 }), keys => {
            assert.deepEqual(plain(decodeKeys(encodeKeys(keys))), plain(keys))
        }),
    )
})

test("garbage is refused with WireError", () => {
    fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), bytes => {
            fc.pre(bytes[0] !== 0x80) // an empty array is an empty batch
            for (const read of [decodeBatch, decodeResults, decodeKeys])
                assert.throws(() => read(bytes), WireError)
        }),
    )
})

const envelope = new Uint8Array(10)
for (const [what, rows] of [
    ["a purpose nobody knows", [[1, "config", 5, envelope]]],
    ["a negative id", [[-1, "vitals", 5, envelope]]],
    ["a time with a fraction", [[1, "vitals", 5.5, envelope]]],
    ["a field too many", [[1, "vitals", 5, envelope, 1]]],
    ["a field too few", [[1, "vitals", 5]]],
    ["an envelope too large", [[1, "vitals", 5, new Uint8Array(maxEnvelopeBytes + 1)]]],
    ["too many rows", Array.from({ length: maxBatch + 1 }, (_, id) => [id, "vitals", 5, envelope])],
] as const)
    test(`a batch with ${what} is refused`, () =>
        assert.throws(() => decodeBatch(encode(rows)), WireError))

test("a long reason is cut", () => {
    const [read] = decodeResults(
        encodeResults([{ id: 1, status: "refused", reason: "x".repeat(1000) }]),
    )
    assert.equal(read?.reason?.length, maxReasonChars)
})
