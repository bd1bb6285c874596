import type { Compilable, CompiledQuery, Kysely, QueryResult } from "kysely"
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
