import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { projectDir } from "../../devicescript/build.ts"

interface Locked {
    version: string
    license?: string
    dev?: boolean
    optional?: boolean
    hasInstallScript?: boolean
    optionalDependencies?: Record<string, string>
}

const { packages } = JSON.parse(readFileSync(`${projectDir}/package-lock.json`, "utf8")) as {
    packages: Record<string, Locked>
}
const needed = Object.entries(packages).filter(([path, { dev }]) => path !== "" && !dev)
const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)

/** Licences that let a hospital run, change and pass on what is under them. */
const permissive = new Set([
    "0BSD",
    "Apache-2.0",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
])

test("every package that is needed has a permissive licence, and `npm run licences` lists it", () => {
    const listed = execFileSync(process.execPath, ["scripts/licences.mjs"], { cwd: projectDir, encoding: "utf8" })
    for (const [path, { license = "", version }] of needed) {
        const choices = license.replace(/[()]/g, "").split(" OR ")
        assert.ok(
            choices.some(choice => permissive.has(choice)),
            `${path}: ${license}`,
        )
        assert.ok(listed.includes(`    ${nameOf(path)} ${version}\n`), path)
    }
})

test("`npm run sbom` is CycloneDX and has every package that is needed here", () => {
    const output = execFileSync("npm", ["run", "--silent", "sbom"], {
        cwd: projectDir,
        encoding: "utf8",
        maxBuffer: 2 ** 26,
    })
    const bom = JSON.parse(output) as {
        bomFormat: string
        specVersion: string
        components: { name: string; version: string; purl: string; licenses?: unknown[] }[]
    }
    assert.equal(bom.bomFormat, "CycloneDX")
    assert.match(bom.specVersion, /^1\.\d$/)
    const known = new Set(bom.components.map(({ name, version }) => `${name} ${version}`))
    // What is optional depends on the machine.
    for (const [path, { version, optional }] of needed)
        assert.ok(optional === true || known.has(`${nameOf(path)} ${version}`), path)
    const tests = Object.entries(packages).filter(([, { dev }]) => dev)
    assert.ok(tests.some(([path]) => path.endsWith("/playwright-core")))
    assert.ok(!bom.components.some(({ name }) => name === "playwright-core"))
    for (const { name, purl } of bom.components) assert.match(purl, /^pkg:npm\//, name)
})

/*
 * Everything here, this test included, runs in a tree that `npm ci --ignore-scripts` made (scripts/setup.mjs). So a package whose script
 * were needed would fail some test. A new one has to be looked at.
 */
test("no package needs its install script", () => {
    const reasons: Record<string, string> = {
        esbuild: "fetches the program where the optional package of the platform has not brought it",
        "@serialport/bindings-cpp":
            "compiles where no ready binary is in the package; only DeviceScript's command line loads it",
    }
    const scripted = needed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path))
    assert.deepEqual(scripted.sort(), Object.keys(reasons).sort())
    const esbuild = packages["node_modules/esbuild"]!
    for (const platform of ["linux-x64", "linux-arm64"]) {
        const name = `@esbuild/${platform}`
        assert.equal(esbuild.optionalDependencies?.[name], esbuild.version, name)
        assert.ok(packages[`node_modules/${name}`], name)
    }
    const setup = readFileSync(`${projectDir}/scripts/setup.mjs`, "utf8")
    assert.match(setup, /"ci", "--ignore-scripts"/)
})
