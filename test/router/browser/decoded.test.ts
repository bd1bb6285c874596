import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { decoded, shownOptions } from "../../../router/browser/decoded.ts"
import { Code, message } from "../../../router/coap/message.ts"
import { OptionNumber, uintOption } from "../../../router/coap/options.ts"
import { encode } from "../../../wire/cbor.ts"
import { TestMote } from "../../support/mote.ts"

const as = (contentFormat: number | undefined, payload: Uint8Array) =>
    decoded(
        message(Code.Content, {
            options: contentFormat === undefined ? [] : [uintOption(OptionNumber.ContentFormat, contentFormat)],
            payload,
        }),
    )

test("a payload is shown as what it is", () => {
    assert.deepEqual(as(undefined, new Uint8Array(0)), { kind: "nothing" })
    assert.deepEqual(as(undefined, Buffer.from("no such resource")), { kind: "text", text: "no such resource" })
    assert.deepEqual(as(40, Buffer.from('</status>;ct=112,</vitals>;obs;rt="a b"')), {
        kind: "links",
        links: [
            { target: "/status", attributes: { ct: 112 } },
            { target: "/vitals", attributes: { obs: true, rt: "a b" } },
        ],
    })
    assert.deepEqual(
        as(
            112,
            encode([
                new Map<number, unknown>([
                    [0, "boot"],
                    [2, 3],
                ]),
            ]),
        ),
        {
            kind: "senml",
            records: [{ n: "boot", v: 3 }],
        },
    )
    assert.deepEqual(as(60, Buffer.from("a1616101", "hex")), { kind: "cbor", text: '{"a": 1}' })
    assert.deepEqual(as(9999, Buffer.from("00ff", "hex")), { kind: "bytes" })
})

test("an envelope is shown with its number, without anything of what is sealed", () => {
    const mote = TestMote.numbered(1)
    const shown = as(17, mote.envelope())
    assert.equal(shown.kind, "envelope")
    assert.ok(shown.kind === "envelope" && shown.kid === mote.eui && shown.sealedBytes > 0)
})

test("any COSE message is shown as its structure, without what it seals", () => {
    // COSE_Mac0 with HMAC 256/256 and the kid "11"; 20 bytes of payload, 8 of a tag.
    const mac0 = Buffer.from(`d18443a10105a104423131${"54"}${"61".repeat(20)}${"48"}${"62".repeat(8)}`, "hex")
    const shown = as(17, mac0)
    assert.ok(shown.kind === "cose")
    assert.equal(shown.name, "COSE_Mac0: authenticated by a MAC")
    assert.deepEqual(shown.fields, [
        ["alg (protected)", "HMAC 256/256"],
        ["kid (unprotected)", "3131"],
        ["payload", "20 bytes"],
        ["tag", "8 bytes"],
    ])
    assert.deepEqual(as(16, Buffer.from("d08340a0f6", "hex")), {
        ...{ kind: "cose", name: "COSE_Encrypt0: encrypted", fields: [["ciphertext", "detached"]] },
        text: "16([h'', {}, null])",
    })
    assert.equal(as(18, Buffer.from("a0", "hex")).kind, "cbor")
})

test("what is not in its format is bytes; no payload and no option throws", () => {
    assert.deepEqual(as(17, Buffer.from("hello")), { kind: "bytes" })
    assert.deepEqual(as(0, Uint8Array.of(0xff, 0xfe)), { kind: "bytes" })
    const formats = fc.constantFrom(undefined, 0, 17, 40, 50, 60, 112, 257, 4711)
    fc.assert(
        fc.property(formats, fc.uint8Array({ maxLength: 200 }), (contentFormat, payload) => {
            JSON.stringify(as(contentFormat, payload))
        }),
    )
    const options = fc.array(fc.record({ number: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 40 }) }))
    fc.assert(fc.property(options, all => void JSON.stringify(shownOptions(all))))
})

test("options have their names, and values that people read", () => {
    const shown = (number: number, value: string) => {
        const { name, text } = shownOptions([{ number, value: Buffer.from(value, "hex") }])[0]!
        return `${name}: ${text}`
    }
    assert.equal(shown(12, "70"), "Content-Format: 112 application/senml+cbor")
    assert.equal(shown(14, "05"), "Max-Age: 5 s")
    assert.equal(shown(23, "0e"), "Block2: block 0 of 1024 bytes, more follow")
    assert.equal(shown(4, "a1b2"), "ETag: a1b2")
    assert.equal(shown(2049, "78"), "option 2049: 78")
})
