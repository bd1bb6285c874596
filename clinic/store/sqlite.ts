import type Database from "libsql"
import { all, closeSqlite, openSqlite as openDatabase } from "../../host/sqlite.ts"
import { migrations } from "./schema.ts"
import type { Sql, Store, Value } from "./store.ts"

/** Says in the file whose it is: "VMcl". */
const applicationId = 0x564d636c

/**
 * The embedded store, which belongs to one clinic at a time. `path` is a file, made where it does not exist, or
 * ":memory:". Throws UserError for a file that is no healthy clinic database, that a newer version wrote or that is in use.
 */
export function openSqlite(path: string): Store {
    const format = { name: "the clinic's database", applicationId, migrations }
    return new SqliteStore(openDatabase(path, format))
}

class SqliteStore implements Store {
    private readonly database: Database.Database
    private readonly statements = new Map<string, Database.Statement>()
    /** Settles when the running transaction is over; everybody shares the one connection. */
    private transactionOver: Promise<void> | undefined

    constructor(database: Database.Database) {
        this.database = database
    }

    async all<Row>(sql: string, ...parameters: Value[]): Promise<Row[]> {
        while (this.transactionOver) await this.transactionOver
        return this.allNow(sql, parameters)
    }

    async run(sql: string, ...parameters: Value[]): Promise<number> {
        while (this.transactionOver) await this.transactionOver
        return this.runNow(sql, parameters)
    }

    async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
        while (this.transactionOver) await this.transactionOver
        let over = () => {}
        this.transactionOver = new Promise(resolve => (over = resolve))
        try {
            this.database.exec("BEGIN IMMEDIATE")
            const result = await work({
                all: async (sql, ...parameters) => this.allNow(sql, parameters),
                run: async (sql, ...parameters) => this.runNow(sql, parameters),
            })
            this.database.exec("COMMIT")
            return result
        } catch (error) {
            if (this.database.inTransaction) this.database.exec("ROLLBACK")
            throw error
        } finally {
            this.transactionOver = undefined
            over()
        }
    }

    async close(): Promise<void> {
        while (this.transactionOver) await this.transactionOver
        this.statements.clear()
        closeSqlite(this.database)
    }

    private allNow<Row>(sql: string, parameters: Value[]): Row[] {
        return all<Row>(this.statement(sql), this.bound(parameters))
    }

    private runNow(sql: string, parameters: Value[]): number {
        return this.statement(sql).run(this.bound(parameters)).changes
    }

    private statement(sql: string): Database.Statement {
        let statement = this.statements.get(sql)
        if (!statement) this.statements.set(sql, (statement = this.database.prepare(sql)))
        return statement
    }

    /** libsql aborts the process on a type it does not know. */
    private bound(parameters: Value[]): Value[] {
        for (const value of parameters)
            if (
                value !== null &&
                typeof value !== "string" &&
                typeof value !== "number" &&
                !(value instanceof Uint8Array)
            )
                throw new TypeError(`a ${typeof value} cannot be stored`)
        return parameters
    }
}
