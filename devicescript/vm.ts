import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { setFlagsFromString } from "node:v8"
import { Script } from "node:vm"
import { UserError } from "../host/errors.ts"

/** Provided by Node, but missing in its type declarations. */
declare const WebAssembly: {
    Module: new (bytes: Uint8Array) => object
    Instance: new (module: object, imports: object) => { exports: object }
}

/** The supported versions of `@devicescript/cli`; others may store the VM elsewhere. */
const knownCliVersions = ["2.16.4"]

/** The host environment of the VM's JavaScript glue code, one per machine. */
export interface VmWorld {
    /** Unix ms. Read at every step of a busy wait, so it must keep advancing. */
    now(): number
    setTimeout(fn: () => void, ms: number): number
    clearTimeout(timer: number): void
    randomBytes(size: number): Uint8Array
    log(line: string): void
}

/** The part of the VM module that the simulator uses. Pointers are offsets into `HEAPU8`. */
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

/** Creates one VM; all VMs share the compiled WebAssembly. */
export type VmFactory = (world: VmWorld) => Promise<VmModule>

let loaded: VmFactory | undefined

/**
 * The DeviceScript VM from the installed `@devicescript/cli`, loaded once per process. The CLI exports only its `main`,
 * so the VM module is cut out of its bundle.
 * @throws UserError if the CLI is missing or its version is not supported
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

/** @throws UserError if this version of the CLI is not supported */
export function checkCliVersion(version: string): void {
    if (!knownCliVersions.includes(version))
        throw new UserError(
            `@devicescript/cli ${version} is not supported: the simulator knows ${knownCliVersions.join(", ")}`,
        )
}

/**
 * The text of the bundled module `runtime/devicescript-vm/built/devicescript-vm.js`.
 * @throws UserError if the bundle has another layout
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
    // Saves a fifth of the time: the VM runs each firmware instruction as a chain of small functions, which V8 11 does
    // not inline by default. Later versions inline them, and warn about an unknown flag.
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
            undefined, // the glue code would only use it to monitor its own loading
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

/** The modules that the glue code may `require`. Sockets are not included; the machine provides its own. */
function hostModule(name: string, world: VmWorld): unknown {
    if (name === "crypto") return { randomBytes: (size: number) => world.randomBytes(size) }
    if (name === "path") return { dirname: () => "/", normalize: (path: string) => path }
    return {}
}
