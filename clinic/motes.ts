import type { Clock } from "../host/clock.ts"
import { deriveKeys, kidBytes, secretBytes, type MoteKeys, type RouterKeys } from "../wire/keys.ts"
import { Conflict } from "./errors.ts"
import type { Sql, Store } from "./store/store.ts"
import type { Vault } from "./vault.ts"

/** A registered mote; it belongs to one patient for life, another patient gets a new identity. */
export interface Mote {
    id: number
    kid: Uint8Array
    patient: number
    /** Unix time in milliseconds. */
    registeredAt: number
    revokedAt: number | null
}

type MoteRow = Mote & { secret: Uint8Array }

const columns = `id, kid, secret, patient, registered_at AS "registeredAt", revoked_at AS "revokedAt"`

export class Motes {
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly vault: Vault
    /** Derived keys by mote id; they never change. */
    private readonly derived = new Map<number, MoteKeys>()

    constructor(store: Store, clock: Clock, random: (bytes: number) => Uint8Array, vault: Vault) {
        this.store = store
        this.clock = clock
        this.random = random
        this.vault = vault
    }

    /** A new identity for a patient on the ward; the secret is never given out again. */
    async register(
        patient: number,
        sql: Sql = this.store,
    ): Promise<{ mote: Mote; secret: Uint8Array }> {
        const kid = this.random(kidBytes)
        const secret = this.random(secretBytes)
        const [row] = await sql.all<MoteRow>(
            `INSERT INTO mote (kid, secret, patient, registered_at)
             SELECT ?, ?, id, ? FROM patient WHERE id = ? AND active = 1 RETURNING ${columns}`,
            ...[kid, this.vault.wrap(secret, kid), Math.trunc(this.clock.now()), patient],
        )
        if (!row) throw new Conflict("there is no such patient on the ward")
        return { mote: withoutSecret(row), secret }
    }

    /** From now on nothing of this mote is accepted. False where there is none to revoke. */
    async revoke(kid: Uint8Array): Promise<boolean> {
        const changes = await this.store.run(
            "UPDATE mote SET revoked_at = ? WHERE kid = ? AND revoked_at IS NULL",
            ...[Math.trunc(this.clock.now()), kid],
        )
        return changes > 0
    }

    async get(kid: Uint8Array): Promise<Mote | undefined> {
        const row = await this.row(kid, this.store)
        return row && withoutSecret(row)
    }

    /** In the order of their registration, revoked ones included. */
    async all(): Promise<Mote[]> {
        const rows = await this.store.all<MoteRow>(`SELECT ${columns} FROM mote ORDER BY id`)
        return rows.map(withoutSecret)
    }

    /** The mote with its working keys. */
    async withKeys(kid: Uint8Array, sql: Sql): Promise<{ mote: Mote; keys: MoteKeys } | undefined> {
        const row = await this.row(kid, sql)
        return row && { mote: withoutSecret(row), keys: this.keys(row) }
    }

    /** What routers may know of every mote that is not revoked. */
    async routerKeys(): Promise<RouterKeys[]> {
        const rows = await this.store.all<MoteRow>(
            `SELECT ${columns} FROM mote WHERE revoked_at IS NULL ORDER BY id`,
        )
        return rows.map(row => {
            const { kid, upMac, receipt, mqtt } = this.keys(row)
            return { kid, upMac, receipt, mqtt, config: 0 }
        })
    }

    /** Whether the vault's key is the one these secrets were wrapped with. */
    async opens(): Promise<boolean> {
        const [row] = await this.store.all<MoteRow>(`SELECT ${columns} FROM mote LIMIT 1`)
        try {
            if (row) this.keys(row)
            return true
        } catch {
            return false
        }
    }

    private async row(kid: Uint8Array, sql: Sql): Promise<MoteRow | undefined> {
        const [row] = await sql.all<MoteRow>(`SELECT ${columns} FROM mote WHERE kid = ?`, kid)
        return row
    }

    private keys(row: MoteRow): MoteKeys {
        let keys = this.derived.get(row.id)
        if (!keys) {
            keys = deriveKeys(this.vault.unwrap(row.secret, row.kid), row.kid)
            this.derived.set(row.id, keys)
        }
        return keys
    }
}

function withoutSecret({ secret: _, ...mote }: MoteRow): Mote {
    return mote
}
