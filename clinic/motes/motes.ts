import type { Clock } from "../../host/clock.ts"
import { deriveKeys, kidBytes, secretBytes, type MoteKeys } from "../../wire/keys.ts"
import { Conflict } from "../errors.ts"
import type { Sql, Store } from "../store/store.ts"
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

/**
 * The secrets a mote may use: `previous` for what routers took until `rotatedAt`, `next` from the moment it was given out.
 */
export interface Secrets {
    current: MoteKeys
    next: MoteKeys | undefined
    previous: MoteKeys | undefined
    /** When the current one was first heard, unix ms; null for the first of all. */
    rotatedAt: number | null
    /** Of the current and of the next one; see RouterKeys. */
    generation: number
    nextGeneration: number
}

type MoteRow = Mote &
    Pick<Secrets, "rotatedAt" | "generation" | "nextGeneration"> & {
        secret: Uint8Array
        nextSecret: Uint8Array | null
        previousSecret: Uint8Array | null
    }

const columns = `id, kid, patient, registered_at AS "registeredAt", revoked_at AS "revokedAt", secret,
    next_secret AS "nextSecret", previous_secret AS "previousSecret", rotated_at AS "rotatedAt",
    generation, next_generation AS "nextGeneration"`

export class Motes {
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly vault: Vault
    /** Derived keys by wrapped secret. */
    private readonly derived = new Map<string, MoteKeys>()

    constructor(store: Store, clock: Clock, random: (bytes: number) => Uint8Array, vault: Vault) {
        this.store = store
        this.clock = clock
        this.random = random
        this.vault = vault
    }

    /** A new identity for a patient on the ward; the secret is never given out again. */
    async register(patient: number, sql: Sql = this.store): Promise<{ mote: Mote; secret: Uint8Array }> {
        const kid = this.random(kidBytes)
        const secret = this.random(secretBytes)
        const [row] = await sql.all<MoteRow>(
            `INSERT INTO mote (kid, secret, patient, registered_at)
             SELECT ?, ?, id, ? FROM patient WHERE id = ? AND active = 1 RETURNING ${columns}`,
            ...[kid, this.vault.wrap(secret, kid), Math.trunc(this.clock.now()), patient],
        )
        if (!row) throw new Conflict("there is no such patient on the ward")
        return { mote: plain(row), secret }
    }

    /** From now on nothing of this mote is accepted, and its alarms are over. False where there is none to revoke. */
    async revoke(kid: Uint8Array): Promise<boolean> {
        return await this.store.transaction(async sql => {
            const mote = await this.get(kid, sql)
            if (!mote || mote.revokedAt !== null) return false
            await revokeAll("id", mote.id, Math.trunc(this.clock.now()), sql)
            return true
        })
    }

    /**
     * A new secret for a mote, never given out again. The old one stays in use until something arrives under the new one;
     * one that was given out earlier and never used is worth nothing from now on. Throws Conflict for a revoked mote;
     * undefined where there is none.
     */
    async rotate(kid: Uint8Array, sql: Sql): Promise<{ mote: Mote; secret: Uint8Array; keys: MoteKeys } | undefined> {
        const row = await this.row(kid, sql)
        if (!row) return undefined
        if (row.revokedAt !== null) throw new Conflict("the mote is revoked")
        const secret = this.random(secretBytes)
        await sql.run(
            "UPDATE mote SET next_secret = ?, next_generation = ? WHERE id = ?",
            ...[this.vault.wrap(secret, kid), Math.max(row.generation, row.nextGeneration) + 1],
            row.id,
        )
        return { mote: plain(row), secret, keys: deriveKeys(secret, kid) }
    }

    /** The next secret was heard, at `at` (unix ms): it is the one in use now. */
    async takeNextSecret(mote: Mote, at: number, sql: Sql): Promise<void> {
        await sql.run(
            `UPDATE mote SET previous_secret = secret, secret = next_secret, next_secret = NULL,
             generation = next_generation, rotated_at = ?, config_boot = NULL, config_seq = NULL
             WHERE id = ?`,
            ...[at, mote.id],
        )
        for (const table of ["configuration", "command"])
            await sql.run(
                `UPDATE ${table} SET sealed = sealed_next, sealed_next = NULL
                 WHERE mote = ? AND sealed_next IS NOT NULL`,
                mote.id,
            )
    }

    async get(kid: Uint8Array, sql: Sql = this.store): Promise<Mote | undefined> {
        const row = await this.row(kid, sql)
        return row && plain(row)
    }

    /** In the order of their registration, revoked ones included. */
    async all(): Promise<Mote[]> {
        const rows = await this.store.all<MoteRow>(`SELECT ${columns} FROM mote ORDER BY id`)
        return rows.map(plain)
    }

    /** The mote with its working keys. */
    async withSecrets(kid: Uint8Array, sql: Sql): Promise<{ mote: Mote; secrets: Secrets } | undefined> {
        const row = await this.row(kid, sql)
        return row && { mote: plain(row), secrets: this.secrets(row) }
    }

    /** Every mote that is not revoked, with its working keys. */
    async inUse(sql: Sql = this.store): Promise<{ mote: Mote; secrets: Secrets }[]> {
        const rows = await sql.all<MoteRow>(`SELECT ${columns} FROM mote WHERE revoked_at IS NULL ORDER BY id`)
        return rows.map(row => ({ mote: plain(row), secrets: this.secrets(row) }))
    }

    /** Whether the vault's key is the one these secrets were wrapped with. */
    async opens(): Promise<boolean> {
        const [row] = await this.store.all<MoteRow>(`SELECT ${columns} FROM mote LIMIT 1`)
        try {
            if (row) this.secrets(row)
            return true
        } catch {
            return false
        }
    }

    private async row(kid: Uint8Array, sql: Sql): Promise<MoteRow | undefined> {
        const [row] = await sql.all<MoteRow>(`SELECT ${columns} FROM mote WHERE kid = ?`, kid)
        return row
    }

    private secrets({ kid, secret, nextSecret, previousSecret, ...row }: MoteRow): Secrets {
        const { rotatedAt, generation, nextGeneration } = row
        return {
            current: this.keys(secret, kid),
            next: nextSecret ? this.keys(nextSecret, kid) : undefined,
            previous: previousSecret ? this.keys(previousSecret, kid) : undefined,
            ...{ rotatedAt, generation, nextGeneration },
        }
    }

    private keys(wrapped: Uint8Array, kid: Uint8Array): MoteKeys {
        const name = Buffer.from(wrapped).toString("base64")
        let keys = this.derived.get(name)
        if (!keys) {
            keys = deriveKeys(this.vault.unwrap(wrapped, kid), kid)
            this.derived.set(name, keys)
        }
        return keys
    }
}

function plain({ id, kid, patient, registeredAt, revokedAt }: MoteRow): Mote {
    return { id, kid, patient, registeredAt, revokedAt }
}

/** Revokes one mote, or all of a patient; nothing will be heard of their alarms any more. */
export async function revokeAll(of: "id" | "patient", id: number, now: number, sql: Sql): Promise<void> {
    await sql.run(`UPDATE mote SET revoked_at = ? WHERE ${of} = ? AND revoked_at IS NULL`, ...[now, id])
    await sql.run(
        `UPDATE alarm SET cleared_at = COALESCE(cleared_at, ?), is_open = 0
         WHERE is_open = 1 AND mote IN (SELECT id FROM mote WHERE ${of} = ?)`,
        ...[now, id],
    )
}
