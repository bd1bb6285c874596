import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"
import { buildFirmware, mainPrograms, projectDir } from "../../devicescript/build.ts"
import { temporaryFolder } from "../support/folder.ts"
import { pinSetting, setting } from "./device-config.ts"

/** I2C bus and status LED of a board definition; GPIO numbers as on the boards' pinouts. */
const wearables = {
    vitalmote_picow: { sda: 4, scl: 5, led: 25, runtime: "devicescript-rp2040w-pico_w.uf2" },
    vitalmote_xiao_esp32c3: {
        sda: 6,
        scl: 7,
        led: 10,
        runtime: "devicescript-esp32c3-esp32c3_bare-0x0.bin",
    },
    vitalmote_qtpy_esp32c3: {
        sda: 5,
        scl: 6,
        led: 2,
        runtime: "devicescript-esp32c3-esp32c3_bare-0x0.bin",
    },
}

/** An MLX90614 may be on the bus. */
const maxKHz = 100

test("each board has a definition and a program", async () => {
    const definitions = readdirSync(join(projectDir, "boards")).filter(f => f.endsWith(".json"))
    assert.deepEqual(
        definitions.sort(),
        Object.keys(wearables)
            .map(board => `${board}.board.json`)
            .sort(),
    )
    assert.deepEqual((await mainPrograms()).sort(), ["src/main.ts", ...Object.keys(wearables).map(program)].sort())
})

for (const [board, { sda, scl, led, runtime }] of Object.entries(wearables)) {
    test(`${board}: the program has the bus of the definition`, async () => {
        const image = await buildFirmware(program(board))
        assert.equal(setting(image, "i2c.kHz"), maxKHz)
        assert.equal(pinSetting(image, "i2c.pinSDA"), sda)
        assert.equal(pinSetting(image, "i2c.pinSCL"), scl)
    })

    test(`${board}: DeviceScript takes the definition and writes it into a runtime`, async t => {
        const folder = temporaryFolder(t)
        cpSync(join(projectDir, "boards"), join(folder, "boards"), { recursive: true })
        const cache = join(folder, ".devicescript/cache")
        mkdirSync(cache, { recursive: true })
        // Instead of the download; only the part with the board definition matters.
        writeFileSync(join(cache, runtime), runtime.endsWith(".uf2") ? emptyUF2() : emptyFlash())
        await flash(folder, board)

        const flashed = flashContents(readFileSync(join(cache, patched(runtime, board))))
        const { devName } = JSON.parse(readFileSync(join(projectDir, "boards", `${board}.board.json`), "utf8")) as {
            devName: string
        }
        assert.equal(setting(flashed, "devName"), devName)
        assert.equal(setting(flashed, "i2c.kHz"), maxKHz)
        assert.equal(pinSetting(flashed, "i2c.pinSDA"), sda)
        assert.equal(pinSetting(flashed, "i2c.pinSCL"), scl)
        assert.equal(pinSetting(flashed, "led.pin"), led)
    })
}

function program(board: string): string {
    return `src/${board.replace("vitalmote", "main").replaceAll("_", "-")}.ts`
}

/** `--remote` only prepares the file to flash. */
async function flash(folder: string, board: string): Promise<void> {
    const devs = join(projectDir, "node_modules/@devicescript/cli/devicescript")
    const args = [devs, "--ci", "--no-colors", "flash", "--board", board, "--remote"]
    await promisify(execFile)(process.execPath, args, { cwd: folder })
}

function patched(runtime: string, board: string): string {
    return runtime.replace(/pico_w|esp32c3_bare/, board)
}

const uf2BlockBytes = 512

/** A UF2 file that writes 256 bytes at the start of an RP2040's flash. */
function emptyUF2(): Buffer {
    const block = Buffer.alloc(uf2BlockBytes)
    const words = [0x0a324655, 0x9e5d5157, 0x2000, 0x10000000, 256, 0, 1, 0xe48bff56]
    words.forEach((word, i) => block.writeUInt32LE(word, 4 * i))
    block.writeUInt32LE(0x0ab16f30, uf2BlockBytes - 4)
    return block
}

function emptyFlash(): Buffer {
    return Buffer.alloc(128 * 1024, 0xff)
}

/** The flash content that a file writes, assembled from the UF2 blocks in order. */
function flashContents(file: Buffer): Buffer {
    if (file.readUInt32LE(0) !== 0x0a324655) return file
    const blocks: Buffer[] = []
    for (let at = 0; at < file.length; at += uf2BlockBytes)
        blocks.push(file.subarray(at + 32, at + 32 + file.readUInt32LE(at + 16)))
    return Buffer.concat(blocks)
}
