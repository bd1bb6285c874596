import { createHash } from "node:crypto"
import { sql, type Kysely } from "kysely"
import { UserError } from "../../host/errors.ts"
import type { Value } from "./access.ts"
import type { Schema, TableName } from "./schema.ts"
import type { Source, Store } from "./store.ts"

type Db = Kysely<Schema>
type Row = Record<string, Value>

/** Rows that are read at once. */
const pageRows = 2_000
/** Of one statement; SQLite takes 32,766. */
const maxParameters = 30_000

/** What orders a table, and whether new rows get the next number. */
interface Keyed {
    key: readonly string[]
    hasIds?: true
}

/** All that is kept, in an order in which what refers to a row comes after it. */
const tables: Readonly<Record<Exclude<TableName, "probe">, Keyed>> = {
    patient: { key: ["id"], hasIds: true },
    account: { key: ["id"], hasIds: true },
    token: { key: ["id"], hasIds: true },
    session: { key: ["id"], hasIds: true },
    setup_link: { key: ["hash"] },
    second_factor: { key: ["account"] },
    recovery_code: { key: ["account", "hash"] },
    openid_link: { key: ["issuer", "subject"] },
    passkey: { key: ["id"], hasIds: true },
    mote: { key: ["id"], hasIds: true },
    association: { key: ["id"], hasIds: true },
    mote_alarm: { key: ["mote", "kind"] },
    envelope: { key: ["id"], hasIds: true },
    start: { key: ["mote", "boot", "salt"] },
    gap: { key: ["mote", "boot", "salt", "first"] },
    measurement: { key: ["id"], hasIds: true },
    configuration: { key: ["mote", "version"] },
    config_report: { key: ["mote"] },
    command: { key: ["mote", "version"] },
    alarm: { key: ["id"], hasIds: true },
    alarm_entry: { key: ["id"], hasIds: true },
    delivery: { key: ["id"], hasIds: true },
    ward_rules: { key: ["ward", "version"] },
    current: { key: ["patient", "name"] },
    router: { key: ["account"] },
    account_ward: { key: ["account", "ward"] },
    break_glass: { key: ["id"], hasIds: true },
    router_mote: { key: ["account", "mote"] },
    bedside: { key: ["id"], hasIds: true },
    saturation_scale: { key: ["id"], hasIds: true },
    note: { key: ["id"], hasIds: true },
    audit: { key: ["id"] },
    audit_patient: { key: ["patient", "audit"] },
    audit_head: { key: ["id"] },
    audit_begun: { key: ["id"], hasIds: true },
    publication: { key: ["name"] },
    retention_rule: { key: ["ward", "version"] },
    mean: { key: ["id"], hasIds: true },
    retention_state: { key: ["id"] },
    legal_hold: { key: ["id"], hasIds: true },
    erasure: { key: ["patient"] },
}
type CopiedTable = keyof typeof tables
const names = Object.keys(tables) as CopiedTable[]

export type CopyProgress = (what: string, done: number, total: number) => void

/** What a table holds: its rows, and SHA-256 over them in the order of its key. */
export interface Contents {
    table: CopiedTable
    rows: number
    hash: string
}

/** Whether nothing is stored in it. */
export async function isEmpty({ db }: Store): Promise<boolean> {
    for (const name of names)
        if ((await sql`SELECT 1 AS one FROM ${sql.table(name)} LIMIT 1`.execute(db)).rows.length > 0) return false
    return true
}

/**
 * Copies everything of a store into an empty one, and reads it all again from there: the rows and their hashes have to be the same.
 * Numbers of new rows go on where they were. All of it is one transaction, so that a copy which is killed leaves nothing. Throws
 * UserError where something differs.
 */
export async function copyStore(from: Source, to: Store, progress: CopyProgress): Promise<Contents[]> {
    return await to.db.transaction().execute(async db => {
        const copied: Contents[] = []
        for (const name of names) copied.push(await copyTable(from.db, db, name, progress))
        for (const { table, rows, hash } of copied) {
            const found = await walk(db, table, progress, "comparing")
            if (found.rows !== rows || found.hash !== hash)
                throw new UserError(`the copy differs in the table ${table}: ${found.rows} rows for ${rows}`)
        }
        for (const name of names) if (tables[name].hasIds) await to.continueIds(db, name, await from.lastId(name))
        return copied
    })
}

async function copyTable(from: Db, to: Db, table: CopiedTable, progress: CopyProgress): Promise<Contents> {
    return await walk(from, table, progress, "copying", async rows => {
        const atOnce = Math.floor(maxParameters / Object.keys(rows[0]!).length)
        for (let i = 0; i < rows.length; i += atOnce)
            await to
                .insertInto(table)
                .values(rows.slice(i, i + atOnce) as never)
                .execute()
    })
}

/** Reads a table by its key, and gives each piece to `take`. */
async function walk(
    db: Db,
    table: CopiedTable,
    progress: CopyProgress,
    what: string,
    take: (rows: Row[]) => Promise<void> = async () => {},
): Promise<Contents> {
    const { key } = tables[table]
    const columns = sql.join(key.map(name => sql.ref(name)))
    const counted = await sql<{ count: number }>`SELECT count(*) AS count FROM ${sql.table(table)}`.execute(db)
    const total = counted.rows[0]!.count
    const hash = createHash("sha256")
    let rows = 0
    let behind = sql``
    for (;;) {
        const page = await sql<Row>`
            SELECT * FROM ${sql.table(table)} ${behind} ORDER BY ${columns} LIMIT ${sql.lit(pageRows)}`.execute(db)
        const last = page.rows.at(-1)
        if (!last) return { table, rows, hash: hash.digest("hex") }
        for (const row of page.rows) hash.update(textOf(row))
        await take(page.rows)
        rows += page.rows.length
        progress(`${what} ${table}`, rows, total)
        behind = sql`WHERE (${columns}) > (${sql.join(key.map(name => last[name]))})`
    }
}

/** One form for the same row, whatever the engine and the order of its columns. */
function textOf(row: Row): string {
    const named = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))
    return JSON.stringify(named.map(([name, value]) => [name, plain(value)])) + "\n"
}

function plain(value: Value): string | number | null {
    return value instanceof Uint8Array ? `x'${Buffer.from(value).toString("hex")}'` : value
}
