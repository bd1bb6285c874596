// npm run docs: generates the tables in docs/ from those in wire/. A test fails if they differ.
import { readFileSync, writeFileSync } from "node:fs"
import { alarmKinds, type AlarmKind } from "../wire/tables/alarm-kinds.ts"
import { failures, type Failure } from "../wire/tables/failures.ts"
import { problemKinds, type ProblemKind } from "../wire/tables/problems.ts"
import { quantities, units, unitText, type Quantity } from "../wire/tables/quantities.ts"
import { refusalKinds, type RefusalKind } from "../wire/tables/refusals.ts"
import { configFields, configRelations, routerField, type ConfigField } from "../wire/tables/settings.ts"

/** Generated tables, by their name in the documents: `<!-- table NAME …`. */
const tables: Record<string, () => string[][]> = {
    alarms,
    failures: failureRows,
    problems,
    quantities: quantityRows,
    refusals,
    settings,
}

/** Documents with generated tables, relative to the project. */
export const documents = ["docs/alarms.md", "docs/api.md", "docs/configuration.md", "docs/wire.md"]

const table = /(<!-- table (\w+) .*-->\n)[^]*?(<!-- end -->)/g

/** The document with its tables regenerated. */
export function withTables(document: string): string {
    return document.replace(table, (_all, begin: string, name: string, end: string) => {
        const rows = tables[name]!().map(cells => `| ${cells.join(" | ")} |\n`)
        rows.splice(1, 0, `|${"---|".repeat(tables[name]!()[0]!.length)}\n`)
        return begin + rows.join("") + end
    })
}

function alarms(): string[][] {
    const rows = Object.entries<AlarmKind>(alarmKinds).map(([name, kind]) => {
        const { number, label, category, raisedBy, cause } = kind
        const numbered = number === undefined ? "" : String(number)
        return [`\`${name}\``, numbered, label, category, priorityWords(kind), raisedBy, ...words(cause)]
    })
    return [["kind", "number", "label", "category", "priority", "by", "raised when", "cleared when"], ...rows]
}

function priorityWords({ priority, severe, cause }: AlarmKind): string {
    if (!severe || !("quantity" in cause)) return priority
    return `${priority}; ${severe.priority} from ${severe.beyond} ${units[quantities[cause.quantity].unit].text} beyond`
}

/** When an alarm is raised and when it is cleared. */
function words(cause: AlarmKind["cause"]): [string, string] {
    if (!("quantity" in cause)) return [cause.begin, cause.end]
    const { label, unit } = quantities[cause.quantity]
    const withUnit = (value: number) => `${value} ${units[unit].text}`
    const [beyond, within] = cause.side === "low" ? ["below", "above"] : ["above", "below"]
    const limit = typeof cause.limit === "number" ? withUnit(cause.limit) : `\`${cause.limit}\``
    return [
        `${label.toLowerCase()} is ${beyond} ${limit}`,
        `it is ${withUnit(cause.hysteresis)} or more ${within} that`,
    ]
}

function failureRows(): string[][] {
    const rows = Object.values<Failure>(failures).map(({ fails, complains, withinS, note }) => {
        return [fails, complains, `${withinS} s${note ? ` (${note})` : ""}`]
    })
    return [["fails", "complains", "within"], ...rows]
}

function settings(): string[][] {
    const rows = configFields.map((field: ConfigField) => {
        const { name, number, label, unit, min, max, step, choices, description } = field
        const range = choices ? `0…${max}: ${choices.map(choice => `\`${choice}\``).join(", ")}` : `${min}…${max}`
        const steps = step === 1 ? "" : ` in steps of ${step}`
        const relation = configRelations.find(relation => relation.name === name)
        const fit = relation ? `; ${relation.relation} \`${relation.other}\`` : ""
        return [
            `\`${name}\``,
            String(number),
            label,
            unitText(unit),
            range + steps,
            String(field.default),
            description + fit,
        ]
    })
    const router = [
        "`router`",
        "",
        routerField.label,
        "",
        `${routerField.maxBytes} bytes`,
        "empty",
        routerField.description,
    ]
    return [["setting", "number", "label", "unit", "range", "default", "what"], ...rows, router]
}

function quantityRows(): string[][] {
    const rows = Object.entries<Quantity>(quantities).map(([name, { label, unit, column, perUnit, plausible }]) => {
        const step = perUnit === 1 ? "1" : `1/${perUnit}`
        return [
            column === undefined ? "" : String(column),
            ...[`\`${name}\``, `\`${unit}\``, step, label, `${plausible.min}…${plausible.max}`],
        ]
    })
    return [["column", "name", "unit", "in", "value", "plausible"], ...rows]
}

function refusals(): string[][] {
    const rows = Object.entries<RefusalKind>(refusalKinds).map(([name, { number, parameters, meaning }]) => {
        return [String(number), `\`${name}\``, parameters.map(parameter => `\`${parameter}\``).join(", "), meaning]
    })
    return [["code", "name", "parameters", "means"], ...rows]
}

function problems(): string[][] {
    const rows = Object.entries<ProblemKind>(problemKinds).map(([name, { status, text }]) => [
        `\`${name}\``,
        String(status),
        text.replace(/\{(\w+)\}/g, "`$1`"),
    ])
    return [["code", "status", "means"], ...rows]
}

if (process.argv[1] === import.meta.filename)
    for (const file of documents) {
        const before = readFileSync(file, "utf8")
        const after = withTables(before)
        if (after !== before) writeFileSync(file, after)
    }
