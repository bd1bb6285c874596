// Where the bytes of the program image are: `vitalmote bench mote --modules`.
import assert from "node:assert/strict"
import { test } from "node:test"
import { moduleSizes, totalOf } from "../../bench/modules.ts"
import { buildFirmware } from "../../devicescript/build.ts"

/** Bytes of a module that is not listed. */
const usual = 512
/** The largest ones today, with a margin: who adds more looks for bytes elsewhere first. */
const limits: Record<string, number> = {
    "<rest>": 680,
    "<services>": 960,
    "@devicescript/core": 1230,
    "src/alarms/alarms.ts": 2430,
    "src/alarms/slot.ts": 770,
    "src/cable/servers.ts": 2450,
    "src/coap/connection.ts": 2570,
    "src/coap/content.ts": 610,
    "src/coap/message.ts": 2140,
    "src/coap/packs.ts": 780,
    "src/coap/resources.ts": 1160,
    "src/config/downlink.ts": 2290,
    "src/config/plaintext.ts": 1200,
    "src/drivers/max30102.ts": 900,
    "src/drivers/mlx90614.ts": 640,
    "src/drivers/registers.ts": 890,
    "src/heart/autocorrelation.ts": 1940,
    "src/heart/beats.ts": 620,
    "src/heart/heartrate.ts": 1060,
    "src/heart/motion.ts": 2880,
    "src/heart/oxygen.ts": 1430,
    "src/heart/period.ts": 1100,
    "src/heart/pulse.ts": 890,
    "src/heart/tracker.ts": 2350,
    "src/heart/trust.ts": 3200,
    "src/link/cbor.ts": 2420,
    "src/link/clock.ts": 580,
    "src/link/endpoint.ts": 1010,
    "src/link/identity.ts": 740,
    "src/link/pack.ts": 1600,
    "src/link/queue.ts": 1280,
    "src/link/seal.ts": 1530,
    "src/link/socket.ts": 750,
    "src/link/summaries.ts": 1290,
    "src/main-picow.ts": 590,
    "src/mqtt/connection.ts": 2150,
    "src/mqtt/packet.ts": 1810,
    "src/platform/flash.ts": 580,
    "src/sensing/accelerometer.ts": 530,
    "src/sensing/led.ts": 660,
    "src/sensing/optical.ts": 1850,
    "src/sensing/power.ts": 530,
    "src/sensing/sensing.ts": 890,
    "src/sensing/temperature.ts": 810,
    "src/sensing/thermometer.ts": 770,
    "src/uplink/uplink.ts": 3910,
}

test("each module of the firmware keeps to its size", async () => {
    for (const [module, size] of await moduleSizes()) {
        const limit = limits[module] ?? usual
        assert.ok(totalOf(size) <= limit, `${module} takes ${totalOf(size)} bytes of the image instead of ${limit}`)
    }
})

test("no module is listed that the image does not have, or with far more than it needs", async () => {
    const sizes = await moduleSizes()
    for (const [module, limit] of Object.entries(limits)) {
        const size = sizes.get(module)
        assert.ok(size, `${module} is not in the image`)
        assert.ok(totalOf(size) > limit / 2, `${module} takes only ${totalOf(size)} bytes: lower its limit ${limit}`)
    }
})

test("the modules are the whole image, and what they name is known", async () => {
    const sizes = await moduleSizes()
    const total = [...sizes.values()].reduce((sum, size) => sum + totalOf(size), 0)
    assert.equal(total, (await buildFirmware("src/main-picow.ts")).length)
    const rest = sizes.get("<rest>")!
    assert.ok(rest.literals > 0 && rest.literals < 1500, String(rest.literals))
    assert.ok([...sizes.keys()].every(module => module !== "<compiler>"))
})
