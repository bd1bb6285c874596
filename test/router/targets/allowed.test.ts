import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { UserError } from "../../../host/errors.ts"
import { AllowedTargets } from "../../../router/targets/allowed.ts"

test("addresses, networks, names and ports", () => {
    const allowed = new AllowedTargets("10.0.0.0/8, 192.0.2.7:61616,[fd00::]/8:5683-5690,sensor.ward.example")
    for (const [address, port, is] of [
        ["10.1.2.3", 5683, true],
        ["10.1.2.3", 5684, false],
        ["11.0.0.1", 5683, false],
        ["192.0.2.7", 61616, true],
        ["192.0.2.7", 5683, false],
        ["192.0.2.8", 61616, false],
        ["fd12::1", 5690, true],
        ["fd12::1", 5691, false],
        ["fe80::1", 5683, false],
        ["::ffff:10.1.2.3", 5683, false],
        ["::ffff:11.1.2.3", 5683, false],
        ["not an address", 5683, false],
    ] as const)
        assert.equal(allowed.has(address, port), is, `${address} ${port}`)
    assert.ok(allowed.has("198.51.100.1", 5683, "Sensor.ward.example"))
    assert.ok(!allowed.has("198.51.100.1", 5683, "other.ward.example"))
    assert.ok(!allowed.has("198.51.100.1", 5683))
    assert.ok(!new AllowedTargets("sensor.ward.example").mayAsk("other.example", 5683))
})

test("loopback, link-local and this host only where they are named; a group never", () => {
    const all = new AllowedTargets("0.0.0.0/0,[::]/0,sensor.example")
    const special = [
        "127.0.0.1",
        "::1",
        "169.254.1.1",
        "fe80::1",
        "0.0.0.0",
        "::",
        "::ffff:127.0.0.1",
        "255.255.255.255",
    ]
    for (const address of [...special, "224.0.1.187", "ff02::fd", "::ffff:224.0.1.187"]) {
        assert.ok(!all.has(address, 5683), address)
        assert.ok(!all.has(address, 5683, "sensor.example"), address)
    }
    assert.ok(all.has("198.51.100.1", 5683) && all.has("2001:db8::1", 5683))
    assert.ok(!new AllowedTargets("[::]/0").has("198.51.100.1", 5683))
    assert.ok(new AllowedTargets("127.0.0.0/8").has("127.0.0.2", 5683))
    assert.ok(new AllowedTargets("169.254.0.0/16").has("169.254.1.1", 5683))
    assert.ok(!new AllowedTargets("169.254.0.0/15").has("169.254.1.1", 5683))
    assert.ok(new AllowedTargets("[fe80::]/10").has("fe80::1", 5683))
    const localhost = new AllowedTargets("localhost")
    assert.ok(localhost.has("127.0.0.1", 5683, "localhost") && localhost.has("::1", 5683))
    assert.ok(!localhost.has("127.0.0.2", 5683, "localhost") && !localhost.has("192.0.2.1", 5683, "localhost"))
})

test("what is no list is refused, in a line that says how it looks", () => {
    for (const bad of [
        ...[
            "",
            "10.0.0.0/33",
            "10.0.0.0/8:0",
            "10.0.0.1:70000",
            "10.0.0.1:6-5",
            "fd00::1",
            "[fd00::1]/129",
            "[10.0.0.1]",
        ],
        ...["127.1", "a/8", "a b", "http://a", "224.0.1.187", "[ff02::fd]:5683", "10.0.0.1,", "1.2.3"],
        Array.from({ length: 65 }, (_, i) => `10.0.0.${i}`).join(","),
    ])
        assert.throws(() => new AllowedTargets(bad), UserError, bad)
    fc.assert(
        fc.property(fc.string(), text => {
            try {
                new AllowedTargets(text)
            } catch (error) {
                assert.ok(
                    error instanceof UserError && !error.message.includes("\n") === !text.slice(0, 80).includes("\n"),
                )
            }
        }),
    )
})

test("no wide network opens a special address", () => {
    const v4 = fc.ipV4()
    fc.assert(
        fc.property(v4, fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 0xffffff }), (base, bits, host) => {
            if (/^(22[4-9]|23\d)\./.test(base)) return
            const allowed = new AllowedTargets(`${base}/${bits}`)
            const address = `127.${host >> 16}.${(host >> 8) & 255}.${host & 255}`
            assert.ok(!allowed.has(address, 5683))
            assert.ok(!allowed.has(`::ffff:${address}`, 5683))
        }),
    )
})
