import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { base32, matchingStep, stepAt, totpAt, totpUri } from "../../clinic/people/totp.ts"

const secret = Buffer.from("12345678901234567890")

test("TOTP: the test vectors of RFC 6238, Appendix B, for SHA-1", () => {
    const vectors: [number, string][] = [
        [59, "287082"],
        [1111111109, "081804"],
        [1111111111, "050471"],
        [1234567890, "005924"],
        [2000000000, "279037"],
        [20000000000, "353130"],
    ]
    for (const [seconds, code] of vectors) assert.equal(totpAt(secret, stepAt(seconds * 1000)), code)
})

test("TOTP: base32 as in RFC 4648, §10, and the address for a QR code", () => {
    const vectors = { f: "MY", fo: "MZXQ", foo: "MZXW6", foob: "MZXW6YQ", fooba: "MZXW6YTB", foobar: "MZXW6YTBOI" }
    for (const [text, encoded] of Object.entries(vectors)) assert.equal(base32(Buffer.from(text)), encoded)
    const uri = new URL(totpUri(secret, "ruth & co"))
    assert.equal(uri.searchParams.get("secret"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
})

test("TOTP: a code holds for a step before and after its own, and never twice", () => {
    fc.assert(
        fc.property(fc.integer({ min: 10, max: 2 ** 40 }), fc.integer({ min: -5, max: 5 }), (step, off) => {
            const found = matchingStep(secret, totpAt(secret, step + off), step * 30_000, 0)
            if (Math.abs(off) <= 1) {
                assert.equal(found, step + off)
                assert.equal(matchingStep(secret, totpAt(secret, step + off), step * 30_000, step + off), undefined)
            }
        }),
    )
})
