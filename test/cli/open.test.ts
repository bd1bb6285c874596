import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { sealEnvelope } from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { encodePack } from "../../wire/senml.ts"
import { temporaryFolder } from "../e2e/command.ts"
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
    plaintext: encodePack([{ ...measured, time }], kid, time),
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
    assert.match(people.stdout, /boot 3 .* seq 9 .*MAC verified/)
    assert.match(people.stdout, /2026-05-01T03:00:00\.000Z {2}hr {6}71\.5 beat\/min/)
})

test("open: another secret, another mote, one flipped bit", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "envelope")
    writeFileSync(file, envelope)
    const flipped = join(folder, "flipped")
    writeFileSync(
        flipped,
        envelope.map((byte, n) => (n === envelope.length - 40 ? byte ^ 4 : byte)),
    )
    const hex = secret.toString("hex")
    const cases: [string[], RegExp][] = [
        [[file, "--secret", "00".repeat(32)], /the MAC does not verify/],
        [[flipped, "--secret", hex], /the MAC does not verify/],
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
