import { statSync } from "node:fs"
import { join } from "node:path"
import { sql } from "kysely"
import { isPostgres } from "./postgres/address.ts"
import { openPostgres } from "./postgres/open.ts"
import { openSqlite } from "./sqlite/open.ts"
import type { Store } from "./store.ts"

/** A clinic's store, by where it is. */
export interface OpenStore {
    store: Store
    /** What it takes of the disk; 0 while nobody knows. */
    bytes(): number
}

/** @param database URL of PostgreSQL; without it the embedded database in the folder `data`. Throws UserError. */
export async function openStore(data: string, database: string | undefined): Promise<OpenStore> {
    if (database !== undefined && isPostgres(database)) {
        const store = await openPostgres(database)
        return { store, bytes: new DatabaseSize(store).bytes }
    }
    const store = openSqlite(join(data, "clinic.db"))
    const bytes = (name: string) => statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0
    return { store, bytes: () => bytes("clinic.db") + bytes("clinic.db-wal") }
}

/** As of the last time that somebody asked: the server is asked again meanwhile. */
class DatabaseSize {
    private readonly store: Store
    private last = 0

    constructor(store: Store) {
        this.store = store
        this.ask()
    }

    readonly bytes = (): number => {
        this.ask()
        return this.last
    }

    private ask(): void {
        void sql<{ bytes: number }>`SELECT pg_database_size(current_database()) AS bytes`
            .execute(this.store.db)
            .then(({ rows }) => (this.last = rows[0]?.bytes ?? 0))
            .catch(() => {})
    }
}
