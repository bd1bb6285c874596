// The checks of types and style, and the images that tests need; each a process, as many at a time as there are processors.
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { projectDir } from "./setup.mjs"

/** Known by what has changed since the last time, a check needs a fraction of its time. */
const cache = name => `.build/checks/${name}`
const types = (folder, name) => [
    "typescript/bin/tsc",
    ...["-p", `${folder}tsconfig.json`, "--incremental", "--tsBuildInfoFile", cache(`${name}.tsbuildinfo`)],
]
/** The slowest first. Without images built in one go each test would build its own, in three times the time. */
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
    "types of the simulator's page": types("sim/web/page/", "sim"),
    "types of the figure": types("cli/plot/web/", "figure"),
}

/** Runs all of them; resolves to whether each holds. What does not is told as soon as it is known. */
export async function runChecks() {
    mkdirSync(`${projectDir}.build/checks`, { recursive: true })
    const results = {}
    const waiting = Object.entries(checks)
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
