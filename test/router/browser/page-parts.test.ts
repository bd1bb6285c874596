import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { test } from "node:test"
import fc from "fast-check"
import type { Asked } from "../../../router/browser/messages.ts"
import { coapClientCall } from "../../../router/web/coap-client.ts"
import { namedOptions, optionHex, optionText } from "../../../router/web/option-codec.ts"
import { hexDump, toHex, uintHex } from "../../../router/web/payload.ts"
import { OptionNumber, uintOption } from "../../../router/coap/options.ts"

const asked = (o: Partial<Asked> = {}): Asked => ({
    method: "GET",
    path: "/m/x/status",
    options: [],
    payload: "",
    ...o,
})

test("the same request as a call of coap-client", () => {
    assert.equal(coapClientCall(asked(), "192.0.2.7", 5683), "coap-client coap+tcp://192.0.2.7:5683/m/x/status")
    assert.equal(
        coapClientCall(asked({ method: "PUT", options: [{ number: 12, value: "11" }], payload: "0a27" }), "r", 5683),
        "printf '\\012\\047' | coap-client -m put -t 17 -f - coap+tcp://r:5683/m/x/status",
    )
    assert.equal(
        coapClientCall(asked({ path: "/rd-lookup/ep?ep=1&rt='a b'" }), "::1", 1),
        "coap-client 'coap+tcp://[::1]:1/rd-lookup/ep?ep=1&rt='\\''a b'\\'''",
    )
    assert.equal(coapClientCall(asked(), "r", null), null)
})

test("any path and any payload reach a shell as they are", () => {
    const paths = fc.string({ unit: "grapheme-ascii", maxLength: 40 }).filter(text => !text.includes("\0"))
    fc.assert(
        fc.property(paths, fc.uint8Array({ minLength: 1, maxLength: 40 }), (path, payload) => {
            const call = coapClientCall(
                asked({ method: "POST", path: `/${path}`, payload: Buffer.from(payload).toString("hex") }),
                "r",
                1,
            )!
            const script = `call() { cat; shift 4; printf '%s' "$1" >&2; }\n${call.replace("coap-client", "call")}`
            const { stdout, stderr } = spawnSync("sh", ["-c", script])
            assert.deepEqual(stdout, Buffer.from(payload))
            assert.equal(stderr.toString(), `coap+tcp://r:1/${path}`)
        }),
        { numRuns: 20 },
    )
})

test("options are typed in by name: what is typed comes back, what is no value is refused", () => {
    assert.equal(optionHex(15, "ep=ä"), "65703dc3a4")
    assert.equal(optionHex(60, "512"), "0200")
    assert.equal(optionHex(23, "1/0/64"), "12")
    assert.equal(optionHex(27, "0/1/1024"), "0e")
    assert.equal(optionHex(5, ""), "")
    assert.equal(optionHex(4, "A1 b2"), "a1b2")
    for (const [number, typed] of [
        [60, "-1"],
        [60, "4294967296"],
        [60, "1.5"],
        [23, "0/0/48"],
        [23, "0/2/64"],
        [23, "1048576/0/64"],
        [5, "x"],
        [4, "a"],
    ] as const)
        assert.throws(() => optionHex(number, typed), /takes/)
    assert.equal(optionText(15, "ff"), undefined) // no UTF-8
    assert.equal(optionText(60, "000001"), undefined) // not as short as it can be
    const numbers = fc.constantFrom(...namedOptions.map(({ number }) => number))
    fc.assert(
        fc.property(numbers, fc.uint8Array({ maxLength: 12 }), (number, bytes) => {
            const hex = Buffer.from(bytes).toString("hex")
            const text = optionText(number, hex)
            if (text !== undefined) assert.equal(optionHex(number, text), hex)
        }),
    )
})

test("hex: what was typed, an option's number, a dump", () => {
    assert.equal(toHex("é", "text"), "c3a9")
    assert.equal(toHex(" 0xA1 b2\n", "hex"), "a1b2")
    assert.throws(() => toHex("a", "hex"), /pairs/)
    assert.throws(() => toHex("xy", "hex"), /pairs/)
    fc.assert(
        fc.property(fc.nat(0xffff_ffff), value => {
            assert.equal(uintHex(value), Buffer.from(uintOption(OptionNumber.MaxAge, value).value).toString("hex"))
        }),
    )
    assert.equal(hexDump("48692100"), `0000  48 69 21 00${" ".repeat(36)}  Hi!.`)
})
