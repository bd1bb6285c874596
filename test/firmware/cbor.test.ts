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
        [-100, "3863"],
        [1000000000000000, "1b00038d7ea4c68000"],
    ]
    for (const [value, hex] of examples)
        assert.equal((await (await encoded)([value])).toString("hex"), hex, String(value))
})

test("any whole number is encoded as cbor2 encodes it", async () => {
    const encode = await encoded
    const number = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.integer({ min: -70000, max: 70000 }))
    const numbers = fc.array(number, { minLength: 1, maxLength: 60 })
    const limits = [24, 0x100, 0x10000, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]
    const examples = [limits.flatMap(n => [n - 1, n, -n, 1 - n, -1 - n].filter(Number.isSafeInteger))]
    await fc.assert(
        fc.asyncProperty(numbers, async ns => assert.deepEqual(await encode(ns), expected(ns))),
        { numRuns: runs(150), examples: examples.map((ns): [number[]] => [ns]) },
    )
})
