import type { LogEvent } from "kysely"
import { openPostgres } from "../../clinic/store/postgres/open.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import type { Store } from "../../clinic/store/store.ts"
import { TestPostgres } from "../support/postgres.ts"

/** With PostgreSQL where test/clinic/postgres/suite.test.ts runs the tests again. */
const state: { server?: TestPostgres; template?: string } = {}
const open: { store: Store; url: string }[] = []
/** Databases of tests that are over: emptied, they are those of others. */
const free: string[] = []

/** From now on `newStore` gives stores of PostgreSQL. */
export async function usePostgres(): Promise<TestPostgres> {
    const server = await TestPostgres.start({ settings: ["fsync=off", "synchronous_commit=off"] })
    const url = await server.database()
    await (await openPostgres(url)).close()
    state.template = new URL(url).pathname.slice(1)
    state.server = server
    return server
}

/** After a test: what it left open is closed, and its databases are empty again. */
export async function recycle({ server } = state): Promise<void> {
    for (const { store, url } of open.splice(0)) {
        await store.close().catch(() => {})
        await server!.sql(emptying, url)
        free.push(url)
    }
}

/** All rows of all tables, whatever refers to them and guards them, and ids from 1 again. */
const emptying = `
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT quote_ident(relname) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT IN ('schema_version', 'turn')
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
    FOR name IN SELECT quote_ident(relname) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
    LOOP EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART'; END LOOP;
END $$`

/** So many runs of a property that takes a store for each: few where a store is a database of a server. */
export function onEngine(runs: number, few = 3): number {
    return state.server ? few : runs
}

/** A store with nothing in it. */
export async function newStore(log?: (event: LogEvent) => void): Promise<Store> {
    const { server, template } = state
    if (!server) return openSqlite(":memory:", log)
    const url = free.pop() ?? (await server.database(template))
    const store = await openPostgres(url, log)
    open.push({ store, url })
    return store
}
