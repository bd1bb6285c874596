import Database from "libsql"
import { closeSync, openSync } from "node:fs"
import { UserError } from "../../host/errors.ts"
import { migrations } from "./schema.ts"
import type { Sql, Store, Value } from "./store.ts"

const busyTimeoutMs = 5000
/** Above this, checking the whole file would hold up the start for more than about a second. */
const checkedBytes = 256 * 2 ** 20

/**
 * The embedded store: SQLite in WAL mode with synchronous=FULL, so a committed transaction survives `kill -9` and power
 * loss. `path` is a file, made where it does not exist, or ":memory:". Throws UserError for a file that is no healthy
 * clinic database or that a newer version wrote.
 */
export function openSqlite(path: string): Store {
    let store: SqliteStore | undefined
    try {
        // libsql would make the file readable to everyone.
        if (path !== ":memory:") closeSync(openSync(path, "a", 0o600))
        store = new SqliteStore(path)
        store.prepare()
        return store
    } catch (error) {
        store?.closeNow()
        if (error instanceof UserError) throw error
        throw new UserError(`cannot use the clinic's database ${path}: ${(error as Error).message}`)
    }
}

class SqliteStore implements Store {
    private readonly path: string
    private readonly database: Database.Database
    private readonly statements = new Map<string, Database.Statement>()
    /** Settles when the running transaction is over; everybody shares the one connection. */
    private transactionOver: Promise<void> | undefined

    constructor(path: string) {
        this.path = path
        this.database = new Database(path, { timeout: busyTimeoutMs })
    }

    prepare(): void {
        this.database.exec("PRAGMA journal_mode = WAL")
        this.database.exec("PRAGMA synchronous = FULL")
        this.database.exec("PRAGMA foreign_keys = ON")
        this.check()
        this.migrate()
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
        // So that the one file is the whole database, for whoever copies it.
        this.allNow("PRAGMA wal_checkpoint(TRUNCATE)", [])
        this.closeNow()
    }

    closeNow(): void {
        this.statements.clear()
        this.database.close()
    }

    private check(): void {
        const [size] = this.allNow<{ bytes: number }>(
            "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()",
            [],
        )
        if (size!.bytes > checkedBytes) return
        const [result] = this.allNow<{ quick_check: string }>("PRAGMA quick_check(1)", [])
        if (result?.quick_check !== "ok") throw this.unusable("is damaged: restore it from a copy")
    }

    private migrate(): void {
        const tables = this.allNow<{ name: string }>(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            [],
        )
        const isOurs = tables.some(({ name }) => name === "schema_version")
        if (!isOurs && tables.length > 0) throw this.unusable("is not a clinic database")
        this.database.exec("BEGIN IMMEDIATE")
        if (!isOurs) {
            this.database.exec("CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT")
            this.database.exec("INSERT INTO schema_version VALUES (0)")
        }
        const [row] = this.allNow<{ version: number }>("SELECT version FROM schema_version", [])
        const version = row?.version ?? NaN
        if (!(version <= migrations.length))
            throw this.unusable(
                `has schema version ${version}, this program knows up to ${migrations.length}: use a newer one`,
            )
        for (const script of migrations.slice(version)) this.database.exec(script)
        this.runNow("UPDATE schema_version SET version = ?", [migrations.length])
        this.database.exec("COMMIT")
    }

    private unusable(why: string): UserError {
        return new UserError(`the clinic's database ${this.path} ${why}`)
    }

    private allNow<Row>(sql: string, parameters: Value[]): Row[] {
        const rows = this.statement(sql).all(...this.bound(parameters)) as Record<string, unknown>[]
        for (const row of rows)
            for (const column in row) {
                const value = row[column]
                if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value)
            }
        return rows as Row[]
    }

    private runNow(sql: string, parameters: Value[]): number {
        return this.statement(sql).run(...this.bound(parameters)).changes
    }

    private statement(sql: string): Database.Statement {
        let statement = this.statements.get(sql)
        if (!statement) this.statements.set(sql, (statement = this.database.prepare(sql)))
        return statement
    }

    /** libsql aborts the process on a type it does not know, and takes a lone object for named parameters. */
    private bound(parameters: Value[]): [Value[]] {
        for (const value of parameters)
            if (
                value !== null &&
                typeof value !== "string" &&
                typeof value !== "number" &&
                !(value instanceof Uint8Array)
            )
                throw new TypeError(`a ${typeof value} cannot be stored`)
        return [parameters]
    }
}
