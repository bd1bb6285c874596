import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import type { Tag } from "cbor2"
import fc from "fast-check"
import { decode, encode, WireError } from "../../wire/cbor.ts"
import { encodeConfig, makeCommand, makeConfig, maxConfigBytes, openCommand, openConfig } from "../../wire/config.ts"
import { checkConfig, ConfigError, formatConfigValue, parseConfigValue } from "../../wire/settings.ts"
import { configFields, defaultConfig, type ConfigField, type ConfigValues } from "../../wire/tables/settings.ts"
import { openEnvelope, parseEnvelope, parseSealed, seal, verifyEnvelope } from "../../wire/envelope.ts"
import { encodeMac0 } from "../../wire/cose.ts"
import { commandNames, deriveKeys } from "../../wire/keys.ts"
import { makeReceipt } from "../../wire/receipt.ts"
import { flipBit, moteKeys } from "./arbitrary.ts"

const keys = deriveKeys(randomBytes(32), randomBytes(8))

/** All fields on their steps, so that they fit together. */
const values: fc.Arbitrary<Partial<ConfigValues>> = fc
    .record(
        {
            ...(Object.fromEntries(configFields.map(field => [field.name, onStep(field)])) as Record<
                keyof ConfigValues,
                fc.Arbitrary<number>
            >),
            router: fc.constantFrom(
                "",
                "coap+tcp://router",
                "coaps+tcp://[fe80::1]:1",
                "mqtt://10.0.0.1:65535",
                "mqtts://a-b.example/",
            ),
        },
        { requiredKeys: [] },
    )
    .map(values => ({ ...values }))
    .filter(fits)

function onStep({ min, max, step }: ConfigField): fc.Arbitrary<number> {
    const scale = Math.round(1 / Math.min(step, 1))
    const stride = Math.max(1, step)
    const steps = Math.round(((max - min) * scale) / stride)
    return fc.nat(steps).map(n => (min * scale + n * stride) / scale)
}

function fits(values: Partial<ConfigValues>): boolean {
    const v = { ...defaultConfig, ...values }
    return v.report >= v.sample && v.hrLow < v.hrHigh && v.tempLow < v.tempHigh
}

const version = fc.integer({ min: 1, max: 2 ** 32 - 1 })

test("what is sealed is what is opened, to the tenth of a degree", () => {
    fc.assert(
        fc.property(values, version, moteKeys, (values, version, keys) => {
            const sealed = makeConfig(values, version, keys, randomBytes)
            assert.deepEqual(openConfig(sealed, keys), { version, values })
            const other = { ...keys, downMac: keys.downEnc }
            assert.throws(() => openConfig(sealed, other), WireError)
        }),
    )
})

test("every tenth of a degree has a binary16 of its own", () => {
    for (let tenths = 300; tenths <= 420; tenths++) {
        const tempLow = Math.min(tenths, 300) / 10
        const sealed = makeConfig({ tempLow: tempLow - 1, tempHigh: tenths / 10 }, 1, keys, randomBytes)
        assert.equal(openConfig(sealed, keys).values.tempHigh, tenths / 10)
    }
})

test("a configuration has the structure that COSE gives it, checked with a CBOR library", () => {
    const unique = randomBytes(12)
    const bytes = makeConfig({ led: 5, tempHigh: 38.3, router: "mqtt://b" }, 7, keys, size => {
        assert.equal(size, 12)
        return unique
    })
    const mac0 = decode(bytes) as Tag
    const [, , payload] = mac0.contents as Uint8Array[]
    assert.equal(mac0.tag, 17)
    assert.deepEqual(Buffer.from(payload!).subarray(0, 13), Buffer.concat([Uint8Array.of(0x23), unique]))
    const plaintext = openEnvelope(parseSealed(bytes), keys.downEnc)
    const map = new Map<string, unknown>([
        ["led", 5],
        ["router", "mqtt://b"],
        ["version", 7],
        ["tempHigh", 38.3125],
    ])
    assert.deepEqual(decode(plaintext), map)
    assert.deepEqual([...encodeConfig({ router: "mqtt://b", tempHigh: 38.3, led: 5 }, 7)], [...plaintext])
})

