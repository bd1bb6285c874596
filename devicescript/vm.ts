import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { setFlagsFromString } from "node:v8"
import { Script } from "node:vm"
import { UserError } from "../host/errors.ts"

/** Node has it; its type declarations do not. */
declare const WebAssembly: {
    Module: new (bytes: Uint8Array) => object
    Instance: new (module: object, imports: object) => { exports: object }
}

/** The versions of `@devicescript/cli` whose bundle this loader knows; another may keep the VM elsewhere. */
const knownCliVersions = ["2.16.4"]

/** What the VM's JavaScript glue reaches the outside with; each machine gets its own. */
export interface VmWorld {
    /** Milliseconds since 1970; read at every step of a busy wait, so it must never stand still for ever. */
    now(): number
    setTimeout(fn: () => void, ms: number): number
    clearTimeout(timer: number): void
    randomBytes(size: number): Uint8Array
    log(line: string): void
}

/** The VM module of DeviceScript, as far as the simulator uses it. Pointers are offsets into `HEAPU8`. */
export interface VmModule {
    HEAPU8: Uint8Array
    _malloc(size: number): number
    _free(pointer: number): void
    _jd_em_tcpsock_on_event(event: number, pointer: number, size: number): void
    devsStart(): void
    devsStop(): void
    devsDeploy(image: Uint8Array): number
    devsSetDeviceId(id: string): void
    handlePacket(frame: Uint8Array): void
    sendPacket(frame: Uint8Array): void
    panicHandler(code: number): void
    flashLoad(): Uint8Array
    flashSave(contents: Uint8Array): void
    sockIsAvailable(): boolean
    sockOpen(hostPointer: number, port: number): number
    sockWrite(pointer: number, size: number): number
    sockClose(): number
    dmesg(line: string): void
    log(...args: unknown[]): void
    error(...args: unknown[]): void
}

type Glue = (options: object) => Promise<VmModule>

/** Creates one VM; all of them share the compiled WebAssembly. */
export type VmFactory = (world: VmWorld) => Promise<VmModule>

let loaded: VmFactory | undefined

/**
 * The DeviceScript VM out of the installed `@devicescript/cli`, loaded once a process. The CLI exports only its `main`,
 * so the one module is cut out of its bundle.
 * @throws UserError when the CLI is missing or of a version that this loader does not know
 */
export function loadVm(): VmFactory {
    loaded ??= factoryOf(bundleText())
    return loaded
}

function bundleText(): string {
    const require = createRequire(import.meta.url)
    let version: string
    let path: string
    try {
        const manifest = require.resolve("@devicescript/cli/package.json")
        version = (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version
        path = manifest.replace(/package\.json$/, "built/devicescript-cli.cjs")
    } catch {
        throw new UserError("@devicescript/cli is not installed: run npm ci")
    }
    checkCliVersion(version)
    return vmModuleText(readFileSync(path, "utf8"))
}

/** @throws UserError unless the simulator knows this version of the CLI. */
export function checkCliVersion(version: string): void {
    if (!knownCliVersions.includes(version))
        throw new UserError(
            `@devicescript/cli ${version} is not supported: the simulator knows ${knownCliVersions.join(", ")}`,
        )
}

/**
 * The body of the bundled module `runtime/devicescript-vm/built/devicescript-vm.js`.
 * @throws UserError when the bundle is not laid out as known
 */
export function vmModuleText(bundle: string): string {
    const head = '"runtime/devicescript-vm/built/devicescript-vm.js"(exports, module2) {'
    const start = bundle.indexOf(head)
    const end = bundle.indexOf("\n  }\n});", start)
    if (start < 0 || end < 0) throw new UserError("@devicescript/cli has no VM where the simulator expects it")
    return bundle.slice(start + head.length, end)
}

function factoryOf(moduleText: string): VmFactory {
    const wasm = /data:application\/octet-stream;base64,([A-Za-z0-9+/=]+)/.exec(moduleText)?.[1]
    if (!wasm) throw new UserError("@devicescript/cli has no WebAssembly where the simulator expects it")
    // A fifth less time: an instruction of the firmware is a chain of small functions, which V8 11 leaves apart unless asked.
    // Later ones need not be asked, and complain of a flag that they do not know.
    if (process.versions.v8.startsWith("11.")) setFlagsFromString("--experimental-wasm-inlining")
    const compiled = new WebAssembly.Module(Buffer.from(wasm, "base64"))
    const script = new Script(
        "(function (exports, module2, require, process, console, Date, setTimeout, setInterval, clearInterval, __filename, __dirname) {" +
            moduleText.replace(wasm, "") +
            "\n})",
        { filename: "devicescript-vm.js" },
    )
    const run = script.runInThisContext() as (...args: unknown[]) => void
    return async world => {
        const module2: { exports: Glue } = { exports: undefined as unknown as Glue }
        const consoleOf = (level: string) => (line: unknown) => world.log(`${level}: ${String(line)}`)
        run(
            {},
            module2,
            (name: string) => hostModule(name, world),
            { versions: process.versions, release: process.release, argv: [], on: () => {} },
            {
                debug: consoleOf("debug"),
                log: consoleOf("log"),
                warn: consoleOf("warn"),
                error: consoleOf("error"),
            },
            { now: () => world.now() },
            (fn: () => void, ms: number) => world.setTimeout(fn, ms),
            undefined, // the glue would only watch its own loading with it
            (timer: number) => world.clearTimeout(timer),
            "devicescript-vm.js",
            "/",
        )
        return module2.exports({
            instantiateWasm: (imports: object, receive: (instance: { exports: object }) => void) => {
                const instance = new WebAssembly.Instance(compiled, imports)
                receive(instance)
                return instance.exports
            },
        })
    }
}

/** All that the glue may `require`; sockets are not among it, the machine brings its own. */
function hostModule(name: string, world: VmWorld): unknown {
    if (name === "crypto") return { randomBytes: (size: number) => world.randomBytes(size) }
    if (name === "path") return { dirname: () => "/", normalize: (path: string) => path }
    return {}
}
