import assert from "node:assert/strict"
import { createCipheriv, createHmac } from "node:crypto"
import { test } from "node:test"
import { Tag } from "cbor2"
import fc from "fast-check"
import { decode, encode, WireError } from "../../wire/cbor.ts"
import {
    maxEnvelopeBytes,
    openEnvelope,
    parseEnvelope,
    sealEnvelope,
    verifyEnvelope,
    type Envelope,
    type Purpose,
} from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { bytesOf, flipBit, moteKeys, purpose, uint32 } from "./arbitrary.ts"

const hex = (text: string) => Buffer.from(text, "hex")
const keys = deriveKeys(new Uint8Array(32).fill(7), hex("0102030405060708"))

const sealed = fc
    .record({
        keys: moteKeys,
        purpose,
        boot: uint32,
        salt: bytesOf(5),
        seq: uint32,
        plaintext: fc.uint8Array({ maxLength: 400 }),
    })
    .map(({ keys, ...rest }) => ({ keys, ...rest, bytes: sealEnvelope({ ...keys, ...rest }) }))

function seal(plaintext: Uint8Array, purpose: Purpose = "vitals"): Uint8Array {
    return sealEnvelope({ ...keys, purpose, boot: 1, salt: hex("a0a1a2a3a4"), seq: 0, plaintext })
}

test("the cipher vector of the wire format", () => {
    const key = hex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf".repeat(2))
    const bytes = sealEnvelope({
        kid: keys.kid,
        upEnc: key,
        upMac: keys.upMac,
        purpose: "vitals",
        boot: 3,
        salt: hex("020100a0a1"),
        seq: 0xa2a3a4a5,
        plaintext: hex("000102030405060708090a0b0c0d0e0f1011"),
    })
    const envelope = parseEnvelope(bytes)
    assert.equal(Buffer.from(envelope.nonce).toString("hex"), "00000003020100a0a1a2a3a4a5")
    assert.equal(Buffer.from(envelope.ciphertext).toString("hex"), "29696bd6c77ce804b31c4ee75dd5bf0f17ad")
})

test("an envelope has the structure that COSE gives it, checked with a CBOR library and node:crypto", () => {
    const plaintext = Buffer.from("thirty-seven point two")
    const message = decode(seal(plaintext, "alarm")) as Tag
    assert.equal(message.tag, 17)
    const [protectedHeader, unprotected, payload, tag] = message.contents as Uint8Array[]
    assert.deepEqual(
        decode(protectedHeader!),
        new Map<number, unknown>([
            [1, 5],
            [4, new Uint8Array(keys.kid)],
        ]),
    )
    assert.deepEqual(unprotected, new Map())
    const macStructure = encode(["MAC0", protectedHeader, Buffer.from("alarm"), payload])
    const expected = createHmac("sha256", keys.upMac).update(macStructure).digest()
    assert.deepEqual(Buffer.from(tag!), expected)

    const encrypt0 = decode(payload!) as Tag
    assert.equal(encrypt0.tag, 16)
    const [empty, header, ciphertext] = encrypt0.contents as [unknown, Map<number, unknown>, Uint8Array]
    assert.deepEqual(empty, new Uint8Array(0))
    const iv = hex("01" + "00000001" + "a0a1a2a3a4" + "00000000" + "0001")
    assert.deepEqual(
        header,
        new Map<number, unknown>([
            [1, -65532],
            [5, new Uint8Array(iv)],
        ]),
    )
    const opened = createCipheriv("aes-256-ctr", keys.upEnc, iv).update(ciphertext)
    assert.deepEqual(opened, plaintext)
})

test("what was sealed parses, verifies and opens", () => {
    fc.assert(
        fc.property(sealed, ({ keys, purpose, boot, salt, seq, plaintext, bytes }) => {
            const envelope = parseEnvelope(bytes)
            assert.deepEqual([envelope.boot, envelope.seq, Buffer.from(envelope.salt)], [boot, seq, Buffer.from(salt)])
            assert.ok(verifyEnvelope(envelope, purpose, keys.upMac))
            assert.ok(!verifyEnvelope(envelope, purpose === "alarm" ? "vitals" : "alarm", keys.upMac))
            assert.ok(!verifyEnvelope(envelope, purpose, keys.receipt))
            assert.deepEqual(Buffer.from(openEnvelope(envelope, keys.upEnc)), Buffer.from(plaintext))
        }),
    )
})

