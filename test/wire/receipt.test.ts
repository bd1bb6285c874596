import assert from "node:assert/strict"
import { test } from "node:test"
import type { Tag } from "cbor2"
import fc from "fast-check"
import { decode, encode, WireError } from "../../wire/cbor.ts"
import { encodeMac0 } from "../../wire/cose.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { makeReceipt, openReceipt } from "../../wire/receipt.ts"
import { bytesOf, flipBit, moteKeys } from "./arbitrary.ts"

const keys = deriveKeys(new Uint8Array(32).fill(9), new Uint8Array(8).fill(1))
const receipt = { kid: keys.kid, nonce: new Uint8Array(13).fill(2), now: 1.7e12, config: 4 }

/** Numbers of every encoded length. */
const count = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 70_000 }), fc.nat({ max: 300 }))

test("a receipt has the structure that COSE gives it, checked with a CBOR library", () => {
    fc.assert(
        fc.property(bytesOf(13), count, count, (nonce, now, config) => {
            const bytes = makeReceipt({ kid: keys.kid, nonce, now, config }, keys.receipt)
            const [, , payload] = (decode(bytes) as Tag).contents as Uint8Array[]
            assert.deepEqual(decode(payload!), [nonce, now, config])
        }),
    )
})

test("a receipt opens with the key that made it, and with no other", () => {
    fc.assert(
        fc.property(moteKeys, bytesOf(13), count, count, (keys, nonce, now, config) => {
            const bytes = makeReceipt({ kid: keys.kid, nonce, now, config }, keys.receipt)
            const opened = openReceipt(bytes, keys.receipt)
            assert.deepEqual(
                { ...opened, kid: Buffer.from(opened.kid), nonce: Buffer.from(opened.nonce) },
                { kid: Buffer.from(keys.kid), nonce: Buffer.from(nonce), now, config },
            )
            assert.throws(() => openReceipt(bytes, keys.upMac), WireError)
        }),
    )
})

test("one flipped bit anywhere is refused", () => {
    const bytes = makeReceipt(receipt, keys.receipt)
    for (let bit = 0; bit < bytes.length * 8; bit++)
        assert.throws(() => openReceipt(flipBit(bytes, bit), keys.receipt), WireError)
})

test("the time loses its fraction", () => {
    const bytes = makeReceipt({ ...receipt, now: 1234.9 }, keys.receipt)
    assert.equal(openReceipt(bytes, keys.receipt).now, 1234)
})

for (const [what, content] of [
    ["a short nonce", [new Uint8Array(12), 1, 1]],
    ["a negative time", [new Uint8Array(13), -1, 1]],
    ["a field too many", [new Uint8Array(13), 1, 1, 1]],
    ["a map", new Map()],
] as const)
    test(`refuses ${what} even with a good MAC`, () => {
        const bytes = encodeMac0(keys.kid, encode(content), "receipt", keys.receipt)
        assert.throws(() => openReceipt(bytes, keys.receipt), WireError)
    })

test("a MAC made for another purpose is refused", () => {
    const payload = encode([receipt.nonce, receipt.now, receipt.config])
    const bytes = encodeMac0(keys.kid, payload, "vitals", keys.receipt)
    assert.throws(() => openReceipt(bytes, keys.receipt), WireError)
})
