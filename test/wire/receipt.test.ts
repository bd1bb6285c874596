import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { test } from "node:test"
import type { Tag } from "cbor2"
import fc from "fast-check"
import { decode, encode, WireError } from "../../wire/cbor.ts"
import { bareHeader, encodeMac0, headerWith } from "../../wire/cose.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { makeReceipt, openReceipt } from "../../wire/receipt.ts"
import { bytesOf, flipBit, moteKeys } from "./arbitrary.ts"

const keys = deriveKeys(new Uint8Array(32).fill(9), new Uint8Array(8).fill(1))
const nonce = new Uint8Array(13).fill(2)
const receipt = { now: 1.7e12, config: 4 }

/** Numbers of every encoded length. */
const count = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 70_000 }), fc.nat({ max: 300 }))

test("a receipt has the structure that COSE gives it, checked with a CBOR library and node:crypto", () => {
    fc.assert(
        fc.property(bytesOf(13), count, count, (nonce, now, config) => {
            const bytes = makeReceipt({ now, config }, nonce, keys.receipt)
            const message = decode(bytes) as Tag
            assert.equal(message.tag, 17)
            const [header, unprotected, payload, tag] = message.contents as Uint8Array[]
            assert.deepEqual(decode(header!), new Map([[1, 4]]))
            assert.deepEqual(unprotected, new Map())
            assert.deepEqual(decode(payload!), [now, config])
            const macStructure = encode(["MAC0", header, nonce, payload])
            const mac = createHmac("sha256", keys.receipt).update(macStructure).digest()
            assert.deepEqual(Buffer.from(tag!), mac.subarray(0, 8))
            assert.ok(bytes.length <= 36)
        }),
    )
})

test("a receipt opens with the key and the nonce that it was made with, and with no others", () => {
    fc.assert(
        fc.property(moteKeys, bytesOf(13), fc.nat({ max: 103 }), count, count, (keys, nonce, bit, now, config) => {
            const bytes = makeReceipt({ now, config }, nonce, keys.receipt)
            assert.deepEqual(openReceipt(bytes, nonce, keys.receipt), { now, config })
            assert.throws(() => openReceipt(bytes, nonce, keys.upMac), WireError)
            assert.throws(() => openReceipt(bytes, flipBit(nonce, bit), keys.receipt), WireError)
            assert.throws(() => openReceipt(bytes, new Uint8Array(0), keys.receipt), WireError)
        }),
    )
})

test("one flipped bit anywhere is refused", () => {
    const bytes = makeReceipt(receipt, nonce, keys.receipt)
    for (let bit = 0; bit < bytes.length * 8; bit++)
        assert.throws(() => openReceipt(flipBit(bytes, bit), nonce, keys.receipt), WireError)
})

test("the time loses its fraction", () => {
    const bytes = makeReceipt({ ...receipt, now: 1234.9 }, nonce, keys.receipt)
    assert.equal(openReceipt(bytes, nonce, keys.receipt).now, 1234)
})

for (const [what, content] of [
    ["a negative time", [-1, 1]],
    ["a time with a fraction", [0.5, 1]],
    ["a field too many", [1, 1, 1]],
    ["a field too few", [1]],
    ["a map", new Map()],
] as const)
    test(`refuses ${what} even with a good MAC`, () => {
        const bytes = encodeMac0(bareHeader, encode(content), nonce, keys.receipt)
        assert.throws(() => openReceipt(bytes, nonce, keys.receipt), WireError)
    })

test("a MAC made for another envelope, for none, or with the header of an envelope is refused", () => {
    const payload = encode([receipt.now, receipt.config])
    for (const bytes of [
        encodeMac0(bareHeader, payload, nonce.subarray(1), keys.receipt),
        encodeMac0(bareHeader, payload, new Uint8Array(0), keys.receipt),
        encodeMac0(headerWith(keys.kid), payload, nonce, keys.receipt),
    ])
        assert.throws(() => openReceipt(bytes, nonce, keys.receipt), WireError)
})

test("garbage is refused with WireError", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
            assert.throws(() => openReceipt(bytes, nonce, keys.receipt), WireError)
        }),
    )
})