test("even the largest is small enough for a mote", () => {
    const router = "coaps+tcp://" + "a".repeat(46) + ":65535"
    const largest = {
        ...defaultConfig,
        router,
        sample: 300,
        report: 599,
        delay: 599,
        led: 49,
        every: 3599,
        trial: 3599,
        tempLow: 35.1,
        tempHigh: 38.1,
    }
    const plaintext = encodeConfig(largest, 2 ** 32 - 1)
    assert.ok(plaintext.length <= maxConfigBytes)
    assert.ok(maxConfigBytes - plaintext.length < 16, "and the bound is not idle")
})

for (const [refusal, values] of [
    [{ code: "malformed" }, null],
    [{ code: "malformed" }, [1]],
    [{ code: "malformed" }, "led=5"],
    [{ code: "unknown-setting", setting: "wifi" }, { wifi: 1 }],
    [{ code: "unknown-setting", setting: "?" }, { "a\nb": 1 }],
    [{ code: "unknown-setting", setting: "version" }, { version: 1 }],
    [{ code: "unknown-setting", setting: "toString" }, { toString: 1 }],
    ...[0, 51, 2.5, "5", NaN, null].map(
        led => [{ code: "out-of-range", setting: "led", min: 1, max: 50 }, { led }] as const,
    ),
    [{ code: "out-of-range", setting: "sample", min: 2, max: 600 }, { sample: 3 }],
    [{ code: "out-of-range", setting: "tempHigh", min: 30, max: 45 }, { tempHigh: 38.25 }],
    [{ code: "out-of-range", setting: "power", min: 0, max: 2 }, { power: 3 }],
    [{ code: "conflict", setting: "report", other: "sample" }, { sample: 12 }],
    [{ code: "conflict", setting: "hrLow", other: "hrHigh" }, { hrLow: 130 }],
    [{ code: "conflict", setting: "tempLow", other: "tempHigh" }, { tempLow: 38.5 }],
] as const)
    test(`refused: ${JSON.stringify(values)}`, () => {
        assert.throws(() => checkConfig(values), { constructor: ConfigError, refusal })
        assert.throws(() => makeConfig(values as never, 1, keys, randomBytes), ConfigError)
    })

for (const router of [
    "router",
    "http://a",
    "coap://a",
    "mqtt://",
    "mqtt://a:0",
    "mqtt://a:65536",
    "mqtt://a:b",
    "mqtt://a/b",
    "mqtt://user@a",
    "mqtt://a b",
    "mqtt://[::1",
    "MQTT://a",
    "mqtt://a\n",
    "mqtt://" + "a".repeat(58),
    5,
])
    test(`refused as a router: ${JSON.stringify(router)}`, () => {
        assert.throws(() => checkConfig({ router }), { refusal: { code: "not-a-router" } })
    })

test("versions are 1 to 2^32 - 1", () => {
    for (const version of [0, -1, 1.5, 2 ** 32, NaN, "1"])
        assert.throws(() => makeConfig({}, version as number, keys, randomBytes), ConfigError)
})

test("what is absent or undefined stays absent", () => {
    assert.deepEqual(checkConfig({ led: undefined, hrLow: 50 }), { hrLow: 50 })
    assert.deepEqual(openConfig(makeConfig({}, 1, keys, randomBytes), keys).values, {})
})

