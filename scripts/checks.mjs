// Checks of types and style, and the images that tests need. Each is a process; as many run in parallel as there are
// processors.
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { projectDir } from "./setup.mjs"

/** Caches what has not changed, so that a check takes a fraction of its time. */
const cache = name => `.build/checks/${name}`
const types = (folder, name) => [
    "typescript/bin/tsc",
    ...["-p", `${folder}tsconfig.json`, "--incremental", "--tsBuildInfoFile", cache(`${name}.tsbuildinfo`)],
]
/** Slowest first. Images are built in one process, because separate builds would take three times as long. */
const checks = {
    "images of the firmware": ["tsx/dist/cli.mjs", "scripts/images.ts"],
    "lint rules": ["eslint/bin/eslint.js", "."],
    "types of the host code": types("", "host"),
    formatting: [
        "prettier/bin/prettier.cjs",
        ...["--check", "--log-level=warn", "--cache", "--cache-location", cache("prettier"), "."],
    ],
    "who may import from whom": ["dependency-cruiser/bin/dependency-cruise.mjs", "--output-type", "err", "."],
    "unused exports and dependencies": ["knip/bin/knip.js", "--no-progress"],
    "types of the clinic's page": types("clinic/web/", "clinic"),
    "types of the router's page": types("router/web/", "router"),
    "types of the simulator's page": types("sim/web/page/", "sim"),
    "types of the figure": types("cli/plot/web/", "figure"),
}

/** These look at everything anew each time, however little has changed. */
const slow = ["lint rules", "who may import from whom", "unused exports and dependencies"]

/** Runs the checks, without the slow ones when `quick`. Resolves to the result of each; a failure is printed at once. */
export async function runChecks({ quick }) {
    mkdirSync(`${projectDir}.build/checks`, { recursive: true })
    const results = {}
    const waiting = Object.entries(checks).filter(([name]) => !quick || !slow.includes(name))
    const work = async () => {
        for (let next; (next = waiting.shift());) {
            const [name, args] = next
            const { holds, output } = await run(args)
            results[name] = holds
            console.log(`${holds ? "ok  " : "FAIL"} ${name}${holds ? "" : `\n${output}`}`)
        }
    }
    await Promise.all(Array.from({ length: availableParallelism() }, work))
    return results
}

function run([script, ...args]) {
    return new Promise(resolve => {
        const child = spawn(process.execPath, [`node_modules/${script}`, ...args], { cwd: projectDir })
        let output = ""
        for (const stream of [child.stdout, child.stderr]) stream.on("data", text => (output += text))
        child.once("close", code => resolve({ holds: code === 0, output }))
    })
}
