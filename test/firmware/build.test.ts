import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware, mainPrograms } from "../../sim/firmware.ts"

/** What an RP2040 has room for is 108 KB; these are our own aims. The simulator's program knows its sensors, too. */
const maxImageBytes = 68 * 1024
const maxSimulatorImageBytes = 70 * 1024

for (const entry of await mainPrograms())
    test(`${entry} builds into a small image`, async () => {
        const image = await buildFirmware(entry)
        const max = entry === "src/main.ts" ? maxSimulatorImageBytes : maxImageBytes
        assert.ok(image.length < max, `${image.length} bytes`)
    })