test("what people type becomes a value, and a value what people read", () => {
    assert.equal(parseConfigValue("power", "interval"), 1)
    assert.equal(parseConfigValue("power", "2"), 2)
    assert.equal(parseConfigValue("tempHigh", "38.3"), 38.3)
    assert.equal(parseConfigValue("router", "mqtt://b"), "mqtt://b")
    for (const text of ["", "1e1", "0x5", " 5", "-5", "5.", "interval", "99"])
        assert.throws(() => parseConfigValue("led", text), { message: "led: 1 to 50 mA" })
    assert.throws(() => parseConfigValue("x", "1"), { message: "unknown setting x" })
    assert.equal(formatConfigValue("power", 1), "interval")
    assert.equal(formatConfigValue("tempHigh", 38.3), "38.3")
    assert.equal(formatConfigValue("router", ""), "")
})

test("defaults are a configuration, and are what the table says", () => {
    assert.deepEqual(checkConfig(defaultConfig), defaultConfig)
    for (const { name, min, max, step, default: value } of configFields as readonly ConfigField[]) {
        assert.equal(parseConfigValue(name, String(min)), min)
        assert.equal(parseConfigValue(name, String(max)), max)
        assert.throws(() => parseConfigValue(name, String(max + step)))
        assert.ok(value >= min && value <= max)
    }
})

test("a command opens as what it was sealed", () => {
    fc.assert(
        fc.property(fc.constantFrom(...commandNames), version, moteKeys, (name, version, keys) => {
            const sealed = makeCommand(name, version, keys, randomBytes)
            assert.deepEqual(openCommand(sealed, keys), { version, command: name })
        }),
    )
})

test("one purpose is never another", () => {
    const config = makeConfig({ led: 5 }, 7, keys, randomBytes)
    const command = makeCommand("clear", 7, keys, randomBytes)
    const receipt = makeReceipt({ now: 1, config: 7 }, randomBytes(13), keys.downMac)
    assert.throws(() => openCommand(config, keys), WireError)
    assert.throws(() => openConfig(command, keys), WireError)
    assert.throws(() => openConfig(receipt, keys), WireError)
    for (const bytes of [config, command]) {
        assert.throws(() => parseEnvelope(bytes), WireError, "from a mote")
        assert.ok(!verifyEnvelope(parseSealed(bytes), "vitals", keys.downMac))
    }
    const other = { ...keys, kid: randomBytes(8) }
    assert.throws(() => openConfig(config, other), { message: "for another mote" })
})

test("one flipped bit anywhere is refused, under the right MAC, too", () => {
    const bytes = makeConfig({ led: 5 }, 7, keys, randomBytes)
    for (let bit = 0; bit < bytes.length * 8; bit++)
        assert.throws(() => openConfig(flipBit(bytes, bit), keys), WireError)
    const { protectedHeader, payload } = parseSealed(bytes)
    for (let bit = 0; bit < payload.length * 8; bit++) {
        const altered = encodeMac0(protectedHeader, flipBit(payload, bit), new Uint8Array(0), keys.downMac)
        assert.throws(() => openConfig(altered, keys), WireError)
        assert.throws(() => openCommand(altered, keys), WireError)
    }
})

for (const [what, plaintext] of [
    ["no map", encode([1])],
    ["a number as key", encode(new Map([[1, 2]]))],
    ["no version", encode(new Map([["led", 5]]))],
    [
        "a setting out of range",
        encode(
            new Map([
                ["led", 99],
                ["version", 1],
            ]),
        ),
    ],
    [
        "an unknown setting",
        encode(
            new Map([
                ["wifi", 9],
                ["version", 1],
            ]),
        ),
    ],
    ["keys out of order", Buffer.from("a26776657273696f6e01636c656405", "hex")],
    ["nothing", new Uint8Array(0)],
] as const)
    test(`refuses ${what} even with a good MAC`, () => {
        for (const purpose of ["config", "command"] as const) {
            const down = { kid: keys.kid, enc: keys.downEnc, mac: keys.downMac }
            const bytes = seal(purpose, randomBytes(12), plaintext, down)
            const open = purpose === "config" ? openConfig : openCommand
            assert.throws(() => open(bytes, keys), WireError)
        }
    })
