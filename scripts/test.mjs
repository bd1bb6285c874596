// npm test: sets up what is missing, checks types and style, then runs all tests; with arguments only the test files
// whose path contains one of them. The last line says how many passed, failed and were skipped.
import { readdirSync } from "node:fs"
import { node, projectDir, setUp } from "./setup.mjs"

setUp()
process.chdir(projectDir)
const wanted = process.argv.slice(2)
const files = readdirSync("test", { recursive: true })
    .map(file => `test/${file.replaceAll("\\", "/")}`)
    .filter(file => file.endsWith(".test.ts"))
    .filter(file => !wanted.length || wanted.some(part => file.includes(part)))
    .sort()
if (!files.length) {
    console.error(`no test file matches ${wanted.join(", ")}`)
    process.exit(2)
}

const checks = {
    "types of the host code": ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"],
    "types of the clinic's page": ["node_modules/typescript/bin/tsc", "-p", "clinic/web/tsconfig.json"],
    "types of the simulator's page": ["node_modules/typescript/bin/tsc", "-p", "sim/web/page/tsconfig.json"],
    "types of the figure": ["node_modules/typescript/bin/tsc", "-p", "cli/plot/web/tsconfig.json"],
    "lint rules": ["node_modules/eslint/bin/eslint.js", "."],
    formatting: ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."],
}
const results = {}
if (!wanted.length)
    for (const [name, args] of Object.entries(checks)) {
        results[name] = node(args) === 0
        console.log(`${results[name] ? "ok  " : "FAIL"} ${name}`)
    }
process.env.VITALMOTE_CHECKS = JSON.stringify(results)
process.exitCode = node([
    ...["--import", "tsx", "--test", "--test-concurrency=2", "--test-timeout=300000"],
    "--test-reporter=./scripts/test-reporter.mjs",
    ...files,
])
if (Object.values(results).includes(false)) process.exitCode = 1
