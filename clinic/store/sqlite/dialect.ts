import type Database from "libsql"
import {
    SqliteAdapter,
    SqliteIntrospector,
    SqliteQueryCompiler,
    type CompiledQuery,
    type DatabaseConnection,
    type Dialect,
    type Driver,
    type Kysely,
    type QueryResult,
} from "kysely"
import { all, closeSqlite } from "../../../host/sqlite.ts"
import { StoreFailure } from "../failure.ts"

/** Prepared statements that are kept; the way of an envelope needs about twenty, readers some more. */
const maxStatements = 200

/** Kysely's SQLite over libsql: one connection, which whoever is first has for a statement or a transaction. */
export function sqliteDialect(database: Database.Database): Dialect {
    return {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new SqliteDriver(database),
        createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
    }
}

class SqliteDriver implements Driver {
    private readonly database: Database.Database
    private readonly connection: SqliteConnection
    private isTaken = false
    private readonly waiting: (() => void)[] = []

    constructor(database: Database.Database) {
        this.database = database
        this.connection = new SqliteConnection(database)
    }

    async init(): Promise<void> {}

    async acquireConnection(): Promise<DatabaseConnection> {
        if (this.isTaken) await new Promise<void>(resolve => this.waiting.push(resolve))
        this.isTaken = true
        return this.connection
    }

    /** The next in line gets it without anybody coming between. */
    async releaseConnection(): Promise<void> {
        const next = this.waiting.shift()
        if (next) next()
        else this.isTaken = false
    }

    async beginTransaction(): Promise<void> {
        failing(() => this.database.exec("BEGIN IMMEDIATE"))
    }

    async commitTransaction(): Promise<void> {
        failing(() => this.database.exec("COMMIT"))
    }

    /** SQLite has rolled back by itself after some failures, such as a full disk. */
    async rollbackTransaction(): Promise<void> {
        if (this.database.inTransaction) this.database.exec("ROLLBACK")
    }

    async destroy(): Promise<void> {
        await this.acquireConnection()
        this.connection.forget()
        closeSqlite(this.database)
    }
}

class SqliteConnection implements DatabaseConnection {
    private readonly database: Database.Database
    /** By their SQL, the least recently used first. */
    private readonly statements = new Map<string, Database.Statement>()

    constructor(database: Database.Database) {
        this.database = database
    }

    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
        const bound = checked(parameters)
        return failing(() => {
            const statement = this.statement(sql)
            if (statement.reader) return { rows: all<Row>(statement, bound) }
            const { changes } = statement.run(bound)
            return { rows: [], numAffectedRows: BigInt(changes) }
        })
    }

    async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
        yield await this.executeQuery<Row>(query)
    }

    forget(): void {
        this.statements.clear()
    }

    private statement(sql: string): Database.Statement {
        let statement = this.statements.get(sql)
        if (statement) this.statements.delete(sql)
        else {
            statement = this.database.prepare(sql)
            if (this.statements.size >= maxStatements) this.statements.delete(this.statements.keys().next().value!)
        }
        this.statements.set(sql, statement)
        return statement
    }
}

/** Says StoreFailure where the disk is full or broken. */
function failing<T>(work: () => T): T {
    try {
        return work()
    } catch (error) {
        const code = String((error as { code?: unknown }).code)
        if (code === "SQLITE_FULL") throw new StoreFailure("full", error)
        if (/^SQLITE_(IOERR|CANTOPEN|CORRUPT|READONLY|NOTADB|BUSY)/.test(code)) throw new StoreFailure("broken", error)
        throw error
    }
}

/** libsql aborts the process on a type it does not know. */
function checked(parameters: readonly unknown[]): unknown[] {
    for (const value of parameters)
        if (value !== null && typeof value !== "string" && typeof value !== "number" && !(value instanceof Uint8Array))
            throw new TypeError(`a ${typeof value} cannot be stored`)
    return parameters as unknown[]
}
