import type { Kysely } from "kysely"
import { prepare, type Access } from "./access.ts"
import { prepareRows } from "./rows.ts"
import type { Schema } from "./schema.ts"
import { isSeen, type Seen } from "./seen.ts"

/** A mote with its wrapped secrets. */
export interface StoredMote {
    id: number
    kid: Uint8Array
    /** Who wears it, by which association and since when; null while nobody does. */
    patient: number | null
    association: number | null
    wornSince: number | null
    registeredAt: number
    revokedAt: number | null
    secret: Uint8Array
    nextSecret: Uint8Array | null
    previousSecret: Uint8Array | null
    rotatedAt: number | null
    generation: number
    nextGeneration: number
    /** Versions of what the mote is told are higher. */
    leastVersion: number
}

export type StoredSecrets = Pick<StoredMote, "id" | "secret" | "nextSecret" | "previousSecret">

const columns = [
    "mote.id",
    "kid",
    "association.patient",
    "association.id as association",
    "association.begins_at as wornSince",
    "registered_at as registeredAt",
    "revoked_at as revokedAt",
    "secret",
    "next_secret as nextSecret",
    "previous_secret as previousSecret",
    "rotated_at as rotatedAt",
    "generation",
    "next_generation as nextGeneration",
    "least_version as leastVersion",
] as const

const byKid = prepare<{ kid: Uint8Array }, StoredMote>((db, { kid }) => motes(db).where("kid", "=", kid))

const byKids = prepareRows<{ kid: Uint8Array }, StoredMote>(
    { kid: "bytes" },
    rows => `SELECT m.id, m.kid, a.patient, a.id AS association, a.begins_at AS "wornSince",
            m.registered_at AS "registeredAt", m.revoked_at AS "revokedAt", m.secret, m.next_secret AS "nextSecret",
            m.previous_secret AS "previousSecret", m.rotated_at AS "rotatedAt", m.generation,
            m.next_generation AS "nextGeneration", m.least_version AS "leastVersion"
        FROM ${rows} CROSS JOIN mote AS m LEFT JOIN association AS a ON a.mote = m.id AND a.ends_at IS NULL
        WHERE m.kid = k.kid`,
)

function motes(db: Kysely<Schema>) {
    return db
        .selectFrom("mote")
        .leftJoin("association", join =>
            join.onRef("association.mote", "=", "mote.id").on("association.ends_at", "is", null),
        )
        .select(columns)
}

export class MoteTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** Returns its id. */
    async add(mote: { kid: Uint8Array; secret: Uint8Array; registeredAt: number }): Promise<number> {
        const { registeredAt, ...row } = mote
        const { id } = await this.access.db
            .insertInto("mote")
            .values({ ...row, registered_at: registeredAt })
            .returning("id")
            .executeTakeFirstOrThrow()
        this.access.changed("mote")
        return id
    }

    async get(kid: Uint8Array): Promise<StoredMote | undefined> {
        return (await byKid(this.access, { kid })).rows[0]
    }

    /** Those that there are, in no order. */
    async byKids(kids: readonly Uint8Array[]): Promise<StoredMote[]> {
        return await byKids(
            this.access,
            kids.map(kid => ({ kid })),
        )
    }

    /** In the order of their registration. */
    async all(
        o: { isInUse?: boolean; kids?: readonly Uint8Array[]; seen?: Seen; limit?: number } = {},
    ): Promise<StoredMote[]> {
        let query = motes(this.access.db).orderBy("mote.id")
        if (o.seen) query = query.where(isSeen("association.patient", o.seen))
        if (o.isInUse) query = query.where("revoked_at", "is", null)
        if (o.kids) query = query.where("kid", "in", o.kids)
        if (o.limit !== undefined) query = query.limit(o.limit)
        return await query.execute()
    }

    async setNextSecret(id: number, secret: Uint8Array, generation: number): Promise<void> {
        await this.access.db
            .updateTable("mote")
            .set({ next_secret: secret, next_generation: generation })
            .where("id", "=", id)
            .execute()
        this.access.changed("mote")
    }

    /** Secrets that were wrapped anew. */
    async putSecrets({ id, secret, nextSecret, previousSecret }: StoredSecrets): Promise<void> {
        await this.access.db
            .updateTable("mote")
            .set({ secret, next_secret: nextSecret, previous_secret: previousSecret })
            .where("id", "=", id)
            .execute()
        this.access.changed("mote")
    }

    /** The next secret becomes the one in use, and that the previous one. */
    async takeNextSecret(id: number, rotatedAt: number): Promise<void> {
        await this.access.db
            .updateTable("mote")
            .set(({ ref }) => ({
                previous_secret: ref("secret"),
                secret: ref("next_secret").$notNull(),
                next_secret: null,
                generation: ref("next_generation"),
                rotated_at: rotatedAt,
            }))
            .where("id", "=", id)
            .where("next_secret", "is not", null)
            .execute()
        this.access.changed("mote")
    }

    /** False where it was revoked already. */
    async revoke(id: number, revokedAt: number): Promise<boolean> {
        const revoked = await this.access.db
            .updateTable("mote")
            .set({ revoked_at: revokedAt })
            .where("id", "=", id)
            .where("revoked_at", "is", null)
            .returning("id")
            .execute()
        this.access.changed("mote")
        return revoked.length > 0
    }
}
