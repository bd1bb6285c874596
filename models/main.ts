// npm run models: asks the models of this folder and prints what each answer took.
import { parseArgs } from "node:util"
import { spinChecks } from "./checks.ts"
import { askMaude, missingForMaude, questions, traceOf } from "./maude.ts"
import { missingForSpin, runSpin } from "./spin.ts"

const usage = `Usage: npm run models -- [--long] [--trace] [NAME…]

Searches every state of the protocol's models (models/README.md) and prints what was found.

  NAME…    only these checks
  --long   also those with larger bounds
  --trace  the steps that lead to what was found`

const { values: flags, positionals: names } = parseArgs({
    allowPositionals: true,
    options: {
        long: { type: "boolean", default: false },
        trace: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
    },
})
const isNamed = ({ name }: { name: string }) => names.includes(name)
const checks = spinChecks.filter(check => (names.length > 0 ? isNamed(check) : flags.long || !check.isLong))
const asksMaude = names.length === 0 || questions().some(isNamed)
const missing = (checks.length > 0 ? missingForSpin() : undefined) ?? (asksMaude ? missingForMaude() : undefined)
if (flags.help) console.log(usage)
else if (missing !== undefined || (checks.length === 0 && !asksMaude)) {
    console.error(`npm run models: ${missing ?? `no check is called ${names.join(" or ")}`}`)
    process.exitCode = 2
} else {
    console.log("| check | file | found | states | depth | seconds |\n|---|---|---|---|---|---|")
    for (const check of checks) {
        const { trace, states, depth, seconds } = await runSpin(check)
        row(check.name, check.model, trace !== undefined, check.fault !== undefined, [states, depth], seconds)
        if (flags.trace && trace !== undefined) console.log(trace)
    }
    for (const answer of asksMaude ? await askMaude() : []) {
        if (names.length > 0 && !isNamed(answer)) continue
        const { name, kind, isFound, states, seconds } = answer
        row(name, "attackers.maude", isFound, kind !== "cannot", [states], seconds)
        if (flags.trace && isFound) console.log(await traceOf(answer))
    }
}

function row(
    name: string,
    file: string,
    isFound: boolean,
    isExpected: boolean,
    [states, depth]: number[],
    seconds: number,
): void {
    if (isFound !== isExpected) process.exitCode = 1
    const figures = [states, depth].map(figure => figure?.toLocaleString("en") ?? "")
    const cells = [name, file, isFound ? "a trace" : "nothing", ...figures, seconds.toFixed(1)]
    console.log(`| ${cells.join(" | ")} |`)
}
