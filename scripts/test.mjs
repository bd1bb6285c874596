// npm test: sets up what is missing, checks types and style, then runs all tests. Given words, it runs only the test
// files whose path contains one of them. The last line counts the passed, failed and skipped tests.
import { readdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { compiled, compiledFile as compiledProgram } from "../host/compiled.mjs"
import { runChecks } from "./checks.mjs"
import { node, projectDir, setUp } from "./setup.mjs"
import { processorSeconds } from "./test-cpu.mjs"
import { compiledFile, inProcesses, inQuick, needsRuntime } from "./test-plan.mjs"

const usage = `Usage: npm test -- [--quick | --long] [--ci] [WORD…]

Without options: types, lint rules and formatting, then every test file. Searches run as a sample.

  WORD…    only the test files whose path contains one of the words; no check of types and style
  --quick  the daily loop: types and formatting, then the test files that start no process and no browser
           and simulate little
  --long   every test file with the searches in whole, and the tests that run only then
  --ci     a skipped test fails, unless it needs ../shared and there is none`

const { values: flags, positionals: words } = parseOptions()
if (flags.help) {
    console.log(usage)
    process.exit()
}
setUp({ tests: true })
process.chdir(projectDir)
const files = readdirSync("test", { recursive: true })
    .map(file => `test/${file.replaceAll("\\", "/")}`)
    .filter(file => file.endsWith(".test.ts"))
    .filter(file => !words.length || words.some(word => file.includes(word)))
    .filter(file => !flags.quick || inQuick(file))
    .filter(file => process.env.VITALMOTE_RUNTIME || !needsRuntime(file))
    .sort()
if (!process.env.VITALMOTE_RUNTIME)
    console.log("tests on a board's real runtime are left out: VITALMOTE_RUNTIME names none (docs/silicon.md)")
if (!files.length) fail(`no test file matches ${words.join(", ")}`)

const checks = words.length ? {} : await runChecks(flags)
process.env.VITALMOTE_CHECKS = JSON.stringify(checks)
process.env.VITALMOTE_CHECKS_SECONDS = String(processorSeconds() ?? 0)
if (flags.long) process.env.VITALMOTE_LONG = "1"
if (flags.ci) process.env.VITALMOTE_CI = "1"
const folder = await compiled("tests", files).catch(error => fail(error.message))
await compiledProgram("cli/main.ts") // else every test that starts the command would compile it
const code = node([
    ...["--enable-source-maps", "--import", "./scripts/test-cpu.mjs"],
    ...["--test", `--test-concurrency=${availableParallelism() + 1}`],
    `--test-timeout=${flags.long ? 1_800_000 : 600_000}`,
    "--test-reporter=./scripts/test-reporter.mjs",
    ...(words.length ? files.map(file => compiledFile(folder, file)) : inProcesses(files, folder)),
])
process.exitCode = Object.values(checks).includes(false) ? 1 : code

function parseOptions() {
    const flag = { type: "boolean", default: false }
    try {
        const options = { quick: flag, long: flag, ci: flag, help: { ...flag, short: "h" } }
        const parsed = parseArgs({ options, allowPositionals: true })
        if (parsed.values.quick && parsed.values.long) fail("--quick and --long exclude each other")
        return parsed
    } catch (error) {
        fail(`${error.message.split(". ")[0]}\n\n${usage}`)
    }
}

function fail(message) {
    console.error(`npm test: ${message}`)
    process.exit(2)
}