/** True where the bytes are an envelope with a good MAC. */
function isAccepted(bytes: Uint8Array, purpose: Purpose, upMac: Uint8Array): boolean {
    let envelope: Envelope
    try {
        envelope = parseEnvelope(bytes)
    } catch (error) {
        assert.ok(error instanceof WireError)
        return false
    }
    return verifyEnvelope(envelope, purpose, upMac)
}

test("one flipped bit anywhere never verifies", () => {
    const bytes = seal(Buffer.from("a pack of readings"))
    assert.ok(isAccepted(bytes, "vitals", keys.upMac))
    for (let bit = 0; bit < bytes.length * 8; bit++)
        assert.ok(!isAccepted(flipBit(bytes, bit), "vitals", keys.upMac), `bit ${bit}`)
})

test("no prefix and no extension is an envelope", () => {
    const bytes = seal(Buffer.from("a pack of readings"))
    for (let length = 0; length < bytes.length; length++)
        assert.throws(() => parseEnvelope(bytes.subarray(0, length)), WireError)
    assert.throws(() => parseEnvelope(Buffer.concat([bytes, hex("00")])), WireError)
})

test("arbitrary bytes are refused with WireError", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
            assert.throws(() => parseEnvelope(bytes), WireError)
        }),
    )
})

test("bytes that parse are deterministic CBOR, whatever was changed in them", () => {
    fc.assert(
        fc.property(sealed, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }))), (s, changes) => {
            const bytes = Uint8Array.from(s.bytes)
            for (const [at, byte] of changes) bytes[at % bytes.length] = byte
            try {
                parseEnvelope(bytes)
            } catch (error) {
                assert.ok(error instanceof WireError)
                return
            }
            assert.deepEqual(encode(decode(bytes)), bytes)
        }),
    )
})

const kidHeader = new Map<number, unknown>([
    [1, 5],
    [4, keys.kid],
])
const goodIv = hex("01000000010203040506000000000001")
const encrypt0 = (o: { protected?: unknown; alg?: number; iv?: Uint8Array; tag?: number } = {}) =>
    encode(
        new Tag(o.tag ?? 16, [
            o.protected ?? new Uint8Array(0),
            new Map<number, unknown>([
                [1, o.alg ?? -65532],
                [5, o.iv ?? goodIv],
            ]),
            new Uint8Array(20),
        ]),
    )
const mac0 = (
    o: {
        header?: unknown
        unprotected?: unknown
        payload?: unknown
        tag?: number
        mac?: Uint8Array
    } = {},
) =>
    encode(
        new Tag(o.tag ?? 17, [
            o.header ?? encode(kidHeader),
            o.unprotected ?? new Map(),
            o.payload ?? encrypt0(),
            o.mac ?? new Uint8Array(32),
        ]),
    )

test("an envelope from a CBOR library parses", () => {
    assert.equal(parseEnvelope(mac0()).ciphertext.length, 20)
})

for (const [what, bytes] of [
    [
        "another algorithm",
        mac0({
            header: encode(
                new Map<number, unknown>([
                    [1, 4],
                    [4, keys.kid],
                ]),
            ),
        }),
    ],
    [
        "a kid of 7 bytes",
        mac0({
            header: encode(
                new Map<number, unknown>([
                    [1, 5],
                    [4, new Uint8Array(7)],
                ]),
            ),
        }),
    ],
    ["one more protected header", mac0({ header: encode(new Map([...kidHeader, [6, 1]])) })],
    ["an unprotected header", mac0({ unprotected: new Map([[4, 1]]) })],
    ["another tag", mac0({ tag: 18 })],
    ["a short MAC", mac0({ mac: new Uint8Array(16) })],
    ["a long MAC", mac0({ mac: new Uint8Array(33) })],
    ["a payload that is no byte string", mac0({ payload: 5 })],
    ["another inner tag", mac0({ payload: encrypt0({ tag: 96 }) })],
    ["a protected inner header", mac0({ payload: encrypt0({ protected: hex("a0") }) })],
    ["another cipher", mac0({ payload: encrypt0({ alg: -65531 }) })],
    ["an IV of 13 bytes", mac0({ payload: encrypt0({ iv: goodIv.subarray(0, 13) }) })],
    ["an IV that starts otherwise", mac0({ payload: encrypt0({ iv: flipBit(goodIv, 0) }) })],
    ["an IV that ends otherwise", mac0({ payload: encrypt0({ iv: flipBit(goodIv, 127) }) })],
    ["more than the largest size", seal(new Uint8Array(maxEnvelopeBytes))],
] as const)
    test(`refuses ${what}`, () => assert.throws(() => parseEnvelope(bytes), WireError))
