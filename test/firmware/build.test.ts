import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware, mainPrograms } from "../../devicescript/build.ts"

/** An RP2040 has room for 108 KB; these are our own limits. The simulator's program includes its sensors. */
const maxImageBytes = 70 * 1024
const maxSimulatorImageBytes = 72 * 1024
/** The VM stores its position in the image in 16 bits (`devs_pc_t`), which the compiler does not check. */
const maxCodeEnd = 0x10000
/** Offset in an image of the size of its functions: `functions_data` of `devs_img_header_t`. */
const codeStartAt = 40
const codeLengthAt = 44

for (const entry of await mainPrograms())
    test(`${entry} builds into a small image`, async () => {
        const image = await buildFirmware(entry)
        const max = entry === "src/main.ts" ? maxSimulatorImageBytes : maxImageBytes
        assert.ok(image.length < max, `${image.length} bytes`)
        const header = new DataView(image.buffer, image.byteOffset)
        const codeBytes = header.getUint32(codeLengthAt, true)
        const codeEnd = header.getUint32(codeStartAt, true) + codeBytes
        assert.ok(codeBytes > image.length / 2 && codeEnd <= maxCodeEnd, `code to ${codeEnd}`)
    })
