import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
    decodeBatch,
    decodeKeys,
    decodeResults,
    decodeWanted,
    encodeBatch,
    encodeKeys,
    encodeResults,
    encodeWanted,
    envelopeRefusals,
    maxBatch,
    maxCommands,
    maxKeys,
    maxKeysBytes,
    maxReasonChars,
    maxSealedBytes,
    maxWanted,
    maxWantedBytes,
} from "../../wire/batch.ts"
import { encode, WireError } from "../../wire/cbor.ts"
import { maxEnvelopeBytes } from "../../wire/envelope.ts"
import { commandNames, type RouterKeys } from "../../wire/keys.ts"
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
        reason: fc.constantFrom(...envelopeRefusals, "x".repeat(maxReasonChars)),
    },
    { requiredKeys: ["id", "status"] },
)
const sealed = fc.uint8Array({ minLength: 1, maxLength: maxSealedBytes })
const routerKeys = fc.record(
    {
        kid: bytesOf(8),
        upMac: bytesOf(32),
        receipt: bytesOf(32),
        mqtt: bytesOf(32),
        config: fc.maxSafeNat(),
        sealedConfig: sealed,
        commands: fc.array(fc.record({ name: fc.constantFrom(...commandNames), sealed }), {
            minLength: 1,
            maxLength: maxCommands,
        }),
        generation: fc.integer({ min: 1, max: 1_000_000 }),
    },
    { requiredKeys: ["kid", "upMac", "receipt", "mqtt", "config"] },
)

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
    fc.assert(
        fc.property(fc.array(bytesOf(8), { maxLength: 20 }), kids => {
            assert.deepEqual(decodeWanted(encodeWanted(kids)), kids)
        }),
    )
})

test("more items than a full message has are refused before they are decoded", () => {
    const size = 1_000_000
    const flood = (item: number) => {
        const bytes = Buffer.alloc(size, item)
        bytes[0] = 0x9a // an array with a length of four bytes
        bytes.writeUInt32BE(size - 5, 1)
        return bytes
    }
    for (const item of [0x00, 0x80, 0xa0, 0x40, 0x60])
        for (const read of [decodeBatch, decodeResults, decodeWanted, decodeKeys])
            assert.throws(() => read(flood(item)), { message: "too many items" })
    assert.throws(() => decodeBatch(Buffer.concat([Uint8Array.of(0x81), flood(0)])), { message: "too many items" })
    // A string is one item, however long, and one that is cut off is for the decoder to refuse.
    assert.throws(
        () => decodeBatch(Buffer.concat([Uint8Array.of(0x5a, 0, 15, 0, 0), Buffer.alloc(15 << 16, 0)])),
        WireError,
    )
    assert.throws(() => decodeBatch(Uint8Array.of(0x81, 0x5b, 255, 255, 255, 255, 255, 255, 255, 255)), WireError)
})

test("keys of another format are ignored, whatever they are", () => {
    const keys = Uint8Array.from({ length: 32 }, (_, i) => i)
    const kid = new Uint8Array(8)
    const ours = [kid, 2, keys, keys, keys, 5]
    const theirs = [kid, 3, "keys", { of: "another" }]
    assert.deepEqual(
        decodeKeys(encode([theirs, ours, [kid, 4]])).map(({ config }) => config),
        [5],
    )
    for (const wrong of [[kid], [kid, "2", ...ours.slice(2)], [1, 3, keys]])
        assert.throws(() => decodeKeys(encode([ours, wrong])), WireError)
})

test("a router asks for no more motes at once than the clinic takes, each by eight bytes", () => {
    const full = encodeWanted(Array<Uint8Array>(maxWanted).fill(new Uint8Array(8).fill(255)))
    assert.equal(decodeWanted(full).length, maxWanted)
    assert.ok(full.length <= maxWantedBytes)
    for (const kids of [
        Array<Uint8Array>(maxWanted + 1).fill(new Uint8Array(8)),
        [new Uint8Array(7)],
        ["0011223344556677"],
        [null],
    ])
        assert.throws(() => decodeWanted(encode(kids)), WireError)
})

test("garbage is refused with WireError", () => {
    fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), bytes => {
            fc.pre(bytes[0] !== 0x80) // an empty array is an empty batch
            for (const read of [decodeBatch, decodeResults, decodeKeys, decodeWanted])
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
    test(`a batch with ${what} is refused`, () => assert.throws(() => decodeBatch(encode(rows)), WireError))

test("a reason is a code", () => {
    for (const reason of ["x".repeat(maxReasonChars + 1), "two words", "two\nlines", "Upper"])
        assert.throws(() => decodeResults(encodeResults([{ id: 1, status: "refused", reason }])), WireError)
})

const key = new Uint8Array(32)
const plainRow = [new Uint8Array(8), 2, key, key, key, 7]
for (const [what, more] of [
    ["half of what waits for the mote", [new Uint8Array(9)]],
    ["a field too many", [new Uint8Array(9), [], 0, 0]],
    ["a sealed configuration too large", [new Uint8Array(maxSealedBytes + 1), [], 0]],
    ["a command nobody knows", [new Uint8Array(0), [["reboot", new Uint8Array(9)]], 0]],
    ["a command of nothing", [new Uint8Array(0), [["clear", new Uint8Array(0)]], 0]],
    ["a command with more", [new Uint8Array(0), [["clear", new Uint8Array(9), 1]], 0]],
    ["too many commands", [new Uint8Array(0), Array(maxCommands + 1).fill(["clear", key]), 0]],
    ["a negative generation", [new Uint8Array(0), [], -1]],
] as const)
    test(`keys with ${what} are refused`, () => {
        assert.equal(decodeKeys(encode([plainRow])).length, 1)
        assert.throws(() => decodeKeys(encode([[...plainRow, ...more]])), WireError)
    })

test("the bound on keys holds with everything at its largest", () => {
    const most: RouterKeys = {
        ...{ kid: new Uint8Array(8), upMac: key, receipt: key, mqtt: key },
        ...{ config: Number.MAX_SAFE_INTEGER, generation: Number.MAX_SAFE_INTEGER },
        sealedConfig: new Uint8Array(maxSealedBytes),
        commands: Array.from({ length: maxCommands }, () => ({
            ...{ name: "identify" as const, sealed: new Uint8Array(maxSealedBytes) },
        })),
    }
    const keys = Array.from({ length: 10 }, () => most)
    assert.ok(encodeKeys(keys).length * (maxKeys / 10) <= maxKeysBytes)
})
