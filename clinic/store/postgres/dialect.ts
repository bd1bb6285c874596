import {
    PostgresAdapter,
    PostgresIntrospector,
    PostgresQueryCompiler,
    type CompiledQuery,
    type DatabaseConnection,
    type Dialect,
    type Driver,
    type Kysely,
    type QueryResult,
} from "kysely"
import type pg from "pg"
import { failureOf } from "./failure.ts"
import type { Pool } from "./pool.ts"
import { checked } from "./values.ts"

/** Statements that a connection keeps prepared. */
const maxPrepared = 300

/**
 * Transactions that write take turns, over all processes on the database, as in SQLite: what one reads nobody changes before its
 * commit, and the ids that it gives out are committed in their order. The lock precedes the snapshot: LOCK takes none.
 */
const beginTurn = "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE turn IN EXCLUSIVE MODE"

/** A transaction that sees one moment, and takes nobody's turn. */
export const beginReading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

/**
 * Kysely's PostgreSQL over connections of a pool, with prepared statements and the errors of a store.
 * @param begin what begins a transaction
 */
export function postgresDialect(pool: Pool, begin = beginTurn): Dialect {
    return {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new PostgresDriver(pool, begin),
        createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
    }
}

class PostgresDriver implements Driver {
    private readonly pool: Pool
    private readonly begin: string
    private readonly names = new Names()

    constructor(pool: Pool, begin: string) {
        this.pool = pool
        this.begin = begin
    }

    async init(): Promise<void> {}

    async acquireConnection(): Promise<PostgresConnection> {
        return new PostgresConnection(await this.pool.connect(), this.names)
    }

    async releaseConnection(connection: PostgresConnection): Promise<void> {
        connection.release()
    }

    async beginTransaction(connection: PostgresConnection): Promise<void> {
        try {
            await connection.run(this.begin)
        } catch (error) {
            await this.rollbackTransaction(connection)
            throw error
        }
    }

    async commitTransaction(connection: PostgresConnection): Promise<void> {
        // After a statement that failed, COMMIT rolls back, and says so only by its tag.
        if ((await connection.run("COMMIT")) !== "COMMIT") throw new Error("the transaction was rolled back")
    }

    /** Where the connection is broken, the server has rolled back. */
    async rollbackTransaction(connection: PostgresConnection): Promise<void> {
        await connection.run("ROLLBACK").catch(() => {})
    }

    async destroy(): Promise<void> {
        await this.pool.end()
    }
}

class PostgresConnection implements DatabaseConnection {
    private readonly client: pg.PoolClient
    private readonly names: Names
    private broken: Error | undefined

    constructor(client: pg.PoolClient, names: Names) {
        this.client = client
        this.names = names
        client.on("error", this.onError)
    }

    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
        const name = this.names.of(sql)
        const result = await this.sent({ ...(name && { name }), text: sql, values: checked(parameters) })
        const numAffectedRows = BigInt(result.rowCount ?? 0)
        return { rows: result.rows as Row[], ...(result.command !== "SELECT" && { numAffectedRows }) }
    }

    async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
        yield await this.executeQuery<Row>(query)
    }

    /** Returns the command tag of the last statement. */
    async run(text: string): Promise<string | undefined> {
        const result: pg.QueryResult | pg.QueryResult[] = await this.sent({ text })
        return [result].flat().at(-1)?.command
    }

    release(): void {
        this.client.off("error", this.onError)
        this.client.release(this.broken)
    }

    /** A connection on which the server or the network failed is not used again: its state is not known. */
    private async sent(query: pg.QueryConfig): Promise<pg.QueryResult> {
        try {
            return await this.client.query(query)
        } catch (error) {
            const failure = failureOf(error)
            if (failure !== error) this.broken ??= error as Error
            throw failure
        }
    }

    private readonly onError = (error: Error) => {
        this.broken ??= error
    }
}

/** The names of prepared statements: of those that come more than once, as long as there are not too many. */
class Names {
    private readonly names = new Map<string, string>()
    private readonly seen = new Set<string>()

    of(sql: string): string | undefined {
        const known = this.names.get(sql)
        if (known !== undefined || this.names.size >= maxPrepared) return known
        if (!this.seen.delete(sql)) {
            if (this.seen.size >= maxPrepared) this.seen.delete(this.seen.values().next().value!)
            this.seen.add(sql)
            return undefined
        }
        const name = `s${this.names.size}`
        this.names.set(sql, name)
        return name
    }
}
