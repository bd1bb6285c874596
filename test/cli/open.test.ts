import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { encodeMac0 } from "../../wire/cose.ts"
import { parseEnvelope, sealEnvelope } from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { encodePack } from "../../wire/pack.ts"
import { temporaryFolder } from "../e2e/command.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { CommandLine } from "../support/command-line.ts"

const commandLine = new CommandLine()
after(() => commandLine.close())

const kid = randomBytes(8)
const secret = randomBytes(32)
const measured = { name: "hr", unit: "beat/min", value: 71.5, relative: false }
const time = Date.UTC(2026, 4, 1, 3, 0, 0)
const envelope = sealEnvelope({
    ...deriveKeys(secret, kid),
    purpose: "vitals",
    boot: 3,
    salt: Buffer.from("0102030405", "hex"),
    seq: 9,
    plaintext: encodePack([{ ...measured, time }], time),
})

test("open: one envelope, for people and for programs, binary or in hexadecimal", async t => {
    const folder = temporaryFolder(t)
    const binary = join(folder, "envelope.bin")
    const text = join(folder, "envelope.hex")
    writeFileSync(binary, envelope)
    writeFileSync(text, Buffer.from(envelope).toString("hex") + "\n")
    const key = { VITALMOTE_SECRET: secret.toString("hex") }

    const json = await commandLine.run(["open", binary, "--json", "--kid", kid.toString("hex")], key)
    assert.equal(json.code, 0, json.stderr)
    assert.deepEqual(JSON.parse(json.stdout), {
        kid: kid.toString("hex"),
        purpose: "vitals",
        boot: 3,
        salt: "0102030405",
        seq: 9,
        measurements: [{ ...measured, time: "2026-05-01T03:00:00.000Z" }],
    })

    const people = await commandLine.run(["open", text], key)
    assert.equal(people.code, 0, people.stderr)
    assert.match(people.stdout, /boot 3 .* seq 9 .*MAC and inner tag verified/)
    assert.match(people.stdout, /2026-05-01T03:00:00\.000Z {2}hr {6}71\.5 beat\/min/)
})

test("open: alarms, and readings from before there was a clock", async t => {
    const folder = temporaryFolder(t)
    const mote = new TestMote({ kid, secret })
    const write = (name: string, envelope: Uint8Array) => {
        writeFileSync(join(folder, name), envelope)
        return ["open", join(folder, name), "--secret", secret.toString("hex")]
    }
    const said = alarmEvent("temp-high", true, time, { value: 39.25 })
    const alarms = await commandLine.run(write("alarms", mote.sealAlarms([said], time)))
    assert.match(alarms.stdout, /alarm .*\n2026-05-01T03:00:00\.000Z {2}temp-high begins {2}39\.25 Cel\n/)
    const early = mote.seal([{ ...measured, time: time - 2500, relative: true }], time)
    const { stdout, stderr } = await commandLine.run(write("early", early))
    assert.match(stdout, /\n-2\.5 s {2}hr {6}71\.5 beat\/min/, stderr)
})

test("open: another secret, another mote, one flipped bit, one flipped bit under the right MAC", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "envelope")
    writeFileSync(file, envelope)
    const flipped = join(folder, "flipped")
    writeFileSync(
        flipped,
        envelope.map((byte, n) => (n === envelope.length - 40 ? byte ^ 4 : byte)),
    )
    const altered = join(folder, "altered")
    const { protectedHeader, payload } = parseEnvelope(envelope)
    const change = payload.map((byte, n) => (n === payload.length - 20 ? byte ^ 4 : byte))
    writeFileSync(altered, encodeMac0(protectedHeader, change, new Uint8Array(0), deriveKeys(secret, kid).upMac))
    const hex = secret.toString("hex")
    const cases: [string[], RegExp][] = [
        [[file, "--secret", "00".repeat(32)], /the MAC does not verify/],
        [[flipped, "--secret", hex], /the MAC does not verify/],
        [[altered, "--secret", hex], /altered by somebody with the router's keys/],
        [[file, "--secret", hex, "--kid", "00".repeat(8)], /the envelope is of mote/],
    ]
    for (const [args, message] of cases) {
        const { code, stdout, stderr } = await commandLine.run(["open", ...args])
        assert.equal(code, 1)
        assert.equal(stdout, "")
        assert.match(stderr, message)
        assert.ok(!stderr.includes(hex))
    }
})
