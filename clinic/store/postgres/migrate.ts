import pg from "pg"
import { UserError } from "../../../host/errors.ts"
import { migrations } from "../sqlite/migrations.ts"
import { base, baseVersion } from "./base.ts"
import { portable } from "./portable.ts"

/** Migrations that say in PostgreSQL's own words what SQLite's say, by version. */
const differing: Readonly<Record<number, (script: string) => string>> = {
    // The other alteration is SQLite's alone.
    21: script =>
        portable(
            script.replace(
                /ALTER TABLE measurement ALTER COLUMN .*/,
                "ALTER TABLE measurement DROP CONSTRAINT measurement_envelope_fkey;",
            ),
        ),
}

/** The one who migrates keeps all others out. */
const migrationLock = "SELECT pg_advisory_xact_lock(1447906156, 0)"

/** What only this engine has. */
const own = `
CREATE TABLE schema_version (version integer NOT NULL);
COMMENT ON TABLE schema_version IS 'a clinic of VitalMote';
INSERT INTO schema_version VALUES (0);
CREATE TABLE turn ();
COMMENT ON TABLE turn IS 'locked by the transaction whose turn it is to write';
`

/** What makes of a database of `version` the next one. */
function scriptAfter(version: number): { script: string; version: number } {
    if (version < baseVersion) return { script: own + base, version: baseVersion }
    const next = version + 1
    return { script: (differing[next] ?? portable)(migrations[version]!), version: next }
}

/** The version of the clinic's tables in this database; 0 where there are no tables at all. Throws UserError. */
export async function versionOf(client: pg.ClientBase): Promise<number> {
    const { rows: tables } = await client.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')`,
    )
    if (tables.length === 0) return 0
    if (!tables.some(({ name }) => name === "schema_version")) throw new UserError("it belongs to another program")
    const { rows } = await client.query<{ version: number }>("SELECT version FROM schema_version")
    const version = rows[0]?.version ?? 0
    if (version > migrations.length) throw new UserError("a newer version of VitalMote wrote it")
    return version
}

/** Brings the tables forward, all or nothing. Throws UserError, also where the role may not. */
export async function migrate(client: pg.ClientBase): Promise<void> {
    if ((await versionOf(client)) === migrations.length) return
    try {
        await client.query("BEGIN")
        await client.query(migrationLock)
        // Another process may have been faster.
        let version = await versionOf(client)
        while (version < migrations.length) {
            const next = scriptAfter(version)
            await client.query(next.script)
            version = next.version
        }
        await client.query(`UPDATE schema_version SET version = ${version}`)
        await client.query("COMMIT")
    } catch (error) {
        await client.query("ROLLBACK").catch(() => {})
        if (error instanceof pg.DatabaseError && error.code === "42501")
            throw new UserError(
                "its tables are not those of this version, and this role may not change them: run `vitalmote database` as their owner",
            )
        throw error
    }
}
