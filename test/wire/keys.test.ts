import assert from "node:assert/strict"
import { test } from "node:test"
import { deriveKeys, eui, hkdf } from "../../wire/keys.ts"

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"))
const range = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i)

test("HKDF gives RFC 5869's test cases 1 to 3", () => {
    assert.deepEqual(
        hkdf(new Uint8Array(22).fill(0x0b), range(0x00, 0x0c), range(0xf0, 0xf9), 42),
        hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    )
    assert.deepEqual(
        hkdf(range(0x00, 0x4f), range(0x60, 0xaf), range(0xb0, 0xff), 82),
        hex(
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
    )
    assert.deepEqual(
        hkdf(new Uint8Array(22).fill(0x0b), new Uint8Array(0), "", 42),
        hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    )
})

test("every working key is HKDF of the secret with its own label", () => {
    const secret = range(1, 32)
    const kid = range(1, 8)
    const keys = deriveKeys(secret, kid)
    for (const [name, label] of [
        ["upEnc", "vitalmote/2 up enc"],
        ["upMac", "vitalmote/2 up mac"],
        ["receipt", "vitalmote/2 receipt"],
        ["downEnc", "vitalmote/2 down enc"],
        ["downMac", "vitalmote/2 down mac"],
        ["mqtt", "vitalmote mqtt"],
    ] as const)
        assert.deepEqual(keys[name], hkdf(secret, kid, label, 32))
    assert.equal(new Set(Object.values(keys).map(eui)).size, 7)
})

test("a secret or kid of another size is refused", () => {
    assert.throws(() => deriveKeys(range(1, 31), range(1, 8)), RangeError)
    assert.throws(() => deriveKeys(range(1, 32), range(1, 9)), RangeError)
})

test("eui is the kid in lower-case hex", () => {
    assert.equal(eui(hex("00AABBccddeeff01")), "00aabbccddeeff01")
})
