import { Kysely, type LogEvent } from "kysely"
import { lockSqlite, openSqlite as openDatabase } from "../../../host/sqlite.ts"
import type { Schema } from "../schema.ts"
import { alone, Store } from "../store.ts"
import { sqliteDialect } from "./dialect.ts"
import { sqliteIds } from "./ids.ts"
import { migrations } from "./migrations.ts"

/** Says in the file whose it is: "VMcl". */
const applicationId = 0x564d636c

const engine = { ...alone, ids: sqliteIds }

export const databaseFormat = { name: "the clinic's database", applicationId, migrations }

/**
 * The embedded store, which belongs to one clinic at a time. `path` is a file, made where it does not exist, or
 * ":memory:". Throws UserError for a file that is no healthy clinic database, that a newer version wrote or that is in use.
 * @param log is told of every statement
 */
export function openSqlite(path: string, log?: (event: LogEvent) => void): Store {
    const database = openDatabase(path, databaseFormat)
    return new Store(new Kysely<Schema>({ dialect: sqliteDialect(database), ...(log && { log }) }), engine)
}

/** Opens the database of a clinic that does not run, without changing what is in it. Throws UserError, as above. */
export function readSqlite(path: string): Store {
    return new Store(new Kysely<Schema>({ dialect: sqliteDialect(lockSqlite(path, databaseFormat)) }), engine)
}
