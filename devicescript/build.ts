import { execFile, fork } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { cp, link, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { UserError } from "../host/errors.ts"

/** The top of the project, where `devsconfig.json` is. */
export const projectDir = fileURLToPath(new URL("..", import.meta.url))

/** The firmware's programs: `src/main.ts` for the simulator and one for each board, `src/main-BOARD.ts`. */
export async function mainPrograms(): Promise<string[]> {
    const files = await readdir(join(projectDir, "src"))
    return files.filter(file => /^main(-[\w-]+)?\.ts$/.test(file)).map(file => `src/${file}`)
}

const lockRetryMs = 100
/** No build takes that long: a few seconds are usual. */
const buildMs = 120_000

/**
 * Compiles a DeviceScript program, such as `src/main.ts`, unless that was done since its sources changed.
 * @returns the program image, as it gets flashed
 * @throws UserError with the compiler's messages when the program is wrong
 */
export function buildFirmware(entry = "src/main.ts"): Promise<Uint8Array> {
    return build(entry, compile)
}

/**
 * Compiles many programs in one process, which takes a third of the time.
 * @throws UserError with the compiler's messages for the first program that is wrong
 */
export async function buildAll(entries: string[]): Promise<void> {
    const compiler = new Compiler()
    try {
        for (const entry of entries) await build(entry, entry => compiler.compile(entry))
    } finally {
        compiler.close()
    }
}

/** Leaves the image in `.devicescript/bin`; the compiler knows no other place (its --out-dir takes no argument). */
type Compile = (entry: string) => Promise<void>

async function build(entry: string, compile: Compile): Promise<Uint8Array> {
    const outDir = join(".build", entry.replace(/\.ts$/, "").replaceAll("/", "-"))
    const stamp = join(projectDir, outDir, "sources.sha256")
    const image = join(projectDir, outDir, "bytecode.devs")
    const digest = await sourcesDigest(entry)
    const isBuilt = async () => existsSync(image) && (await readFile(stamp, "utf8").catch(() => "")) === digest
    if (!(await isBuilt()))
        await withLock(join(projectDir, ".build", "lock"), async () => {
            if (await isBuilt()) return
            await compile(entry)
            await cp(join(projectDir, ".devicescript/bin"), join(projectDir, outDir), { recursive: true })
            await writeFile(stamp, digest)
        })
    return new Uint8Array(await readFile(image))
}

/** Everything that goes into an image: the sources, the services, the boards, the settings, the compiler. */
async function sourcesDigest(entry: string): Promise<string> {
    const hash = createHash("sha256")
    const folders = ["src", "services", "boards", entry.slice(0, entry.lastIndexOf("/"))]
    for (const folder of new Set(folders)) {
        const files = await readdir(join(projectDir, folder), { recursive: true })
        for (const file of files.sort())
            if (/\.(ts|md|json)$/.test(file))
                hash.update(`${folder}/${file}\0`).update(await readFile(join(projectDir, folder, file)))
    }
    for (const file of ["package.json", ".env.defaults", ".env.local"])
        hash.update(await readFile(join(projectDir, file)).catch(() => ""))
    return hash.digest("hex")
}

/** `devs build` in a process of its own. */
async function compile(entry: string): Promise<void> {
    const require = createRequire(import.meta.url)
    const cli = require.resolve("@devicescript/cli/package.json").replace(/package\.json$/, "devicescript")
    await new Promise<void>((resolve, reject) => {
        const args = [cli, "--ci", "--no-colors", "build", entry]
        execFile(process.execPath, args, { cwd: projectDir }, (error, stdout, stderr) => {
            if (error) reject(compilerError(entry, `${stdout}\n${stderr}`, error.message))
            else resolve()
        })
    })
}

function compilerError(entry: string, output: string, otherwise: string): UserError {
    const messages = output.split("\n").filter(line => /error|warning|TS\d|exception/i.test(line))
    return new UserError(`devs build ${entry}: ${messages.join("; ") || otherwise}`)
}

/** `devs build` again and again in one process. */
class Compiler {
    private readonly child = fork(join(projectDir, "devicescript/compiler.mjs"), { cwd: projectDir, silent: true })
    private output = ""

    constructor() {
        for (const stream of [this.child.stdout!, this.child.stderr!])
            stream.on("data", text => (this.output += String(text)))
    }

    async compile(entry: string): Promise<void> {
        this.output = ""
        const ended = new AbortController()
        const { signal } = ended
        const done = once(this.child, "message", { signal }).then(() => undefined)
        const gone = once(this.child, "close", { signal }).then(() => {
            throw compilerError(entry, this.output, "the compiler ended")
        })
        gone.catch(() => {})
        done.catch(() => {})
        this.child.send(entry)
        await Promise.race([done, gone]).finally(() => ended.abort())
    }

    close(): void {
        this.child.kill()
    }
}

/** The compiler writes its libraries into node_modules, so two of them at once would disturb each other. */
async function withLock(lock: string, work: () => Promise<void>): Promise<void> {
    await mkdir(dirname(lock), { recursive: true })
    while (!(await take(lock))) {
        if (await isLeftOver(lock)) await rm(lock, { recursive: true, force: true })
        await new Promise(resolve => setTimeout(resolve, lockRetryMs))
    }
    held.add(lock)
    try {
        await work()
    } finally {
        held.delete(lock)
        await rm(lock, { force: true })
    }
}

/** Locks of this process. */
const held = new Set<string>()

/** Whether nobody builds any more behind that lock: killed meanwhile, or its number went to another process. */
async function isLeftOver(lock: string): Promise<boolean> {
    const file = await stat(lock).catch(() => undefined)
    if (!file) return false // given back just now
    const owner = Number(await readFile(lock, "utf8").catch(() => NaN))
    if (!(owner > 0) || Date.now() - file.mtimeMs > buildMs) return true
    return owner === process.pid ? !held.has(lock) : !isRunning(owner)
}

/** Makes the file with our process id in it, in one step; false when it is there. */
async function take(lock: string): Promise<boolean> {
    const draft = `${lock}.${process.pid}.${lockDrafts++}`
    await writeFile(draft, String(process.pid))
    try {
        await link(draft, lock)
        return true
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
        throw error
    } finally {
        await rm(draft, { force: true })
    }
}

let lockDrafts = 0

function isRunning(pid: number): boolean {
    try {
        process.kill(pid, 0)
        return true
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM"
    }
}
