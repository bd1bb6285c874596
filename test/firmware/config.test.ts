import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import { encode } from "../../wire/cbor.ts"
import { encodeConfig, makeCommand, makeConfig } from "../../wire/config.ts"
import { checkConfig, type ConfigError } from "../../wire/settings.ts"
import { configFields, defaultConfig, type ConfigField, type ConfigValues } from "../../wire/tables/settings.ts"
import { seal, type SealedPurpose, sealEnvelope } from "../../wire/envelope.ts"
import { encodeMac0 } from "../../wire/cose.ts"
import { makeReceipt } from "../../wire/receipt.ts"
import { flipBit } from "../wire/arbitrary.ts"
import { ConfigMote } from "./config-mote.ts"
import { runs } from "../support/long.ts"

const one = ConfigMote.start()
/** Most tests share one mote, whose versions only increase. */
let version = 100

function sealed(mote: ConfigMote, version: number, values: Partial<ConfigValues> = {}): Uint8Array {
    return makeConfig(values, version, mote.keys, randomBytes)
}

/** Seals any content as the clinic does. */
function sealedPlaintext(mote: ConfigMote, plaintext: Uint8Array): Uint8Array {
    const { kid, downEnc, downMac } = mote.keys
    return seal("config", randomBytes(12), plaintext, { kid, enc: downEnc, mac: downMac })
}

function sealedMap(mote: ConfigMote, map: object): Uint8Array {
    return sealedPlaintext(mote, encode(new Map(Object.entries(map))))
}

test("without a configuration it is the host's default", async () => {
    const mote = await ConfigMote.start()
    assert.deepEqual(await mote.config(), { version: 0, ...defaultConfig })
    assert.deepEqual(await mote.note(), { version: 0 })
    assert.equal(await mote.note(), undefined, "said once")
})

test("a valid configuration applies as a whole, is reported, and survives a restart", async () => {
    const mote = await ConfigMote.start()
    await mote.note()
    const values = {
        sample: 4,
        report: 60,
        hrLow: 50,
        hrHigh: 180,
        tempLow: 35.5,
        tempHigh: 38.3,
        delay: 0,
        quality: 30,
        led: 12,
        power: 1,
        every: 600,
        trial: 60,
    }
    assert.equal(await mote.configure(sealed(mote, 7, values)), "applied")
    const expected = { version: 7, ...defaultConfig, ...values, tempHigh: 38.3125 }
    assert.deepEqual(await mote.config(), expected)
    assert.deepEqual(await mote.note(), { version: 7 })
    await mote.restart()
    assert.deepEqual(await mote.config(), expected)
    assert.deepEqual(await mote.note(), { version: 7 })
    assert.equal(await mote.tick(), false, "the router is the same")
    assert.equal(await mote.configure(sealed(mote, 8)), "applied")
    assert.deepEqual(await mote.config(), { version: 8, ...defaultConfig }, "absent is default")
})

test("the largest possible configuration is accepted", async () => {
    const mote = await ConfigMote.start()
    const values = {
        ...defaultConfig,
        sample: 300,
        report: 599,
        delay: 599,
        led: 49,
        every: 3599,
        trial: 3599,
        tempLow: 35.1,
        tempHigh: 38.1,
    }
    const router = "mqtts://" + "a".repeat(50) + ":65535"
    assert.equal(router.length, 64)
    const plaintext = encodeConfig({ ...values, router }, 2 ** 32 - 1)
    assert.ok(plaintext.length > 190)
    assert.equal(await mote.configure(sealedPlaintext(mote, plaintext)), "applied")
    assert.equal((await mote.config())["router"], router)
})

for (const field of configFields as readonly ConfigField[]) {
    const { name, min, max } = field
    test(`${name} below ${min} or above ${max} is refused with that range, and nothing applies`, async () => {
        const mote = await one
        const before = await mote.config()
        const fraction = name.startsWith("temp") ? 0.25 : 1
        for (const value of [min - fraction, max + fraction]) {
            if (value < 0) continue
            // The entries before and after it in the map are valid.
            const map = { hrLow: 50, tempHigh: 40, [name]: value, version: ++version }
            const reason = `out-of-range ${name} ${min} ${max}`
            assert.equal(await mote.configure(sealedMap(mote, map)), reason)
            const { version: inForce } = await mote.config()
            assert.deepEqual(await mote.note(), { version: inForce, refused: version, reason })
        }
        assert.deepEqual(await mote.config(), before)
    })

    test(`${name} may be ${min} and may be ${max}`, async () => {
        const mote = await one
        for (const value of [min, max]) {
            const wide = { report: 600, hrLow: 20, hrHigh: 250, tempLow: 25, tempHigh: 45 }
            const map = { ...wide, [name]: value, version: ++version }
            if (name === "hrHigh") map.hrLow = 20
            assert.equal(await mote.configure(sealedMap(mote, map)), "applied")
            assert.equal((await mote.config())[name], value)
        }
    })
}

