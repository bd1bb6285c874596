import assert from "node:assert/strict"
import { createDecipheriv, createHmac } from "node:crypto"
import { test } from "node:test"
import { Tag } from "cbor2"
import fc from "fast-check"
import { decode, encode, WireError } from "../../wire/cbor.ts"
import { encodeMac0 } from "../../wire/cose.ts"
import {
    FormatError,
    InnerTagError,
    maxEnvelopeBytes,
    openEnvelope,
    parseEnvelope,
    parseSealed,
    sealEnvelope,
    verifyEnvelope,
    type Envelope,
    type Purpose,
} from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { bytesOf, flipBit, moteKeys, purpose, uint24, uint32 } from "./arbitrary.ts"

const hex = (text: string) => Buffer.from(text, "hex")
const keys = deriveKeys(new Uint8Array(32).fill(7), hex("0102030405060708"))
const noAad = new Uint8Array(0)

const sealed = fc
    .record({
        keys: moteKeys,
        purpose,
        boot: uint24,
        salt: bytesOf(5),
        seq: uint32,
        plaintext: fc.uint8Array({ maxLength: 400 }),
    })
    .map(({ keys, ...rest }) => ({ keys, ...rest, bytes: sealEnvelope({ ...keys, ...rest }) }))

function seal(plaintext: Uint8Array, purpose: Purpose = "vitals"): Uint8Array {
    return sealEnvelope({ ...keys, purpose, boot: 1, salt: hex("a0a1a2a3a4"), seq: 0, plaintext })
}

test("an envelope has the structure that COSE gives it, checked with a CBOR library and node:crypto", () => {
    const plaintext = Buffer.from("thirty-seven point two")
    const message = decode(seal(plaintext, "alarm")) as Tag
    assert.equal(message.tag, 17)
    const [protectedHeader, unprotected, payload, tag] = message.contents as Uint8Array[]
    assert.deepEqual(
        decode(protectedHeader!),
        new Map<number, unknown>([
            [1, 4],
            [4, new Uint8Array(keys.kid)],
        ]),
    )
    assert.deepEqual(unprotected, new Map())
    const macStructure = encode(["MAC0", protectedHeader, noAad, payload])
    const expected = createHmac("sha256", keys.upMac).update(macStructure).digest().subarray(0, 8)
    assert.deepEqual(Buffer.from(tag!), expected)

    const nonce = hex("22" + "000001" + "a0a1a2a3a4" + "00000000")
    assert.deepEqual(Buffer.from(payload!).subarray(0, 13), nonce)
    const ccm = createDecipheriv("aes-256-ccm", keys.upEnc, nonce, { authTagLength: 8 })
    ccm.setAuthTag(payload!.subarray(-8))
    assert.deepEqual(ccm.update(payload!.subarray(13, -8)), plaintext)
    ccm.final()
})

test("what was sealed parses, verifies and opens", () => {
    fc.assert(
        fc.property(sealed, ({ keys, purpose, boot, salt, seq, plaintext, bytes }) => {
            const envelope = parseEnvelope(bytes)
            assert.deepEqual([envelope.boot, envelope.seq, Buffer.from(envelope.salt)], [boot, seq, Buffer.from(salt)])
            assert.equal(envelope.purpose, purpose)
            assert.ok(verifyEnvelope(envelope, purpose, keys.upMac))
            assert.ok(!verifyEnvelope(envelope, purpose === "alarm" ? "vitals" : "alarm", keys.upMac))
            assert.ok(!verifyEnvelope(envelope, purpose, keys.receipt))
            assert.deepEqual(Buffer.from(openEnvelope(envelope, keys.upEnc)), Buffer.from(plaintext))
            assert.throws(() => openEnvelope(envelope, keys.downEnc), InnerTagError)
        }),
    )
})

test("the structure costs 49 bytes, one more from 235 bytes of plaintext on", () => {
    for (const [length, cost] of [
        [0, 47 + 1],
        [3, 49],
        [234, 49],
        [235, 50],
    ] as const)
        assert.equal(seal(new Uint8Array(length)).length - length, cost)
})

