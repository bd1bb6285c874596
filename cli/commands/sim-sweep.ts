import { compare, type CompareOptions, type Comparison, type Outcome, type Scenario } from "../../sim/index.ts"
import { progressLine } from "../progress.ts"
import { table } from "../table.ts"

/** Runs a scenario with each value and prints a row for each run. */
export async function runSweep(
    name: string,
    scenario: Scenario,
    options: CompareOptions & { json?: boolean },
): Promise<void> {
    const show = progressLine()
    const progress = (done: number, all: number) => show(`${done} of ${all} runs`)
    const comparison = await compare(name, scenario, { ...options, progress }).finally(() => show(""))
    if (options.json) console.log(JSON.stringify(comparison))
    else print(comparison)
}

function print({ key, runs }: Comparison): void {
    const head = [key, "seed", "delivered %", "median s", "95 % s", "mA", "joined", "last joined s"]
    const rows = runs.map(({ value, seed, outcome }) => [String(value), String(seed), ...measures(outcome)])
    for (const line of table(head, rows)) console.log(line)
}

function measures(o: Outcome): string[] {
    const shown = (value: number | null, digits: number) => value?.toFixed(digits) ?? "–"
    return [
        ...[shown(o.delivery === null ? null : 100 * o.delivery, 1), shown(o.medianS, 2)],
        ...[shown(o.p95S, 2), shown(o.meanMa, 2), `${o.joined}/${o.motes}`],
        shown(o.lastJoinedS, 1),
    ]
}
