import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware } from "../../sim/firmware.ts"

/** What an RP2040 has room for is 108 KB; this is our own aim. */
const maxImageBytes = 48 * 1024

for (const entry of ["src/main.ts", "src/main-picow.ts", "src/main-esp32c3.ts"])
    test(`${entry} builds into a small image`, async () => {
        const image = await buildFirmware(entry)
        assert.ok(image.length < maxImageBytes, `${image.length} bytes`)
    })

test("the images for boards say where the I2C bus is and how fast it runs", async () => {
    for (const entry of ["src/main-picow.ts", "src/main-esp32c3.ts"]) {
        const image = Buffer.from(await buildFirmware(entry))
        assert.equal(unsignedSetting(image, "i2c.kHz"), 400)
        assert.ok(image.includes("i2c.pinSDA") && image.includes("i2c.pinSCL"))
    }
})

/** The value in an entry of the device configuration: 16 bytes of key, 4 of hash and type, 4 of value. */
function unsignedSetting(image: Buffer, key: string): number {
    const at = image.indexOf(key.padEnd(16, "\0"))
    return image.readUInt32LE(at + 20)
}
