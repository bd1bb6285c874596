import assert from "node:assert/strict"
import { test } from "node:test"
import { Tag } from "cbor2"
import fc from "fast-check"
import { decode, encode, WireError } from "../../wire/cbor.ts"

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")

/** Values that the wire format uses: integers, floats, text, bytes, arrays, maps with simple keys. */
const value = fc.letrec(tie => ({
    any: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.double({ noNaN: true }),
        fc.string({ unit: "binary-ascii" }),
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("any"), { maxLength: 5 }),
        fc
            .uniqueArray(fc.tuple(fc.integer({ min: -300, max: 300 }), tie("any")), {
                selector: ([key]) => key,
                maxLength: 5,
            })
            .map(entries => new Map(entries)),
    ),
})).any

test("what was encoded decodes, and encodes to the same bytes again", () => {
    fc.assert(
        fc.property(value, original => {
            const bytes = encode(original)
            assert.deepEqual(encode(decode(bytes)), bytes)
        }),
    )
})

test("arbitrary bytes decode to what encodes to them, or throw WireError", () => {
    const check = (bytes: Uint8Array) => {
        let decoded: unknown
        try {
            decoded = decode(bytes)
        } catch (error) {
            assert.ok(error instanceof WireError)
            return
        }
        assert.deepEqual(encode(decoded), new Uint8Array(bytes))
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), check), {
        numRuns: 2000,
        examples: [[hex("c24101")], [hex("f98000")], [hex("c16568656c6c6f")]],
    })
    fc.assert(
        fc.property(value, fc.nat(), fc.nat({ max: 255 }), (original, at, byte) => {
            const bytes = encode(original)
            bytes[at % bytes.length] = byte
            check(bytes)
        }),
        { numRuns: 500 },
    )
})

test("a Buffer is written and read as the bytes it holds", () => {
    assert.deepEqual(encode(Buffer.from("abc")), new Uint8Array(hex("43616263")))
    assert.deepEqual(decode(hex("43616263")), new Uint8Array([0x61, 0x62, 0x63]))
})

for (const [what, bytes] of [
    ["nothing", ""],
    ["a second item", "0000"],
    ["an integer in more bytes than it needs", "1817"],
    ["a 16-bit length for a short string", "590001 00"],
    ["a 64-bit length", "5b0000000000000001 00"],
    ["an array longer than its bytes", "9b7fffffffffffffff"],
    ["a map longer than its bytes", "bb7fffffffffffffff"],
    ["a string longer than its bytes", "5bffffffffffffffff"],
    ["an indefinite string", "5f4100ff"],
    ["an indefinite text", "7f6161ff"],
    ["an indefinite array", "9f00ff"],
    ["an indefinite map", "bf0000ff"],
    ["a break alone", "ff"],
    ["a duplicate key", "a2 0100 0101"],
    ["keys out of order", "a2 0200 0100"],
    ["a key that differs by its encoding only", "a2 0100 180100"],
    ["a half float in four bytes", "fa42490000"],
    ["an integer as a float", "f95480"],
    ["a NaN with a payload", "f97e01"],
    ["undefined", "f7"],
    ["an unassigned simple value", "f0"],
    ["a reserved additional information", "1c"],
    ["text that is not UTF-8", "62c328"],
    ["nesting without end", "81".repeat(100_000) + "00"],
    ["tags without end", "c1".repeat(100_000) + "00"],
] as const)
    test(`refuses ${what}`, () => assert.throws(() => decode(hex(bytes)), WireError))

test("floats of any width where asked for", () => {
    assert.equal(decode(hex("fb4042400000000000"), "any"), 36.5)
    assert.equal(decode(hex("f95480"), "any"), 72)
})

test("an unknown tag stays a tag", () => {
    assert.deepEqual(decode(hex("c11a514b67b0")), new Tag(1, 1363896240))
})

test("an error does not quote what was sent", () => {
    assert.throws(
        () => decode(hex("fb4042400000000000")),
        (error: Error) => !/36/.test(error.message),
    )
})
