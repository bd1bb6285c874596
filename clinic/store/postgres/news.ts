import { randomInt, randomUUID } from "node:crypto"
import pg from "pg"
import type { Changes } from "../store.ts"
import type { TableName } from "../schema.ts"
import type { Server } from "./address.ts"
import { settings, verify } from "./pool.ts"

export const channel = "vitalmote"
/** PostgreSQL takes less than 8000 bytes. */
const maxPayloadIds = 400
/** How often a process makes sure that it is still connected, or tries to be, and asks whether the duty is free. */
const beatMs = 2_000
const answerMs = 5_000

/** Classes of advisory locks: the duty, and a lock for each process that lives. */
const dutyClass = 1447906156
const processClass = dutyClass + 1

interface Message {
    from: string
    changes: Partial<Record<TableName, number[]>>
}

/** What `changes` are told others in, as texts for NOTIFY: one, unless there are many ids. */
function messages(from: string, changes: Changes): string[] {
    const text = (some: Message["changes"]) => JSON.stringify({ from, changes: some } satisfies Message)
    const all = [...changes].map(([table, ids]) => ({ table, ids: [...ids] }))
    if (all.reduce((sum, { ids }) => sum + ids.length, 0) <= maxPayloadIds)
        return [text(Object.fromEntries(all.map(({ table, ids }) => [table, ids])))]
    return all.flatMap(({ table, ids }) => {
        const pieces = Math.max(1, Math.ceil(ids.length / maxPayloadIds))
        return Array.from({ length: pieces }, (_, i) =>
            text({ [table]: ids.slice(i * maxPayloadIds, (i + 1) * maxPayloadIds) }),
        )
    })
}

export interface NewsOptions {
    servers: readonly Server[]
    /** Another process has committed these. */
    heard: (changes: Changes) => void
    /** The connection was lost and is there again: what was committed meanwhile was not told. */
    missed: () => void
}

/**
 * The connection on which a process hears what others on the same database commit, and by which the others know that it lives. One
 * of them at a time is on duty: it has the lock that PostgreSQL takes from it when its connection ends.
 */
export class News {
    /** Of this process, among those on the database. */
    readonly process = randomInt(1, 2 ** 31 - 1)
    private readonly o: NewsOptions
    private readonly id = randomUUID()
    private client: pg.Client | undefined
    private hasDuty = false
    private current = 0
    private timer: NodeJS.Timeout | undefined
    private beating: Promise<void> | undefined
    private isClosed = false

    constructor(o: NewsOptions) {
        this.o = o
    }

    /** Throws where the server cannot be reached. */
    async open(): Promise<void> {
        this.client = await this.connect()
        await this.askForDuty()
        this.wait()
    }

    /** Whether this process does what one of them has to do. */
    get isOnDuty(): boolean {
        return this.hasDuty
    }

    /** To be sent by NOTIFY, in the transaction that makes these changes, or after them. */
    messages(changes: Changes): string[] {
        return messages(this.id, changes)
    }

    /** The processes that are connected. */
    async alive(): Promise<Set<number>> {
        const { rows } = await this.connected().query<{ process: number }>(
            `SELECT objid::bigint AS process FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
                WHERE locktype = 'advisory' AND classid = ${processClass} AND granted AND datname = current_database()`,
        )
        return new Set(rows.map(({ process }) => process))
    }

    async close(): Promise<void> {
        this.isClosed = true
        clearTimeout(this.timer)
        await this.beating
        this.hasDuty = false
        await this.client?.end().catch(() => {})
    }

    private connected(): pg.Client {
        if (!this.client) throw new Error("there is no connection to the database")
        return this.client
    }

    private async connect(): Promise<pg.Client> {
        const { servers } = this.o
        const server = servers[this.current]!
        const client = new pg.Client({ ...settings(server), query_timeout: answerMs })
        client.on("error", () => this.lose(client))
        client.on("end", () => this.lose(client))
        client.on("notification", ({ payload }) => this.hear(payload ?? ""))
        try {
            await client.connect()
            await verify(client)
            await client.query(`LISTEN ${channel}`)
            await client.query(`SELECT pg_advisory_lock(${processClass}, ${this.process})`)
            return client
        } catch (error) {
            this.current = (this.current + 1) % servers.length
            await client.end().catch(() => {})
            throw error
        }
    }

    private lose(client: pg.Client): void {
        if (this.client !== client) return
        this.client = undefined
        this.hasDuty = false
    }

    private hear(payload: string): void {
        const { from, changes } = JSON.parse(payload) as Message
        if (from === this.id) return
        this.o.heard(new Map(Object.entries(changes).map(([table, ids]) => [table as TableName, new Set(ids)])))
    }

    private wait(): void {
        if (this.isClosed) return
        this.timer = setTimeout(() => {
            this.beating = this.beat().finally(() => this.wait())
        }, beatMs)
    }

    /** Never throws: what failed is tried again. */
    private async beat(): Promise<void> {
        const { client } = this
        try {
            if (client) return await this.askForDuty()
            this.client = await this.connect()
            await this.askForDuty()
            this.o.missed()
        } catch {
            if (!client) return
            this.lose(client)
            void client.end().catch(() => {})
        }
    }

    private async askForDuty(): Promise<void> {
        const client = this.connected()
        const { rows } = await client.query<{ mine: boolean }>(
            this.hasDuty ? "SELECT true AS mine" : `SELECT pg_try_advisory_lock(${dutyClass}, 1) AS mine`,
        )
        if (this.client === client) this.hasDuty = rows[0]?.mine === true
    }
}