test("settings that do not fit together are refused", async () => {
    const mote = await one
    for (const [reason, values] of [
        ["conflict report sample", { sample: 20, report: 10 }],
        ["conflict report sample", { sample: 12 }],
        ["conflict hrLow hrHigh", { hrLow: 120, hrHigh: 120 }],
        ["conflict hrLow hrHigh", { hrLow: 130 }],
        ["conflict tempLow tempHigh", { tempHigh: 34.5 }],
    ] as const) {
        assert.throws(() => checkConfig(values))
        const map = { ...values, version: ++version }
        assert.equal(await mote.configure(sealedMap(mote, map)), reason)
    }
})

test("an unknown setting or an invalid value is refused", async () => {
    const mote = await one
    for (const [reason, map] of [
        ["unknown-setting 0", { wifi: "x" }],
        ["unknown-setting 1", { constructor: 1 }],
        ["unknown-setting 1", Object.fromEntries([["__proto__", 1]])],
        ["unknown-setting 1", { "two\nlines": 1 }],
        ["unknown-setting 0", { "": 1 }],
        ["unknown-setting 0", { hrLow: "50" }],
        ["unknown-setting 0", { router: 5 }],
        ["out-of-range hrLow 20 200", { hrLow: 50.5 }],
        ["out-of-range hrLow 20 200", { hrLow: 2 ** 40 }],
        ["not-a-router", { router: "http://a" }],
        ["not-a-router", { router: "coap+tcp://a:99999" }],
        ["not-a-router", { router: "coap+tcp://" + "a".repeat(54) }],
        ["malformed", { hrLow: true }],
        ["malformed", { hrLow: -50 }],
        ["malformed", { hrLow: [50] }],
        ["malformed", { hrLow: 50.1 }],
    ] as [string, object][])
        assert.equal(await mote.configure(sealedMap(mote, { ...map, version: ++version })), reason)
    for (const map of [{}, { version: 0 }, { version: 2 ** 32 }, { version: 1.5 }, { version: "1" }]) {
        const said = await mote.configure(sealedMap(mote, map))
        assert.equal(said, "malformed")
    }
})

test("only deterministic CBOR is understood", async () => {
    const mote = await one
    const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")
    version += 0x10000
    const v = `67 76657273696f6e 1a ${version.toString(16).padStart(8, "0")}`
    for (const [what, plaintext] of [
        ["a long length", `b801 ${v}`],
        ["an indefinite map", `bf ${v} ff`],
        ["a byte after it", `a1 ${v} 00`],
        ["a pair too many", `a2 ${v}`],
        ["a pair too few", `a1 63 6c6564 05 ${v}`],
        ["no map", `82 ${v}`],
        ["a number as key", `a2 01 02 ${v}`],
        ["a bytes key", `a2 43 6c6564 05 ${v}`],
        ["keys out of order", `a2 ${v} 63 6c6564 05`],
        ["a key twice", `a3 63 6c6564 05 63 6c6564 06 ${v}`],
        ["a long integer", `a2 63 6c6564 1805 ${v}`],
        ["a float that is whole", `a2 63 6c6564 f94500 ${v}`],
        ["a binary32", `a2 63 6c6564 fa40a80000 ${v}`],
        ["a negative float", `a2 63 6c6564 f9c500 ${v}`],
        ["infinity", `a2 63 6c6564 f97c00 ${v}`],
        ["no number", `a2 63 6c6564 f97e00 ${v}`],
        ["half a float", "a1 63 6c6564 f945"],
        ["a text cut short", "a1 66 726f75746572 65 61"],
        ["a text without an end", "a1 66 726f75746572 7f 61"],
        ["nothing", "a0"],
    ] as const)
        assert.equal(await mote.configure(sealedPlaintext(mote, hex(plaintext))), "malformed", what)
    const key = hex(`a2 62 fffe 05 ${v}`)
    assert.equal(await mote.configure(sealedPlaintext(mote, key)), "unknown-setting 0")
    const text = hex(`a2 66 726f75746572 62 fffe ${v}`)
    assert.equal(await mote.configure(sealedPlaintext(mote, text)), "not-a-router")
    assert.equal(await mote.configure(sealedMap(mote, { version: ++version })), "applied")
})

/** A value of the other setting that is consistent with this one, if it is in range at all. */
function partner(name: string, value: number): Record<string, number> {
    const beside: Record<string, Record<string, number>> = {
        hrLow: { hrHigh: 250 },
        hrHigh: { hrLow: 20 },
        tempLow: { tempHigh: 45 },
        tempHigh: { tempLow: 25 },
        sample: { report: 600 },
        report: { sample: 2 },
    }
    return { ...beside[name], [name]: value }
}

