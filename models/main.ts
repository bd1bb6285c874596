// npm run models: runs the checks of this folder and prints what each took.
import { parseArgs } from "node:util"
import { spinChecks } from "./checks.ts"
import { missingForSpin, runSpin } from "./spin.ts"

const usage = `Usage: npm run models -- [--long] [--trace] [NAME…]

Searches every state of the protocol's models (models/README.md) and prints what was found.

  NAME…    only these checks, or those of these files
  --long   also those with larger bounds
  --trace  the steps that lead to each error`

const { values: flags, positionals: names } = parseArgs({
    allowPositionals: true,
    options: {
        long: { type: "boolean", default: false },
        trace: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
    },
})
const isNamed = (check: { name: string; model: string }) => names.includes(check.name) || names.includes(check.model)
const checks = spinChecks.filter(check => (names.length > 0 ? isNamed(check) : flags.long || !check.isLong))
const missing = missingForSpin()
if (flags.help) console.log(usage)
else if (missing !== undefined || checks.length === 0) {
    console.error(`npm run models: ${missing ?? `no check is called ${names.join(" or ")}`}`)
    process.exitCode = 2
} else {
    console.log("| check | file | found | states | depth | seconds |\n|---|---|---|---|---|---|")
    for (const check of checks) {
        const { trace, states, depth, seconds } = await runSpin(check)
        const found = trace === undefined ? "nothing" : "a trace"
        if ((trace !== undefined) !== (check.fault !== undefined)) process.exitCode = 1
        const figures = [states, depth].map(figure => figure.toLocaleString("en"))
        console.log(`| ${[check.name, check.model, found, ...figures, seconds.toFixed(1)].join(" | ")} |`)
        if (flags.trace && trace !== undefined) console.log(trace)
    }
}
