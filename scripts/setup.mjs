// Makes a fresh clone ready: the right Node.js, and the dependencies of package-lock.json. Needs nothing but Node.js.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"

export const projectDir = fileURLToPath(new URL("..", import.meta.url))

const oldestNode = 20

/**
 * Installs what package-lock.json names, unless that was done for this very file. No package needs its install script,
 * so none is run: nothing is compiled or downloaded besides the packages.
 * @param tests also what only tests and checks need
 */
export function setUp({ tests = false } = {}) {
    if (Number(process.versions.node.split(".")[0]) < oldestNode)
        fail(`VitalMote needs Node.js ${oldestNode} or newer; this is ${process.versions.node}`)
    const lock = createHash("sha256")
        .update(readFileSync(`${projectDir}package-lock.json`))
        .digest("hex")
    const stamp = `${projectDir}node_modules/.installed`
    const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : ""
    const all = `${lock} with tests`
    // What tests need besides does no harm to who only runs it.
    if (installed === all || (!tests && installed === lock)) return
    console.error(`installing dependencies${tests ? ", those of the tests too" : ""} (once) …`)
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    const npm = spawnSync("npm", tests ? args : [...args, "--omit=dev"], {
        cwd: projectDir,
        stdio: ["ignore", 2, 2],
        shell: process.platform === "win32",
    })
    if (npm.status !== 0) fail("npm ci failed, see above")
    writeFileSync(stamp, tests ? all : lock)
}

/** Runs Node.js in the project; resolves to its exit code. */
export function node(args, options = {}) {
    return spawnSync(process.execPath, args, { cwd: projectDir, stdio: "inherit", ...options }).status
}

function fail(message) {
    console.error(`vitalmote: ${message}`)
    process.exit(1)
}
