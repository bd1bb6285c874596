import { buildForReading, type DebugInfo } from "../devicescript/build.ts"
import { Image, type Literal } from "../devicescript/image.ts"
import type { Row } from "./row.ts"

/** The program of a board. */
const entry = "src/main-picow.ts"
const functionTableBytes = 16

/** What a module of the firmware takes of the program image, in bytes. */
export interface ModuleSize {
    code: number
    functions: number
    /** What the runtime keeps of each function beside its code, but for the name. */
    table: number
    /** Names of functions that nothing but an error report reads. */
    names: number
    /** Strings, buffers and numbers outside the code. */
    literals: number
}

/** By source file, as `src/link/queue.ts`, or by package; what no source file has caused is in angle brackets. */
export type ModuleSizes = Map<string, ModuleSize>

/** Where the bytes of the image are. What several modules use counts for the first one. */
export async function moduleSizes(): Promise<ModuleSizes> {
    const { image: bytes, debug } = await buildForReading(entry)
    const image = new Image(bytes)
    const sizes: ModuleSizes = new Map()
    const of = (module: string) => {
        const none = { code: 0, functions: 0, table: 0, names: 0, literals: 0 }
        if (!sizes.has(module)) sizes.set(module, none)
        return sizes.get(module)!
    }
    const taken = new Set<string>()
    const bytesOf = (literal: Literal) => {
        const key = `${literal.kind} ${literal.index}`
        if (taken.has(key)) return 0
        taken.add(key)
        return image.literalBytes(literal)
    }
    const modules = moduleFinder(debug)
    const pieces = codePieces(debug, modules)
    for (const { start, length, module } of pieces) {
        const size = of(module)
        size.code += length
        for (const literal of image.literalsIn({ start, length })) size.literals += bytesOf(literal)
    }
    image.functions.forEach(({ name }, i) => {
        const size = of(modules(debug.functions[i]!.location[0]))
        size.functions++
        size.table += functionTableBytes
        if (name) size.names += bytesOf(name)
    })
    of("<services>").literals = image.section("services").length
    of("<configuration>").literals = image.section("configuration").length
    const counted = [...sizes.values()].reduce((sum, size) => sum + totalOf(size), 0)
    // The header, strings of services, and what fills up words.
    of("<rest>").literals = bytes.length - counted
    return sizes
}

export function totalOf({ code, table, names, literals }: ModuleSize): number {
    return code + table + names + literals
}

export async function bench(): Promise<Row[]> {
    const sizes = [...(await moduleSizes())].sort(([a], [b]) => (a < b ? -1 : 1))
    const total: ModuleSize = { code: 0, functions: 0, table: 0, names: 0, literals: 0 }
    for (const [, size] of sizes) for (const key of keysOf(total)) total[key] += size[key]
    return [...sizes, [entry, total] as const].map(([what, size]) => ({
        what,
        value: totalOf(size),
        unit: "bytes",
        note: `code ${size.code}, literals ${size.literals}, ${size.functions} functions ${size.table}, their names ${size.names}`,
    }))
}

function keysOf(size: ModuleSize): (keyof ModuleSize)[] {
    return Object.keys(size) as (keyof ModuleSize)[]
}

/** The module at a position of all sources one after the other. */
function moduleFinder({ sources }: DebugInfo): (position: number) => string {
    const ends: number[] = []
    let end = 0
    for (const { length } of sources) ends.push((end += length))
    return position => {
        const source = sources[ends.findIndex(end => position < end)]
        if (!source) return "<compiler>"
        return /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source.path)?.[1] ?? source.path
    }
}

/** Code by module: a function is its module's, but the initialisation of all modules is one function. */
function codePieces(debug: DebugInfo, modules: (position: number) => string) {
    const pieces: { start: number; length: number; module: string }[] = []
    const [main, ...others] = debug.functions
    let start = main!.startpc
    let module = modules(main!.location[0])
    const end = start + codeLength(main!)
    let position = 0
    let pc = 0
    for (let i = 0; i < debug.srcmap.length; i += 3) {
        position += debug.srcmap[i]!
        pc += debug.srcmap[i + 2]!
        if (pc >= end) break
        if (pc > start) pieces.push({ start, length: pc - start, module })
        start = pc
        module = modules(position)
    }
    pieces.push({ start, length: end - start, module })
    for (const fn of others) pieces.push({ start: fn.startpc, length: codeLength(fn), module: modules(fn.location[0]) })
    return pieces
}

function codeLength({ size }: DebugInfo["functions"][number]): number {
    return size - functionTableBytes
}
