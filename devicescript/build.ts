import { execFile, fork } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { cp, link, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { UserError } from "../host/errors.ts"

/** The project's root folder, with `devsconfig.json`. */
export const projectDir = fileURLToPath(new URL("..", import.meta.url))

/** The firmware's programs: `src/main.ts` for the simulator, and `src/main-BOARD.ts` for each board. */
export async function mainPrograms(): Promise<string[]> {
    const files = await readdir(join(projectDir, "src"))
    return files.filter(file => /^main(-[\w-]+)?\.ts$/.test(file)).map(file => `src/${file}`)
}

const lockRetryMs = 100
/** Build timeout; a build usually takes a few seconds. */
const buildMs = 120_000

/**
 * Compiles a DeviceScript program, such as `src/main.ts`, if its sources have changed since the last build.
 * @returns the program image for flashing
 * @throws UserError with the compiler's messages if the program has errors
 */
export function buildFirmware(entry = "src/main.ts"): Promise<Uint8Array> {
    return build(entry, compile)
}

/** What the compiler says about an image, of its `bytecode-dbg.json`. */
export interface DebugInfo {
    sources: { path: string; length: number }[]
    /** In the order of the image; the first one initialises all modules. `size` includes 16 bytes beside the code. */
    functions: { name: string; location: [position: number, length: number]; startpc: number; size: number }[]
    /** Triples of position, length and place of the code, the first and the last as differences. */
    srcmap: number[]
}

/** Compiles a program like `buildFirmware`, and says which source has led to what. */
export async function buildForReading(entry: string): Promise<{ image: Uint8Array; debug: DebugInfo }> {
    const image = await buildFirmware(entry)
    const file = join(projectDir, outDirOf(entry), "bytecode-dbg.json")
    return { image, debug: JSON.parse(await readFile(file, "utf8")) as DebugInfo }
}

/**
 * Compiles many programs in one process, which takes a third of the time.
 * @throws UserError with the compiler's messages for the first program with errors
 */
export async function buildAll(entries: string[]): Promise<void> {
    const compiler = new Compiler()
    try {
        for (const entry of entries) await build(entry, entry => compiler.compile(entry))
    } finally {
        compiler.close()
    }
}

/**
 * Leaves the image in `.devicescript/bin`, because the compiler has no working option for another folder (its --out-dir
 * takes no argument).
 */
type Compile = (entry: string) => Promise<void>

async function build(entry: string, compile: Compile): Promise<Uint8Array> {
    const outDir = outDirOf(entry)
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

function outDirOf(entry: string): string {
    return join(".build", entry.replace(/\.ts$/, "").replaceAll("/", "-"))
}

/** Hash of everything that determines an image: sources, services, boards, settings, compiler. */
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

/** Runs `devs build` in its own process. */
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

/** Runs `devs build` repeatedly in one process. */
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

/**
 * Serialises builds: the compiler writes its libraries into node_modules, so concurrent builds would disturb each
 * other.
 */
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

/** Locks held by this process. */
const held = new Set<string>()

/** Whether the lock is stale: its owner was killed, or its process id now belongs to another process. */
async function isLeftOver(lock: string): Promise<boolean> {
    const file = await stat(lock).catch(() => undefined)
    if (!file) return false // just released
    const owner = Number(await readFile(lock, "utf8").catch(() => NaN))
    if (!(owner > 0) || Date.now() - file.mtimeMs > buildMs) return true
    return owner === process.pid ? !held.has(lock) : !isRunning(owner)
}

/** Creates the file with our process id atomically. False if it already exists. */
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
