import { Command, InvalidArgumentError, Option } from "commander"
import { isPostgres } from "../../clinic/index.ts"
import { UserError } from "../../host/errors.ts"
import { benchmarks } from "../../bench/index.ts"
import { refuseSeenPassword } from "../database.ts"
import { integer } from "../options.ts"
import type { Row } from "../../bench/row.ts"

interface Options {
    database?: string
    json: boolean
    modules: boolean
    report?: string
    rows: number
}

function databaseOrFile(text: string): string {
    if (isPostgres(text) || text === "file:") return text
    throw new InvalidArgumentError("Expected postgres://… or file:")
}

export const benchCommand = new Command("bench")
    .description("run benchmarks: " + Object.keys(benchmarks).join(", ") + "; all when none is named")
    .argument("[name]", "one of them")
    .option(
        "--modules",
        "with `mote`: where the bytes of the program image are, by source file, and nothing else",
        false,
    )
    .option("--report <dir>", "with `sensing`: write pages with plots into a folder; with `router`: CPU profiles of it")
    .addOption(
        new Option(
            "--database <url>",
            "with `clinic`: measure an empty database of PostgreSQL, or file: for SQLite, with many readings",
        ).argParser(databaseOrFile),
    )
    .addOption(
        new Option("--rows <n>", "with --database: readings")
            .argParser(integer(10_000, 100_000_000))
            .default(1_000_000),
    )
    .option("--json", "one JSON document", false)
    .action(async (name: string | undefined, { database, json, modules, report, rows }: Options, command: Command) => {
        refuseSeenPassword(command, database)
        if (database !== undefined && name !== "clinic") throw new UserError("--database goes with `bench clinic`", 2)
        if (name && !(name in benchmarks))
            throw new UserError(`no benchmark "${name}": there are ${Object.keys(benchmarks).join(", ")}`, 2)
        if (modules && name !== "mote") throw new UserError("--modules goes with `bench mote`", 2)
        if (report !== undefined && name !== "sensing" && name !== "router")
            throw new UserError("--report goes with `bench sensing` and `bench router`", 2)
        const results: Record<string, Row[]> = {}
        for (const [key, run] of Object.entries(benchmarks)) {
            if (name && key !== name) continue
            console.error(`measuring ${key} …`)
            results[key] =
                database !== undefined
                    ? await (await import("../../bench/clinic-database.ts")).benchDatabase(database, rows)
                    : modules
                      ? await (await import("../../bench/modules.ts")).bench()
                      : await run(report)
            if (!json) printTable(key, results[key])
        }
        if (json) console.log(JSON.stringify(results))
    })

function printTable(title: string, rows: Row[]): void {
    const width = Math.max(...rows.map(row => row.what.length))
    console.log(title)
    for (const { what, value, unit, note } of rows)
        console.log(`  ${what.padEnd(width)}  ${format(value).padStart(9)} ${unit}${note ? `  (${note})` : ""}`)
}

function format(value: number): string {
    return Number.isInteger(value) ? String(value) : value.toPrecision(3)
}
