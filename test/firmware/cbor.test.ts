import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { encode } from "../../wire/cbor.ts"
import { openChannel } from "./channel.ts"
import { runs } from "../support/long.ts"

const encoded = openChannel("test/src/cbor.ts").then(
    channel => (numbers: number[]) => channel.ask(Buffer.from(Float64Array.from(numbers).buffer)),
)

/** The same numbers encoded by cbor2. */
function expected(numbers: number[]): Buffer {
    return Buffer.concat(numbers.map(encode))
}

test("numbers have the encodings of RFC 8949 appendix A", async () => {
    const examples: [number, string][] = [
        [0, "00"],
        [10, "0a"],
        [23, "17"],
        [24, "1818"],
        [1000, "1903e8"],
        [1000000, "1a000f4240"],
        [1000000000000, "1b000000e8d4a51000"],
        [-1, "20"],
        [-1000, "3903e7"],
        [1.1, "fb3ff199999999999a"],
        [1.5, "f93e00"],
        [3.4028234663852886e38, "fa7f7fffff"],
        [1.0e300, "fb7e37e43c8800759c"],
        [5.960464477539063e-8, "f90001"],
        [0.00006103515625, "f90400"],
        [-4.1, "fbc010666666666666"],
    ]
    for (const [value, hex] of examples)
        assert.equal((await (await encoded)([value])).toString("hex"), hex, String(value))
})

test("every number of the grids that a mote sends is exact and as short as cbor2 makes it", async () => {
    const encode = await encoded
    const numbers: number[] = []
    for (let i = 0; i <= 300 * 16; i++) numbers.push(i / 16)
    for (let i = -40 * 32; i <= 60 * 32; i++) numbers.push(i / 32)
    for (let i = 0; i <= 64; i++) numbers.push(i / 64)
    for (let i = -30000; i < 1000; i += 7) numbers.push(i / 16)
    for (let i = 0; i < 500; i++) numbers.push(1.76e9 + i / 16)
    for (let i = 0; i < numbers.length; i += 67) {
        const chunk = numbers.slice(i, i + 67)
        assert.deepEqual(await encode(chunk), expected(chunk))
    }
})

test("any finite number is encoded as cbor2 encodes it", async () => {
    const encode = await encoded
    const number = fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        fc.integer({ min: -70000, max: 70000 }),
        // Around the limits of binary16.
        fc
            .tuple(fc.integer({ min: -4096, max: 4096 }), fc.integer({ min: -30, max: 20 }))
            .map(([mantissa, exponent]) => mantissa * 2 ** exponent),
    )
    const numbers = fc.array(number.map(representable), { minLength: 1, maxLength: 60 })
    await fc.assert(
        fc.asyncProperty(numbers, async ns => assert.deepEqual(await encode(ns), expected(ns))),
        { numRuns: runs(150) },
    )
})

/** The VM has no subnormal numbers; a mote measures neither negative zero nor integers beyond 2^53. */
function representable(n: number): number {
    const isHugeInteger = Number.isInteger(n) && Math.abs(n) >= 2 ** 53
    return isHugeInteger || Math.abs(n) < 2 ** -1022 ? 0 : n
}