test("the mote accepts exactly what the host accepts", async () => {
    const mote = await one
    const value = (f: ConfigField) =>
        fc.constantFrom(f.min - f.step, f.min, f.min + f.step, f.default, f.max - f.step, f.max, f.max + f.step)
    const fields = configFields.map(field => [field.name, value(field)] as const)
    const maps = fc.record(Object.fromEntries(fields), { requiredKeys: [] })
    const property = fc.asyncProperty(maps, async values => {
        fc.pre(Object.values(values).every(value => value! >= 0))
        const ours = { ...values }
        for (const name of ["tempLow", "tempHigh"]) if (name in ours) ours[name] = Math.round(ours[name]! * 32) / 32
        const refused = (part: Record<string, unknown>) => {
            try {
                return (checkConfig(part), [])
            } catch (error) {
                return [Object.values((error as ConfigError).refusal).join(" ")]
            }
        }
        // If several are out of range, the implementations may name different ones; inconsistent settings come after
        // those.
        const alone = Object.entries(values).flatMap(([name, v]) => refused(partner(name, v!)))
        const names = alone.length > 0 ? alone : refused(values)
        const said = await mote.configure(sealedMap(mote, { ...ours, version: ++version }))
        if (names.length > 0) assert.ok(names.includes(said!), `${said}, ${names.join()}`)
        else assert.equal(said, "applied")
    })
    await fc.assert(property, { numRuns: runs(150) })
})

test("older and equal versions are refused; the configuration in force is accepted again", async () => {
    const mote = await ConfigMote.start()
    const [five, six, seven] = [5, 6, 7].map(version => sealed(mote, version, { led: version }))
    assert.equal(await mote.configure(six!), "applied")
    await mote.note()
    assert.equal(await mote.configure(six!), "applied", "delivered twice")
    assert.equal(await mote.note(), undefined, "nothing new to say")
    assert.equal(await mote.configure(five!), "version-old 6")
    assert.equal(await mote.note(), undefined, "whoever replays does not make it talk")
    const wrong = sealedMap(mote, { led: 99, version: 8 })
    assert.equal(await mote.configure(wrong), "out-of-range led 1 50")
    assert.equal(await mote.configure(seven!), "version-old 8", "a refused version counts, too")
    await mote.restart()
    assert.equal(await mote.configure(seven!), "version-old 8", "after a restart as well")
    assert.equal(await mote.configure(six!), "applied", "still in force")
    const note = { version: 6, refused: 8, reason: "out-of-range led 1 50" }
    await mote.note()
    assert.equal(await mote.configure(wrong), "out-of-range led 1 50")
    assert.deepEqual(await mote.note(), note, "whoever missed it hears it again")
    assert.equal(await mote.configure(wrong), "out-of-range led 1 50")
    assert.equal(await mote.note(), undefined, "once in a start")
    assert.equal((await mote.config())["led"], 6)
})

test("what is not sealed for this mote and this purpose is not authentic", async () => {
    const mote = await ConfigMote.start()
    const stranger = await one
    const { kid, downEnc, downMac, upEnc, upMac, receipt } = mote.keys
    const plaintext = encodeConfig({ led: 3 }, 9)
    const unique = randomBytes(12)
    const nonce = Buffer.concat([Uint8Array.of(0x23), unique])
    const as = (purpose: SealedPurpose, enc = downEnc, mac = downMac, id = kid) =>
        seal(purpose, unique, plaintext, { kid: id, enc, mac })
    const altered = Uint8Array.from(as("config"))
    altered[40]! ^= 1
    const [header, payload] = [altered.subarray(3, 16), altered.subarray(19, -9)]
    for (const [what, bytes] of Object.entries({
        "as a command": as("command"),
        "altered under the right MAC": encodeMac0(header, payload, new Uint8Array(0), downMac),
        "as vitals": as("vitals"),
        "with the keys of the way up": as("config", upEnc, upMac),
        "with the router's key": as("config", downEnc, receipt),
        "for another kid": as("config", downEnc, downMac, stranger.keys.kid),
        "another mote's": sealed(stranger, 9),
        "a receipt": makeReceipt({ now: 1e12, config: 9 }, nonce, receipt),
        "a receipt under the key of configurations": makeReceipt({ now: 1e12, config: 9 }, nonce, downMac),
        "an envelope of its own": sealEnvelope({
            kid,
            upEnc,
            upMac,
            purpose: "vitals",
            boot: 1,
            salt: randomBytes(5),
            seq: 0,
            plaintext,
        }),
        "a command": makeCommand("identify", 9, mote.keys, randomBytes),
        nothing: new Uint8Array(0),
        "a text": Buffer.from("led=3"),
        "too long": sealedPlaintext(mote, Buffer.alloc(300)),
    }))
        assert.equal(await mote.configure(bytes), "not-authentic", what)
    assert.equal(await mote.configure(sealedPlaintext(mote, Buffer.alloc(230))), "malformed")
    assert.deepEqual(await mote.config(), { version: 0, ...defaultConfig })
    assert.equal(await mote.identify(sealed(mote, 9)), "not-authentic")
    assert.equal(await mote.identify(as("config")), "not-authentic")
    assert.equal(await mote.configure(as("config")), "applied", "the keys are right")
})