test("a start has 2^32 envelopes, a mote 2^24 starts; more is not sealed", () => {
    const o = { ...keys, purpose: "vitals", salt: hex("a0a1a2a3a4"), plaintext: noAad } as const
    const last = parseEnvelope(sealEnvelope({ ...o, boot: 2 ** 24 - 1, seq: 2 ** 32 - 1 }))
    assert.deepEqual([last.boot, last.seq], [2 ** 24 - 1, 2 ** 32 - 1])
    assert.throws(() => sealEnvelope({ ...o, boot: 2 ** 24, seq: 0 }), RangeError)
    assert.throws(() => sealEnvelope({ ...o, boot: 0, seq: 2 ** 32 }), RangeError)
    assert.throws(() => sealEnvelope({ ...o, boot: 0, seq: 0, salt: hex("a0a1a2a3") }), RangeError)
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

test("whoever has the key of the MAC can alter nothing: each flipped bit breaks the inner tag, or the shape", () => {
    for (const length of [0, 1, 15, 16, 17, 40]) {
        const { protectedHeader, payload } = parseEnvelope(seal(new Uint8Array(length).fill(3)))
        for (let bit = 0; bit < payload.length * 8; bit++) {
            const bytes = encodeMac0(protectedHeader, flipBit(payload, bit), noAad, keys.upMac)
            assert.throws(() => {
                const envelope = parseEnvelope(bytes)
                assert.ok(verifyEnvelope(envelope, envelope.purpose, keys.upMac), "the MAC is right")
                openEnvelope(envelope, keys.upEnc)
            }, WireError)
        }
    }
})

test("whoever has the key of the MAC can make no alarm of vitals, and no other mote's envelope", () => {
    const envelope = parseEnvelope(seal(Buffer.from("a pack of readings")))
    const payload = Uint8Array.from(envelope.payload)
    payload[0] = 0x22
    const alarm = parseEnvelope(encodeMac0(envelope.protectedHeader, payload, noAad, keys.upMac))
    assert.ok(verifyEnvelope(alarm, "alarm", keys.upMac))
    assert.throws(() => openEnvelope(alarm, keys.upEnc), InnerTagError)
    const other = deriveKeys(new Uint8Array(32).fill(7), hex("0102030405060709"))
    const moved = encodeMac0(encode(kidHeader(other.kid)), envelope.payload, noAad, other.upMac)
    assert.ok(verifyEnvelope(parseEnvelope(moved), "vitals", other.upMac))
    assert.throws(() => openEnvelope(parseEnvelope(moved), other.upEnc), InnerTagError)
})

test("another format is told apart from garbage, whatever its algorithm, header and tag", () => {
    for (let format = 0; format < 16; format++) {
        const payload = Uint8Array.of(format << 4, 1, 2, 3)
        const bytes = encode(
            new Tag(17, [encode(new Map<number, unknown>([[1, -999]])), new Map(), payload, new Uint8Array(16)]),
        )
        for (const parse of [parseEnvelope, parseSealed])
            assert.throws(
                () => parse(bytes),
                (error: Error) => error instanceof WireError && error instanceof FormatError === (format !== 2),
            )
    }
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

const kidHeader = (kid: Uint8Array) =>
    new Map<number, unknown>([
        [1, 4],
        [4, kid],
    ])
const payloadOf = (type: number, length = 40) => Uint8Array.of(type, ...new Uint8Array(length - 1))
const mac0 = (o: { header?: unknown; unprotected?: unknown; payload?: unknown; tag?: number; mac?: Uint8Array } = {}) =>
    encode(
        new Tag(o.tag ?? 17, [
            o.header ?? encode(kidHeader(keys.kid)),
            o.unprotected ?? new Map(),
            o.payload ?? payloadOf(0x21),
            o.mac ?? new Uint8Array(8),
        ]),
    )

test("an envelope from a CBOR library parses", () => {
    assert.equal(parseEnvelope(mac0()).ciphertext.length, 40 - 13)
    assert.equal(parseEnvelope(mac0({ payload: payloadOf(0x21, 21) })).ciphertext.length, 8, "an empty plaintext")
})

for (const [what, bytes] of [
    [
        "another algorithm",
        mac0({
            header: encode(
                new Map<number, unknown>([
                    [1, 5],
                    [4, keys.kid],
                ]),
            ),
        }),
    ],
    ["a kid of 7 bytes", mac0({ header: encode(kidHeader(new Uint8Array(7))) })],
    ["no kid", mac0({ header: encode(new Map([[1, 4]])) })],
    ["one more protected header", mac0({ header: encode(new Map([...kidHeader(keys.kid), [6, 1]])) })],
    ["an unprotected header", mac0({ unprotected: new Map([[4, 1]]) })],
    ["another tag", mac0({ tag: 18 })],
    ["a short MAC", mac0({ mac: new Uint8Array(4) })],
    ["a long MAC", mac0({ mac: new Uint8Array(32) })],
    ["a payload that is no byte string", mac0({ payload: 5 })],
    ["an empty payload", mac0({ payload: new Uint8Array(0) })],
    ["a payload without an inner tag", mac0({ payload: payloadOf(0x21, 20) })],
    ["an unknown purpose", mac0({ payload: payloadOf(0x20) })],
    ["a configuration", mac0({ payload: payloadOf(0x23) })],
    ["a command", mac0({ payload: payloadOf(0x24) })],
    ["more than the largest size", seal(new Uint8Array(maxEnvelopeBytes))],
] as const)
    test(`refuses ${what}`, () => assert.throws(() => parseEnvelope(bytes), WireError))
