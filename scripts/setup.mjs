// Sets up a fresh clone: checks the Node.js version, and installs the dependencies of package-lock.json. Needs only
// Node.js.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"

export const projectDir = fileURLToPath(new URL("..", import.meta.url))

const oldestNode = 20

/**
 * Installs the packages in package-lock.json, unless this version of the file is installed already. No install scripts
 * run, because no package needs one: nothing is compiled, and only packages are downloaded.
 * @param tests also installs what only tests and checks need
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
    // Dependencies of the tests do no harm otherwise.
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

/** Runs Node.js in the project. Returns its exit code. */
export function node(args, options = {}) {
    return spawnSync(process.execPath, args, { cwd: projectDir, stdio: "inherit", ...options }).status
}

function fail(message) {
    console.error(`vitalmote: ${message}`)
    process.exit(1)
}