test("a flipped bit anywhere, a byte missing or added: not authentic", async () => {
    const mote = await one
    const bytes = sealed(mote, ++version, { router: "mqtt://elsewhere.invalid", hrLow: 21 })
    const before = await mote.config()
    for (let bit = 0; bit < bytes.length * 8; bit += 1 + (bit % 3))
        assert.equal(await mote.configure(flipBit(bytes, bit)), "not-authentic", `bit ${bit}`)
    for (let length = 0; length < bytes.length; length += 3)
        assert.equal(await mote.configure(bytes.subarray(0, length)), "not-authentic")
    assert.equal(await mote.configure(Buffer.concat([bytes, Buffer.alloc(1)])), "not-authentic")
    assert.deepEqual(await mote.config(), before)
})

test("no bytes stop the mote, with a right MAC around them or not", async () => {
    const mote = await one
    const good = sealed(mote, version, { hrLow: 50, router: "mqtt://b" })
    const cut = fc.nat(good.length)
    const spliced = fc
        .tuple(cut, cut, fc.uint8Array({ maxLength: 60 }))
        .map(([a, b, bytes]) => Buffer.concat([good.subarray(0, a), bytes, good.subarray(b)]))
    const garbage = fc.oneof(fc.uint8Array({ maxLength: 500 }), spliced)
    // Bytes that are nearly CBOR reach deeper than random ones.
    const piece = fc.oneof(
        fc.constantFrom(...Object.keys(defaultConfig), "version", "length").map(encode),
        fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.string(), fc.double()).map(encode),
        fc.uint8Array({ maxLength: 3 }),
    )
    const plaintext = fc
        .tuple(fc.nat(15), fc.array(piece, { maxLength: 12 }))
        .map(([pairs, pieces]) => Buffer.concat([Uint8Array.of(0xa0 | pairs), ...pieces]).subarray(0, 250))
    await fc.assert(
        fc.asyncProperty(garbage, async bytes => {
            fc.pre(!Buffer.from(good).equals(bytes))
            assert.equal(await mote.configure(bytes), "not-authentic")
        }),
        { numRuns: runs(200) },
    )
    await fc.assert(
        fc.asyncProperty(plaintext, async bytes => {
            const said = await mote.configure(sealedPlaintext(mote, bytes))
            assert.ok(said, "an answer")
            await mote.note()
        }),
        { numRuns: runs(300) },
    )
    assert.deepEqual(mote.panics, [])
})

test("a command is executed once; commands have separate versions", async () => {
    const mote = await ConfigMote.start()
    const command = (version: number, name: "identify" | "clear" = "identify") =>
        makeCommand(name, version, mote.keys, randomBytes)
    const second = command(2)
    assert.equal(await mote.configure(sealed(mote, 9)), "applied")
    assert.equal(await mote.identify(command(3, "clear")), "other-command")
    assert.equal(await mote.identify(second), "done")
    assert.equal(await mote.identify(second), "version-old 2")
    assert.equal(await mote.identify(command(1)), "version-old 2")
    await mote.restart()
    assert.equal(await mote.identify(second), "version-old 2", "after a restart, too")
    assert.equal(await mote.identify(command(3)), "done")
    assert.equal(await mote.configure(sealed(mote, 10)), "applied")
})

test("a new identity starts without anything of the former one", async () => {
    const mote = await ConfigMote.start()
    assert.equal(await mote.configure(sealed(mote, 50, { hrHigh: 99 })), "applied")
    assert.equal(await mote.configure(sealed(mote, 51, { router: "mqtt://b" })), "applied")
    assert.equal(await mote.identify(makeCommand("identify", 9, mote.keys, randomBytes)), "done")
    for (const changed of ["kid", "secret"] as const) {
        mote[changed] = randomBytes(mote[changed].length)
        await mote.restart()
        assert.deepEqual(await mote.config(), { version: 0, ...defaultConfig })
        assert.deepEqual(await mote.note(), { version: 0 }, "nor is anything taken back")
        assert.equal(await mote.configure(sealed(mote, 1, { led: 9 })), "applied")
        assert.equal(await mote.identify(makeCommand("identify", 1, mote.keys, randomBytes)), "done")
        await mote.restart()
        assert.equal((await mote.config())["led"], 9)
    }
})
