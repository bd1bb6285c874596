import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { decodeBatch, decodeKeys, decodeResults } from "../../wire/batch.ts"
import { openCommand, openConfig } from "../../wire/config.ts"
import { openEnvelope, parseEnvelope, parseSealed, verifyEnvelope } from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import type { Measurement } from "../../wire/pack.ts"
import { openReceipt } from "../../wire/receipt.ts"
import { decodeRefusal } from "../../wire/refusal.ts"
import { refusalKinds } from "../../wire/tables/refusals.ts"
import { open, readings } from "../firmware/independent-open.ts"
import { Cddl } from "../support/cddl.ts"
import { bytes, hex, madeByFirmware, madeByHost, openFirmware, readVectors } from "./vectors.ts"

const v = readVectors()
const keys = deriveKeys(bytes(v.secret), bytes(v.kid))

/** The last byte of a message belongs to its MAC. */
function forged(message: string): Uint8Array {
    const changed = bytes(message)
    changed[changed.length - 1]! ^= 1
    return changed
}

test("the host makes exactly these bytes, and reads in packs what was measured", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(madeByHost(v))), v)
})

test("the firmware makes exactly these bytes", async () => {
    assert.deepEqual(await madeByFirmware(v), v)
})

test("the host opens them, and nothing that was changed", () => {
    for (const [seq, { purpose, plaintextHex, envelopeHex }] of v.envelopes.entries()) {
        const envelope = parseEnvelope(bytes(envelopeHex))
        assert.deepEqual([envelope.boot, hex(envelope.salt), envelope.seq], [v.start.boot, v.start.salt, seq])
        assert.ok(verifyEnvelope(envelope, purpose, keys.upMac))
        assert.ok(!verifyEnvelope(envelope, purpose === "vitals" ? "alarm" : "vitals", keys.upMac))
        assert.ok(!verifyEnvelope(parseEnvelope(forged(envelopeHex)), purpose, keys.upMac))
        assert.equal(hex(openEnvelope(envelope, keys.upEnc)), plaintextHex)
    }
    for (const { nonce, now, config, receiptHex } of v.receipts) {
        assert.deepEqual(openReceipt(bytes(receiptHex), bytes(nonce), keys.receipt), { now, config })
        assert.throws(() => openReceipt(forged(receiptHex), bytes(nonce), keys.receipt))
    }
    for (const { version, values, envelopeHex } of v.configurations) {
        assert.deepEqual(openConfig(bytes(envelopeHex), keys), { version, values })
        assert.throws(() => openConfig(forged(envelopeHex), keys))
        assert.throws(() => openCommand(bytes(envelopeHex), keys))
    }
    for (const { version, command, envelopeHex } of v.commands) {
        assert.deepEqual(openCommand(bytes(envelopeHex), keys), { version, command })
        assert.throws(() => openConfig(bytes(envelopeHex), keys))
    }
    for (const { refusal, refusalHex } of v.refusals) assert.deepEqual(decodeRefusal(bytes(refusalHex)), refusal)
    assert.equal(decodeBatch(bytes(v.batchHex)).length, v.batch.length)
    assert.deepEqual(decodeResults(bytes(v.resultsHex)), v.results)
    assert.equal(decodeKeys(bytes(v.routerKeysHex)).length, v.routerKeys.length)
})

test("the firmware opens them, and nothing that was changed", async () => {
    const { ask } = await openFirmware(v)
    await ask("i", bytes(v.kid + v.secret))
    await ask("s", new Uint8Array(4))
    for (const { nonce, now, config, receiptHex } of v.receipts) {
        const told = async (receipt: Uint8Array) =>
            (await ask("r", Buffer.concat([bytes(nonce), receipt]))).toString("latin1")
        assert.equal(await told(bytes(receiptHex)), `${now} ${config}`)
        assert.equal(await told(forged(receiptHex)), "none")
    }
    const [other] = v.receipts.map(({ receiptHex }) => bytes(receiptHex))
    assert.equal(String(await ask("r", Buffer.concat([bytes(v.receipts[1]!.nonce), other!]))), "none")
    for (const { plaintextHex, envelopeHex } of v.configurations) {
        assert.equal(hex(await ask("c", bytes(envelopeHex))), plaintextHex)
        assert.equal(String(await ask("c", forged(envelopeHex))), "none")
        assert.equal(String(await ask("d", bytes(envelopeHex))), "none")
    }
    for (const { envelopeHex } of v.commands) {
        assert.notEqual(String(await ask("d", bytes(envelopeHex))), "none")
        assert.equal(String(await ask("c", bytes(envelopeHex))), "none")
    }
})

/** The measurements of one pack by their time, in seconds. */
function asReadings(measurements: Measurement[]): Record<string, number>[] {
    const byTime = new Map<number, Record<string, number>>()
    for (const { name, value, time } of measurements)
        byTime.set(time, { ...(byTime.get(time) ?? { time: time / 1000 }), [name]: value })
    return [...byTime.values()].sort((a, b) => a.time! - b.time!)
}

test("a stranger opens the envelopes with node:crypto and a CBOR library", () => {
    for (const [seq, { purpose, envelopeHex }] of v.envelopes.entries()) {
        const { nonce, content } = open(bytes(envelopeHex), v.kid, v.secret, purpose)
        const type = purpose === "vitals" ? "21" : "22"
        assert.equal(nonce, `${type}00000${v.start.boot}${v.start.salt}0000000${seq}`)
        if (purpose === "alarm") assert.equal(content.length, v.alarms.events.length)
        else assert.deepEqual(readings(content), asReadings(v.packs[1]!.measurements))
    }
})

test("all of them are what the grammar on docs/wire.md says", () => {
    const page = readFileSync("docs/wire.md", "utf8")
    const grammar = new Cddl([...page.matchAll(/^```cddl\n([^]*?)^```$/gm)].map(([, block]) => block).join("\n"))
    const problem = Buffer.concat([Buffer.from("a175", "hex"), Buffer.from("urn:vitalmote:refusal")])
    const messages: Record<string, string[]> = {
        envelope: [...v.envelopes, ...v.configurations, ...v.commands].map(({ envelopeHex }) => envelopeHex),
        pack: v.packs.map(({ packHex }) => packHex),
        alarms: [v.alarms.packHex],
        receipt: v.receipts.map(({ receiptHex }) => receiptHex),
        configuration: v.configurations.map(({ plaintextHex }) => plaintextHex),
        command: v.commands.map(({ envelopeHex }) => hex(openEnvelope(parseSealed(bytes(envelopeHex)), keys.downEnc))),
        refusal: v.refusals.map(({ refusalHex }) => refusalHex),
        "problem-details": v.refusals.map(({ refusalHex }) => hex(problem) + refusalHex),
        batch: [v.batchHex],
        results: [v.resultsHex],
        "router-keys": [v.routerKeysHex],
    }
    for (const [rule, all] of Object.entries(messages))
        for (const message of all) assert.ok(grammar.matches(rule, bytes(message)), `${rule}: ${message}`)
    // And the grammar tells them apart.
    const kinds = Object.keys(messages).filter(rule => !["envelope", "problem-details"].includes(rule))
    for (const rule of kinds)
        for (const other of kinds)
            if (rule !== other && !(rule === "refusal" && other === "batch"))
                for (const message of messages[other]!)
                    assert.ok(!grammar.matches(rule, bytes(message)), `${other} is no ${rule}`)
})

test("there is a vector for every refusal", () => {
    assert.deepEqual(
        v.refusals.map(({ refusal }) => refusal.code),
        Object.keys(refusalKinds),
    )
})
