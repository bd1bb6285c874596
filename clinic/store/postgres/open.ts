import { Kysely, sql, type LogEvent } from "kysely"
import pg from "pg"
import { reasonOf, UserError } from "../../../host/errors.ts"
import type { Schema } from "../schema.ts"
import { Store, type Changes, type Source } from "../store.ts"
import { parseAddress, type Server } from "./address.ts"
import { beginReading, postgresDialect } from "./dialect.ts"
import { postgresIds } from "./ids.ts"
import { migrate, versionOf } from "./migrate.ts"
import { migrations } from "../sqlite/migrations.ts"
import { channel, News } from "./news.ts"
import { Pool, settings, unlimited, verify } from "./pool.ts"
import { Turns } from "./turns.ts"

/**
 * A database of PostgreSQL, which several clinics may have open at once. Its tables are made or brought forward where the role may
 * do that. Throws UserError where the server cannot be used, or the database belongs to another program or a newer version.
 * @param url as in address.ts
 * @param log is told of every statement
 */
export async function openPostgres(url: string, log?: (event: LogEvent) => void): Promise<Store> {
    const servers = parseAddress(url)
    try {
        await withServer(servers, migrate)
        const pool = new Pool(servers)
        const db = new Kysely<Schema>({ dialect: postgresDialect(pool), ...(log && { log }) })
        const turns = new Turns()
        const heard: { store?: Store } = {}
        const news = new News({
            servers,
            heard: changes => heard.store?.hear(changes),
            missed: () => void heard.store?.missed(),
        })
        const announce = async (on: Kysely<Schema>, changes: Changes) => {
            for (const message of news.messages(changes))
                await sql`SELECT pg_notify(${channel}, ${message})`.execute(on)
        }
        await news.open()
        return (heard.store = new Store(db, {
            inTurn: attempt => turns.take(attempt),
            announce,
            isOnDuty: () => news.isOnDuty,
            process: news.process,
            living: () => news.alive(),
            ids: postgresIds,
            close: () => news.close(),
        }))
    } catch (error) {
        throw new UserError(`cannot use the clinic's database: ${reason(error)}`)
    }
}

/** Whether a clinic could be started with this database; nothing is changed. Throws UserError. */
export async function checkPostgres(url: string): Promise<void> {
    await atDatabase(url, versionOf)
}

/** Two backups of one database wait for each other. */
const backupLock = "SELECT pg_advisory_lock(1447906156, 2)"

/** Works while nobody else makes a backup of this database. Throws UserError where it is not one that can be copied. */
export async function alongsideClinics(url: string, work: (bytes: number) => Promise<void>): Promise<void> {
    let failed: { error: unknown } | undefined
    await atDatabase(url, async client => {
        if ((await versionOf(client)) !== migrations.length)
            throw new UserError("its tables are not those of this version: start the clinic first")
        await client.query(backupLock)
        const { rows } = await client.query<{ bytes: number }>(
            "SELECT pg_database_size(current_database())::float8 AS bytes",
        )
        await work(rows[0]?.bytes ?? 0).catch((error: unknown) => (failed = { error }))
    })
    if (failed) throw failed.error
}

/** Everything that is in a database at one moment, for as long as `work` reads it; clinics go on meanwhile. */
export async function atOneMoment<T>(url: string, work: (source: Source) => Promise<T>): Promise<T> {
    const pool = new Pool(parseAddress(url), unlimited)
    const reading = new Kysely<Schema>({ dialect: postgresDialect(pool, beginReading) })
    try {
        return await reading.transaction().execute(db => work({ db, lastId: table => postgresIds.last(db, table) }))
    } finally {
        await reading.destroy()
    }
}

/** One connection for work that is none of the service's. Throws UserError. */
export async function atDatabase(url: string, work: (client: pg.ClientBase) => Promise<unknown>): Promise<void> {
    await withServer(parseAddress(url), work).catch((error: unknown) => {
        throw new UserError(`cannot use the clinic's database: ${reason(error)}`)
    })
}

/** Works on the first of the servers that can be written to. */
async function withServer(
    servers: readonly Server[],
    work: (client: pg.ClientBase) => Promise<unknown>,
): Promise<void> {
    let failed: unknown
    for (const server of servers) {
        const client = new pg.Client({ ...settings(server), statement_timeout: 0, query_timeout: 0 })
        client.on("error", () => {})
        try {
            await client.connect()
            await verify(client)
            return void (await work(client))
        } catch (error) {
            if (error instanceof UserError) throw error
            failed ??= error
        } finally {
            await client.end().catch(() => {})
        }
    }
    throw failed
}

/** The server's own words say what is wrong, such as that a role has no such password. */
function reason(error: unknown): string {
    const { code, errors } = error as { code?: string; errors?: unknown[] }
    if (errors?.[0]) return reason(errors[0])
    if (code === "ECONNREFUSED" || code === "ENOENT") return "no server answers there"
    return reasonOf(error)
}
