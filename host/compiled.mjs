// The sources are TypeScript. Loading each file through a hook takes a second and more of processor time at every start, so they
// are compiled once with esbuild, and again when one of them has changed.
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const projectDir = fileURLToPath(new URL("..", import.meta.url))

/** Older compilations stay for processes that still run from them and load a part of it only when they need it. */
const kept = 5

/**
 * Loads one module of the project, compiled; its source, through tsx, where nothing can be written, as in a read-only
 * installation, and where a source is wrong, since tsx says what.
 * @param source its path below the project
 */
export async function load(source) {
    process.setSourceMapsEnabled(true) // errors name lines of the sources
    let file
    try {
        file = await compiledFile(source)
    } catch {
        const { register } = await import("tsx/esm/api")
        register()
        return import(new URL(`../${source}`, import.meta.url).href)
    }
    return import(pathToFileURL(file).href)
}

/**
 * @param source path of a program below the project
 * @returns file that Node.js can run
 */
export async function compiledFile(source) {
    return join(await compiled("program", [source]), source.replace(/ts$/, "js"))
}

/**
 * Compiles entry points and all that they import from the project; libraries stay where they are.
 * @param name folder below `.build/` for the result
 * @param entries paths below the project
 * @returns folder with one `.js` file for each entry, at the entry's own path
 * @throws where the project cannot be written to, or a source has a syntax error
 */
export async function compiled(name, entries) {
    const home = join(projectDir, ".build", name)
    // Another checkout, another set of programs: another compilation.
    const key = createHash("sha256")
        .update(JSON.stringify([projectDir, entries]))
        .digest("hex")
        .slice(0, 16)
    const manifest = join(home, `${key}.json`)
    const fresh = stillFresh(manifest)
    if (fresh) return fresh
    fs.mkdirSync(home, { recursive: true })
    const folder = fs.mkdtempSync(join(home, `${key}-`))
    try {
        const inputs = await inTurn(() => build(entries, folder))
        // The manifest appears in one step, after everything that it names.
        fs.writeFileSync(join(folder, "manifest.json"), JSON.stringify({ folder, inputs }))
        fs.renameSync(join(folder, "manifest.json"), manifest)
    } catch (error) {
        fs.rmSync(folder, { recursive: true, force: true })
        throw error
    }
    removeOld(home, key)
    return folder
}

let last = Promise.resolve()

/** One at a time, because each ends the process of esbuild, which would otherwise stay for as long as this one. */
function inTurn(work) {
    const turn = last.then(work)
    last = turn.catch(() => {}).then(async () => await (await import("esbuild")).stop())
    return turn
}

/** The folder of a compilation whose sources have not changed since. */
function stillFresh(manifest) {
    if (!fs.existsSync(manifest)) return undefined
    const { folder, inputs } = JSON.parse(fs.readFileSync(manifest, "utf8"))
    const same = Object.entries(inputs).every(([path, version]) => versionOf(path) === version)
    return same && fs.existsSync(folder) ? folder : undefined
}

/** @returns version of each source that took part, by its path below the project */
async function build(entries, folder) {
    const esbuild = await import("esbuild")
    const versions = new Map()
    await esbuild.build({
        absWorkingDir: projectDir,
        entryPoints: entries,
        outdir: folder,
        outbase: projectDir,
        bundle: true,
        splitting: true,
        packages: "external",
        platform: "node",
        format: "esm",
        target: "node20",
        sourcemap: true,
        logLevel: "silent",
        plugins: [{ name: "own-place", setup: builder => builder.onLoad({ filter: /\.(ts|mjs)$/ }, sourceOf) }],
    })
    return Object.fromEntries(versions)

    /** A file that asks where it is must hear the place of its source. */
    function sourceOf({ path }) {
        versions.set(path, versionOf(path))
        const source = fs.readFileSync(path, "utf8")
        const place = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }
        const contents = source.replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, what) =>
            JSON.stringify(place[what]),
        )
        return { contents, loader: path.endsWith(".ts") ? "ts" : "js" }
    }
}

function versionOf(path) {
    const { mtimeMs, size } = fs.statSync(path, { throwIfNoEntry: false }) ?? {}
    return `${mtimeMs} ${size}`
}

function removeOld(home, key) {
    fs.readdirSync(home)
        .filter(file => file.startsWith(`${key}-`))
        .map(file => join(home, file))
        .sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs)
        .slice(kept)
        .forEach(folder => fs.rmSync(folder, { recursive: true, force: true }))
}
