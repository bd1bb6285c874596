import pg from "pg"
import { failureOf } from "./failure.ts"
import type { Server } from "./address.ts"
import { types } from "./values.ts"

/** For one statement, and for the turn to write. */
const statementMs = 30_000
const lockMs = 10_000
/** A process that stops in the middle of a transaction holds up all others for so long. */
const idleInTransactionMs = 15_000
/** To connect, or to wait for a connection that others have. */
const connectMs = 5_000
const maxConnections = 10

/** What every connection says about itself. A process whose machine is gone gives up its locks after half a minute. */
export function settings(server: Server): pg.ClientConfig {
    return {
        ...server,
        types,
        application_name: "vitalmote",
        statement_timeout: statementMs,
        lock_timeout: lockMs,
        idle_in_transaction_session_timeout: idleInTransactionMs,
        query_timeout: statementMs + connectMs,
        connectionTimeoutMillis: connectMs,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
        options: "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4",
    }
}

/** For what reads a whole database: nobody waits for it. */
export const unlimited = { statement_timeout: 0, query_timeout: 0, idle_in_transaction_session_timeout: 0 }

/** Connections to whichever of a database's servers can be written to. */
export class Pool {
    private readonly pools: pg.Pool[]
    /** The server that worked last. */
    private current = 0

    constructor(servers: readonly Server[], limits: pg.ClientConfig = {}) {
        this.pools = servers.map(server => {
            const pool = new pg.Pool({
                ...settings(server),
                ...limits,
                max: maxConnections,
                verify: (client, done) => void verify(client).then(() => done(), done),
            })
            // A connection that nobody uses may break: it has left the pool already.
            pool.on("error", () => {})
            return pool
        })
    }

    /** Throws StoreFailure where no server can be written to. */
    async connect(): Promise<pg.PoolClient> {
        let failed: unknown
        for (let i = 0; i < this.pools.length; i++) {
            try {
                return await this.pools[this.current]!.connect()
            } catch (error) {
                failed ??= error
                this.current = (this.current + 1) % this.pools.length
            }
        }
        throw failureOf(failed)
    }

    async end(): Promise<void> {
        await Promise.all(this.pools.map(pool => pool.end()))
    }
}

/** Rejects where the server is a standby. */
export async function verify(client: pg.ClientBase): Promise<void> {
    const { rows } = await client.query<{ standby: boolean }>("SELECT pg_is_in_recovery() AS standby")
    if (rows[0]?.standby !== false) throw new Error("the server is a standby, which nobody can write to")
}
