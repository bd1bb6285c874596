import type { Compilable, CompiledQuery, Insertable, Kysely, QueryResult } from "kysely"
import type { Schema, TableName } from "./schema.ts"

/** How a repository gets at its table: on its own, or within a transaction. */
export interface Access {
    readonly db: Kysely<Schema>
    /** The same for all transactions of one store. */
    readonly root: Kysely<Schema>
    /** To be called where rows were written, with their ids where somebody listens for these. */
    changed(table: TableName, ...ids: number[]): void
}

/** What a column holds. */
export type Value = string | number | Uint8Array | null

/** Stands for a value that is known when the statement runs. */
class Parameter {
    readonly name: string

    constructor(name: string) {
        this.name = name
    }
}

/**
 * A statement for the way that every envelope takes: built and compiled once for each store, in the words of its engine.
 * Every value that changes is a property of `values`.
 */
export function prepare<Values extends object, Row>(
    build: (db: Kysely<Schema>, values: Values) => Compilable<Row>,
): (access: Access, values: Values) => Promise<QueryResult<Row>> {
    const compiled = new WeakMap<Kysely<Schema>, CompiledQuery<Row>>()
    const placeholders = new Proxy({}, { get: (_, name) => new Parameter(String(name)) }) as Values
    return async ({ db, root }, values) => {
        let query = compiled.get(root)
        if (!query) compiled.set(root, (query = build(root, placeholders).compile()))
        const parameters = query.parameters.map(value =>
            value instanceof Parameter ? (values as Record<string, unknown>)[value.name] : value,
        )
        return await db.executeQuery({ ...query, parameters })
    }
}

/** Rows in one statement; engines limit the parameters of one. */
const maxRows = 64

/** Inserts rows, as many as there are in as few statements as can be. Every row has all of `columns`. */
export function prepareInsert<T extends TableName, Column extends keyof Insertable<Schema[T]> & string>(
    table: T,
    columns: readonly Column[],
): (access: Access, rows: readonly Record<Column, Value>[]) => Promise<void> {
    const compiled = new WeakMap<Kysely<Schema>, Map<number, CompiledQuery>>()
    const compile = (root: Kysely<Schema>, count: number): CompiledQuery => {
        const row = Object.fromEntries(columns.map(column => [column, ""])) as Insertable<Schema[T]>
        return root
            .insertInto(table)
            .values(Array.from({ length: count }, () => row))
            .compile()
    }
    return async ({ db, root }, rows) => {
        let byCount = compiled.get(root)
        if (!byCount) compiled.set(root, (byCount = new Map()))
        for (let from = 0; from < rows.length; from += maxRows) {
            const some = rows.slice(from, from + maxRows)
            let query = byCount.get(some.length)
            if (!query) byCount.set(some.length, (query = compile(root, some.length)))
            const parameters: Value[] = []
            for (const row of some) for (const column of columns) parameters.push(row[column])
            await db.executeQuery({ ...query, parameters })
        }
    }
}
