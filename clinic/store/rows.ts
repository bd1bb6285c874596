import { CompiledQuery, PostgresAdapter, type Kysely } from "kysely"
import { Column, type ColumnType } from "./column.ts"
import type { Access, Value } from "./access.ts"
import type { Schema } from "./schema.ts"

/** Of one statement of SQLite, which takes 32,766 parameters. */
const maxRows = 256
/** Statements are kept prepared by their number of rows: with these, few have many empty ones. */
const sizes = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, maxRows]

/**
 * A statement over many rows at once, as a batch needs it. In `text`, `rows` is what stands behind FROM for them: a relation with these
 * columns, in their order, the first of which is never null. PostgreSQL takes all rows in one array for each column; SQLite as VALUES, in as
 * few statements as can be. `one` stands for a value that is the same for all of them, behind `rows`.
 */
export function prepareRows<Row extends Record<string, Value>, Result = never>(
    columns: { readonly [Name in keyof Row & string]: ColumnType },
    text: (rows: string, one: string) => string,
): (access: Access, rows: readonly Row[], ...one: [Value?]) => Promise<Result[]> {
    const names = Object.keys(columns) as (keyof Row & string)[]
    const arrays = text(arraysOf(columns), `$${names.length + 1}`)
    const bySize = new Map(sizes.map(size => [size, text(valuesOf(names, size), "?")]))
    return async ({ db, root }, rows, ...one) => {
        if (rows.length === 0) return []
        if (isPostgres(root)) {
            const parameters = names.map(
                name =>
                    new Column(
                        columns[name],
                        rows.map(row => row[name]!),
                    ),
            )
            return (await db.executeQuery<Result>(CompiledQuery.raw(arrays, [...parameters, ...one]))).rows
        }
        const results: Result[][] = []
        for (let from = 0; from < rows.length; from += maxRows) {
            const some = rows.slice(from, from + maxRows)
            const size = sizes.find(size => size >= some.length)!
            const parameters: Value[] = []
            for (const row of some) for (const name of names) parameters.push(row[name]!)
            while (parameters.length < size * names.length) parameters.push(null)
            parameters.push(...(one as Value[]))
            results.push((await db.executeQuery<Result>(CompiledQuery.raw(bySize.get(size)!, parameters))).rows)
        }
        return results.flat()
    }
}

function isPostgres(root: Kysely<Schema>): boolean {
    return root.getExecutor().adapter instanceof PostgresAdapter
}

function arraysOf(columns: Readonly<Record<string, ColumnType>>): string {
    const types = { integer: "bigint", real: "double precision", text: "text", bytes: "bytea" }
    const arrays = Object.values(columns).map((type, i) => `$${i + 1}::${types[type]}[]`)
    return `unnest(${arrays.join(", ")}) AS k (${listed(Object.keys(columns))})`
}

function valuesOf(names: readonly string[], size: number): string {
    const row = `(${names.map(() => "?").join(", ")})`
    const columns = names.map((name, i) => `column${i + 1} AS "${name}"`).join(", ")
    const values = Array.from({ length: size }, () => row).join(", ")
    return `(SELECT ${columns} FROM (VALUES ${values}) WHERE column1 IS NOT NULL) AS k`
}

/** Names as a list of columns. */
export function listed(names: readonly string[]): string {
    return names.map(name => `"${name}"`).join(", ")
}
