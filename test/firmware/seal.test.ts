import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { test } from "node:test"
import { encode } from "cbor2"
import fc from "fast-check"
import { openEnvelope, parseEnvelope, verifyEnvelope } from "../../wire/envelope.ts"
import { projectDir } from "../../devicescript/build.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { openChannel } from "./channel.ts"
import { open } from "./independent-open.ts"
import { runs } from "../support/long.ts"

const secret = Buffer.from(Array.from({ length: 32 }, (_, i) => i))
const kid = Buffer.from("0011223344556677", "hex")
const keys = deriveKeys(secret, kid)
const channel = openChannel("test/src/seal.ts")

test("the VM's HKDF is that of RFC 5869: test cases 1 and 3", async () => {
    const { lines } = await channel
    const okm1 = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    const okm3 = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert.deepEqual(lines.slice(0, 2), [okm1, okm3])
})

test("an envelope opens with node:crypto and cbor2 alone", async () => {
    const pack = [1_767_225_600, [0], new Map([[0, [720]]])]
    const envelope = await (await channel).ask(encode(pack))
    const opened = open(envelope, kid.toString("hex"), secret.toString("hex"))
    assert.deepEqual(opened.content, pack)
    assert.match(opened.nonce, /^21fffffe.{10}00000000$/)

    const program = ["--import", "tsx", "test/firmware/independent-open.ts"]
    const identity = [kid.toString("hex"), secret.toString("hex")]
    const { stdout, stderr } = spawnSync(process.execPath, [...program, ...identity], {
        cwd: projectDir,
        input: envelope,
        encoding: "utf8",
    })
    assert.equal(stderr, "", "it is a program, too: KID SECRET < ENVELOPE")
    assert.ok(stdout.includes(opened.nonce))
})

test("any plaintext becomes exactly the envelope of the wire format, under the next number", async () => {
    let seq = 1
    const plaintext = fc.uint8Array({ minLength: 1, maxLength: 530 })
    const property = fc.asyncProperty(plaintext, async plaintext => {
        const envelope = parseEnvelope(await (await channel).ask(plaintext))
        assert.deepEqual(Buffer.from(envelope.kid), kid)
        assert.equal(envelope.boot, 0xfffffe)
        assert.equal(envelope.seq, seq++)
        assert.ok(verifyEnvelope(envelope, "vitals", keys.upMac))
        assert.ok(!verifyEnvelope(envelope, "alarm", keys.upMac))
        assert.deepEqual(Buffer.from(openEnvelope(envelope, keys.upEnc)), Buffer.from(plaintext))
    })
    // The boundaries of the byte string head of the payload, with 21 bytes around the ciphertext, and of AES.
    const lengths = [1, 2, 3, 15, 16, 17, 233, 234, 235, 256]
    const examples = lengths.map((length): [Uint8Array] => [new Uint8Array(length)])
    await fc.assert(property, { numRuns: runs(60), examples })
})
