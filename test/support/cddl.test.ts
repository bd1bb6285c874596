import assert from "node:assert/strict"
import { test } from "node:test"
import { Tag } from "cbor2"
import { encode } from "../../wire/cbor.ts"
import { Cddl } from "./cddl.ts"

const yes = (grammar: string, value: unknown) => assert.ok(new Cddl(`x = ${grammar}`).matches("x", encode(value)))
const no = (grammar: string, value: unknown) => assert.ok(!new Cddl(`x = ${grammar}`).matches("x", encode(value)))
const map = (...pairs: [unknown, unknown][]) => new Map(pairs)

test("values, choices, ranges and simple types", () => {
    yes("5", 5)
    no("5", 6)
    yes('"a" / "b"', "b")
    no('"a" / "b"', "c")
    yes("h'0a'", Uint8Array.of(10))
    no("h'0a'", Uint8Array.of(11))
    for (const value of [2, 9]) yes("2..9", value)
    for (const value of [1, 10, 2.5, "2"]) no("2..9", value)
    yes("uint", 0)
    no("uint", -1)
    yes("int", -1)
    yes("float16", 0.5)
    no("float16", 0.1)
    no("float16", 1)
    yes("any", null)
})

test("arrays: order, occurrences, groups", () => {
    yes("[a: uint, b: tstr]", [1, "x"])
    no("[a: uint, b: tstr]", ["x", 1])
    no("[a: uint, b: tstr]", [1])
    no("[a: uint]", [1, 2])
    yes("[+ uint]", [1])
    no("[+ uint]", [])
    yes("[* uint, tstr]", ["x"])
    yes("[uint, ? (tstr, uint), bstr]", [1, Uint8Array.of(1)])
    yes("[uint, ? (tstr, uint), bstr]", [1, "x", 2, Uint8Array.of(1)])
    no("[uint, ? (tstr, uint), bstr]", [1, "x", Uint8Array.of(1)])
    no("[0*2 uint]", [1, 2, 3])
    yes("[* (uint / tstr)]", [1, "x"])
    yes("[uint] / [uint, tstr]", [1, "x"])
})

test("maps: keys, what is optional, what is unknown", () => {
    yes('{ "a" => uint, ? "b" => tstr }', map(["a", 1]))
    yes('{ "a" => uint, ? "b" => tstr }', map(["a", 1], ["b", "x"]))
    no('{ "a" => uint, ? "b" => tstr }', map(["b", "x"]))
    no('{ "a" => uint, ? "b" => tstr }', map(["a", 1], ["b", 2]))
    no('{ "a" => uint }', map(["a", 1], ["c", 1]))
    yes('{ "a" => uint, * tstr => any }', map(["a", 1], ["c", 1]))
    no('{ "a" => uint, * tstr => any }', map(["a", "x"]))
    yes("{ 1 => 5, -2 => tstr }", map([1, 5], [-2, ""]))
    yes("{ a: uint }", map(["a", 1]))
    yes("{}", new Map())
})

test("tags, sizes, and CBOR in byte strings", () => {
    yes("#6.17([uint])", new Tag(17, [1]))
    no("#6.17([uint])", new Tag(16, [1]))
    yes("bstr .size 2", Uint8Array.of(1, 2))
    no("bstr .size 2", Uint8Array.of(1))
    yes("tstr .size (0..2)", "é")
    no("tstr .size (0..2)", "éa")
    yes("bstr .cbor [uint]", encode([1]))
    no("bstr .cbor [uint]", encode(["x"]))
})

test("names refer to rules; comments are passed over", () => {
    const grammar = new Cddl("a = [b] ; all of it\nb = uint / [a]\n")
    assert.ok(grammar.matches("a", encode([[[1]]])))
    assert.ok(!grammar.matches("a", encode([["x"]])))
    assert.deepEqual(grammar.names, ["a", "b"])
})

test("what is not understood is an error", () => {
    for (const wrong of [
        "a",
        "a =",
        "a = b",
        "a = 1\na = 2",
        "uint = 1",
        "a = [1",
        "a = 1 .le 2",
        "a = {1 2}",
        "a = 'x'",
    ])
        assert.throws(() => new Cddl(wrong), SyntaxError, wrong)
})
