import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { boards } from "../devicescript/boards.ts"
import { projectDir } from "../devicescript/build.ts"
import { UserError } from "../host/errors.ts"

/** What `devs flash` downloads for a Pico W, and where it keeps it. */
const runtimeName = "devicescript-rp2040w-pico_w.uf2"
const officialRuntime = join(projectDir, ".devicescript/cache", runtimeName)

/** @returns the runtime that is asked for, or the official one if `devs flash` has fetched it @throws UserError */
export async function readRuntime(file?: string): Promise<Uint8Array> {
    const path = file ?? officialRuntime
    if (existsSync(path)) return new Uint8Array(await readFile(path))
    if (file !== undefined) throw new UserError(`--runtime: there is no ${file}`)
    throw new UserError(
        "no runtime: run `npx devs flash --board vitalmote_picow --remote` once, which fetches it, or give --runtime FILE.uf2",
    )
}

/**
 * Lets `devs flash --remote` write a board's definition into a runtime, as before it is copied to a board.
 * @returns the UF2 file
 */
export async function withDefinition(runtime: Uint8Array, board: string): Promise<Uint8Array> {
    const { definition } = boards[board]!
    const json = await readFile(join(projectDir, "boards", `${definition}.board.json`))
    const digest = createHash("sha256").update(runtime).update(json).digest("hex").slice(0, 32)
    const known = join(projectDir, ".build/emulator", `${digest}.uf2`)
    if (existsSync(known)) return new Uint8Array(await readFile(known))
    const folder = await mkdtemp(join(tmpdir(), "vitalmote-"))
    try {
        await cp(join(projectDir, "boards"), join(folder, "boards"), { recursive: true })
        const cache = join(folder, ".devicescript/cache")
        await mkdir(cache, { recursive: true })
        await writeFile(join(cache, runtimeName), runtime)
        const cli = createRequire(import.meta.url).resolve("@devicescript/cli/package.json")
        const devs = cli.replace(/package\.json$/, "devicescript")
        const args = [devs, "--ci", "--no-colors", "flash", "--board", definition, "--remote"]
        await promisify(execFile)(process.execPath, args, { cwd: folder })
        const patched = await readFile(join(cache, runtimeName.replace("pico_w", definition)))
        await mkdir(join(projectDir, ".build/emulator"), { recursive: true })
        await writeFile(`${known}.${process.pid}`, patched)
        await rename(`${known}.${process.pid}`, known)
        return new Uint8Array(patched)
    } catch (error) {
        throw new UserError(
            `the runtime does not take the board's definition: ${(error as Error).message.split("\n")[0]}`,
        )
    } finally {
        await rm(folder, { recursive: true, force: true })
    }
}
