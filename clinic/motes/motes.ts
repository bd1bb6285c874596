import type { Clock } from "../../host/clock.ts"
import { deriveKeys, eui, kidBytes, secretBytes, type MoteKeys } from "../../wire/keys.ts"
import { ProblemError } from "../errors.ts"
import type { StoredMote } from "../store/motes.ts"
import type { Seen } from "../store/seen.ts"
import type { Store, Tables } from "../store/store.ts"
import type { Associations } from "./associations.ts"
import type { Vault } from "./vault.ts"

/** A registered mote. */
export interface Mote {
    id: number
    kid: Uint8Array
    /** Who wears it, by which association and since when (unix ms); null while nobody does. */
    patient: number | null
    association: number | null
    wornSince: number | null
    /** Unix time in milliseconds. */
    registeredAt: number
    revokedAt: number | null
    /** Versions of configurations and commands are higher. */
    leastVersion: number
}

/** One that somebody wears. */
export type WornMote = Mote & { patient: number; association: number; wornSince: number }

export function isWorn(mote: Mote): mote is WornMote {
    return mote.association !== null
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

export interface KnownMote {
    mote: Mote
    secrets: Secrets
}

/** What a router took before a secret ended may arrive this much later, by the clinic's own clock; not at all afterwards. */
const graceMs = 24 * 3_600_000

/**
 * Whether the clinic still takes, at `now`, what arrived at a router at `arrivedAt` under a secret that ended at `endedAt`. A
 * router may say any time: what counts is the clinic's clock. Where that was set back behind `endedAt`, nothing is taken.
 */
export function isWithinGrace(arrivedAt: number, endedAt: number, now: number): boolean {
    return arrivedAt <= endedAt && now >= endedAt && now <= endedAt + graceMs
}

/** The identities of the motes and their secrets. */
export class Motes {
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly vault: Vault
    private readonly associations: Associations
    /** Derived keys by wrapped secret. */
    private readonly derived = new Map<string, MoteKeys>()

    constructor(o: {
        store: Store
        clock: Clock
        random: (bytes: number) => Uint8Array
        vault: Vault
        associations: Associations
    }) {
        this.store = o.store
        this.clock = o.clock
        this.random = o.random
        this.vault = o.vault
        this.associations = o.associations
    }

    /**
     * A new identity, for a patient on the ward or for nobody yet; the secret is never given out again. Throws ProblemError where
     * there is no such patient.
     * @param by who says who wears it; null: the clinic
     */
    async register(
        patient: number | null,
        t: Tables = this.store,
        by: string | null = null,
    ): Promise<{ mote: Mote; secret: Uint8Array }> {
        const kid = this.random(kidBytes)
        const secret = this.random(secretBytes)
        if (patient !== null && (await t.patient.get(patient))?.active !== 1) throw new ProblemError("not-on-the-ward")
        const registeredAt = this.now()
        const id = await t.mote.add({ kid, secret: this.vault.wrap(secret, kid), registeredAt })
        if (patient !== null) await this.associations.begin({ mote: id, patient, by, at: registeredAt }, t)
        return { mote: (await this.get(kid, t))!, secret }
    }

    /** From now on nothing of this mote is accepted. False where it was revoked already. */
    async revoke(mote: { id: number }, t: Tables): Promise<boolean> {
        return await t.mote.revoke(mote.id, this.now())
    }

    /**
     * A new secret for a mote, never given out again. The old one stays in use until something arrives under the new one;
     * one that was given out earlier and never used is worth nothing from now on. Throws ProblemError for a revoked mote;
     * undefined where there is none.
     */
    async rotate(kid: Uint8Array, t: Tables): Promise<{ mote: Mote; secret: Uint8Array; keys: MoteKeys } | undefined> {
        const row = await t.mote.get(kid)
        if (!row) return undefined
        if (row.revokedAt !== null) throw new ProblemError("revoked")
        const secret = this.random(secretBytes)
        const generation = Math.max(row.generation, row.nextGeneration) + 1
        await t.mote.setNextSecret(row.id, this.vault.wrap(secret, kid), generation)
        return { mote: plain(row), secret, keys: deriveKeys(secret, kid) }
    }

    /** The next secret was heard, at `at` (unix ms): it is the one in use now. */
    async takeNextSecret(mote: Mote, at: number, t: Tables): Promise<void> {
        await t.mote.takeNextSecret(mote.id, at)
    }

    async get(kid: Uint8Array, t: Tables = this.store): Promise<Mote | undefined> {
        const row = await t.mote.get(kid)
        return row && plain(row)
    }

    /** In the order of their registration, revoked ones included. */
    async all(seen: Seen = "all"): Promise<Mote[]> {
        return (await this.store.mote.all({ seen })).map(plain)
    }

    /** The mote with its working keys. */
    async withSecrets(kid: Uint8Array, t: Tables): Promise<KnownMote | undefined> {
        const row = await t.mote.get(kid)
        return row && { mote: plain(row), secrets: this.secrets(row) }
    }

    /** Those of these motes that there are, by their `kid` as `eui` writes it, with their working keys. */
    async withSecretsOf(kids: readonly Uint8Array[], t: Tables): Promise<Map<string, KnownMote>> {
        const rows = await t.mote.byKids(kids)
        return new Map(rows.map(row => [eui(row.kid), { mote: plain(row), secrets: this.secrets(row) }]))
    }

    /** Every mote that is not revoked, or those of them with these `kid`, with its working keys. */
    async inUse(kids?: readonly Uint8Array[]): Promise<KnownMote[]> {
        const rows = await this.store.mote.all({ isInUse: true, ...(kids && { kids }) })
        return rows.map(row => ({ mote: plain(row), secrets: this.secrets(row) }))
    }

    /** Whether the vault's key is the one these secrets were wrapped with. */
    async opens(): Promise<boolean> {
        const [row] = await this.store.mote.all({ limit: 1 })
        try {
            if (row) this.secrets(row)
            return true
        } catch {
            return false
        }
    }

    private secrets({ kid, secret, nextSecret, previousSecret, ...row }: StoredMote): Secrets {
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

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

function plain({ id, kid, patient, association, wornSince, registeredAt, revokedAt, leastVersion }: StoredMote): Mote {
    return { id, kid, patient, association, wornSince, registeredAt, revokedAt, leastVersion }
}

/**
 * Wraps the secrets of all motes anew, or, without `to`, only opens them; returns of how many motes. Throws Error where `from` is not
 * their key.
 */
export async function rewrapMotes(t: Tables, from: Vault, to?: Vault, limit?: number): Promise<number> {
    const rows = await t.mote.all(limit === undefined ? {} : { limit })
    for (const { id, kid, secret, nextSecret, previousSecret } of rows) {
        const anew = (wrapped: Uint8Array) => {
            const plain = from.unwrap(wrapped, kid)
            return to ? to.wrap(plain, kid) : wrapped
        }
        const made = {
            ...{ id, secret: anew(secret) },
            nextSecret: nextSecret && anew(nextSecret),
            previousSecret: previousSecret && anew(previousSecret),
        }
        if (to) await t.mote.putSecrets(made)
    }
    return rows.length
}
