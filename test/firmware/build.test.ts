import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware, mainPrograms } from "../../sim/firmware.ts"

/** What an RP2040 has room for is 108 KB; this is our own aim. */
const maxImageBytes = 48 * 1024

for (const entry of await mainPrograms())
    test(`${entry} builds into a small image`, async () => {
        const image = await buildFirmware(entry)
        assert.ok(image.length < maxImageBytes, `${image.length} bytes`)
    })
