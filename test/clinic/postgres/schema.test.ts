import assert from "node:assert/strict"
import { after, test } from "node:test"
import { sql, type Kysely } from "kysely"
import { portable } from "../../../clinic/store/postgres/portable.ts"
import { openPostgres } from "../../../clinic/store/postgres/open.ts"
import type { Schema } from "../../../clinic/store/schema.ts"
import { openSqlite } from "../../../clinic/store/sqlite/open.ts"
import { noPostgres, TestPostgres } from "../../support/postgres.ts"

const server = noPostgres === false ? await TestPostgres.start({ settings: ["fsync=off"] }) : undefined
after(() => server?.close())

/** SQLite's name of each type. */
const kinds: Record<string, string> = {
    bigint: "INTEGER",
    integer: "INTEGER",
    smallint: "INTEGER",
    text: "TEXT",
    bytea: "BLOB",
    "double precision": "REAL",
}

/** Tables that only one engine has. */
const own = ["schema_version", "turn"]

type Db = Kysely<Schema>

async function sqliteSchema(db: Db): Promise<string[]> {
    const columns = await sql<{ line: string }>`
        SELECT t.name || '.' || c.name || ' ' || c.type || CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE '' END
            || CASE WHEN c.dflt_value IS NULL THEN '' ELSE ' default ' || c.dflt_value END AS line
        FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`.execute(
        db,
    )
    const keys = await sql<{ line: string }>`
        SELECT t.name || ' key '
            || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)) AS line
        FROM sqlite_schema t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`.execute(db)
    const indexes = await sql<{ line: string }>`
        SELECT CASE i.origin WHEN 'c' THEN 'index ' || i.name ELSE t.name END
            || CASE i."unique" WHEN 1 THEN ' unique ' ELSE ' ' END
            || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
            || CASE i.partial WHEN 1 THEN ' where' ELSE '' END AS line
        FROM sqlite_schema t, pragma_index_list(t.name) i
        WHERE t.type = 'table' AND i.origin IN ('c', 'u')`.execute(db)
    const references = await sql<{ line: string }>`
        SELECT t.name || '.' || f."from" || ' -> ' || f."table" AS line
        FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'`.execute(db)
    return [columns, keys, indexes, references].flatMap(({ rows }) => rows.map(({ line }) => line)).sort()
}

async function postgresSchema(db: Db): Promise<string[]> {
    const { rows } = await sql<{ table: string; column: string; type: string; must: boolean; preset: string | null }>`
        SELECT relname AS table, attname AS column, format_type(atttypid, NULL) AS type, attnotnull AS must,
            split_part(pg_get_expr(adbin, adrelid), '::', 1) AS preset
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
            AND NOT relispartition`.execute(db)
    const columns = rows
        .filter(({ table }) => !own.includes(table))
        .map(
            ({ table, column, type, must, preset }) =>
                `${table}.${column} ${kinds[type] ?? type}${must ? " not null" : ""}${preset === null ? "" : ` default ${preset}`}`,
        )
    const indexes = await sql<{ line: string }>`
        SELECT CASE WHEN indisprimary THEN t.relname || ' key '
                WHEN con.oid IS NOT NULL THEN t.relname || ' unique '
                ELSE 'index ' || i.relname || CASE WHEN indisunique THEN ' unique ' ELSE ' ' END END
            || (SELECT string_agg(attname, ',' ORDER BY n) FROM unnest(indkey) WITH ORDINALITY k (attnum, n)
                JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND n <= indnkeyatts)
            || CASE WHEN indpred IS NULL THEN '' ELSE ' where' END AS line
        FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
            LEFT JOIN pg_constraint con ON con.conindid = indexrelid AND con.contype = 'u'
        WHERE t.relnamespace = 'public'::regnamespace`.execute(db)
    const references = await sql<{ line: string }>`
        SELECT t.relname || '.' || attname || ' -> ' || other.relname AS line
        FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid JOIN pg_class other ON other.oid = confrelid
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = conkey[1]
        WHERE contype = 'f'`.execute(db)
    return [...columns, ...[indexes, references].flatMap(({ rows }) => rows.map(({ line }) => line))].sort()
}

test("both engines have the same tables, columns, keys, indexes and references", { skip: noPostgres }, async t => {
    const sqlite = openSqlite(":memory:")
    const postgres = await openPostgres(await server!.database())
    t.after(() => Promise.all([sqlite.close(), postgres.close()]))
    const [expected, found] = [await sqliteSchema(sqlite.db), await postgresSchema(postgres.db)]
    const missing = expected.filter(line => !found.includes(line))
    const unknown = found.filter(line => !expected.includes(line))
    assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] }, "in PostgreSQL, compared with SQLite")
    assert.ok(expected.length > 250)
})

test("a migration in SQLite's words is one in PostgreSQL's", { skip: noPostgres }, async () => {
    const script = `
        -- A comment, and INTEGER in it.
        CREATE TABLE thing (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hash BLOB NOT NULL UNIQUE,
            name TEXT NOT NULL DEFAULT 'TEXTS',
            weight REAL,
            account INTEGER NOT NULL REFERENCES account (id),
            UNIQUE (name, account)
        ) STRICT;
        CREATE TABLE pair (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID;
        CREATE INDEX thing_name ON thing (name, id) WHERE weight IS NOT NULL;
        ALTER TABLE thing ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
        INSERT INTO account (name, role) VALUES ('a', 'router');
        INSERT INTO thing (hash, account) VALUES (x'00ff', 1);
    `
    const url = await server!.database()
    await (await openPostgres(url)).close()
    await server!.sql(portable(script), url)
    assert.deepEqual(await server!.sql("SELECT id, hash, name, weight, seen_at FROM thing", url), [
        { id: "1", hash: Buffer.from([0, 255]), name: "TEXTS", weight: null, seen_at: "0" },
    ])
})
