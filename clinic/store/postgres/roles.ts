import pg from "pg"
import { migrate } from "./migrate.ts"
import { atDatabase } from "./open.ts"

/** Tables whose rows the service adds, and never changes or removes. */
const onlyGrow = ["audit", "audit_patient"]

/**
 * As the owner of a database: makes its tables or brings them forward, and gives another role what the service needs and no more. It
 * cannot change tables, nor change or remove what is in the audit record. Throws UserError.
 */
export async function prepareFor(url: string, role: string): Promise<void> {
    const name = pg.escapeIdentifier(role)
    const grown = onlyGrow.join(", ")
    await atDatabase(url, async client => {
        await migrate(client)
        const { rows } = await client.query<{ schema: string }>("SELECT quote_ident(current_schema()) AS schema")
        const { schema } = rows[0]!
        await client.query(`
            BEGIN;
            REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${name};
            GRANT USAGE ON SCHEMA ${schema} TO ${name};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${name};
            REVOKE UPDATE, DELETE ON ${grown} FROM ${name};
            REVOKE INSERT, UPDATE, DELETE ON schema_version FROM ${name};
            COMMIT`)
    })
}
