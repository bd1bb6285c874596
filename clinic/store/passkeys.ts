import type { Access } from "./access.ts"

export interface StoredPasskey {
    id: number
    account: number
    /** What the authenticator calls it; base64url. */
    credential: string
    /** COSE. */
    publicKey: Uint8Array
    /** Of the last use; 0 where the authenticator does not count. */
    counter: number
    /** JSON list. */
    transports: string
    /** What its user calls it. */
    name: string
    createdAt: number
    usedAt: number | null
}

const columns = [
    "id",
    "account",
    "credential",
    "public_key as publicKey",
    "counter",
    "transports",
    "name",
    "created_at as createdAt",
    "used_at as usedAt",
] as const

/** Public keys of people's authenticators (WebAuthn). */
export class PasskeyTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(row: Omit<StoredPasskey, "id" | "usedAt">): Promise<number> {
        const { publicKey: public_key, createdAt: created_at, ...rest } = row
        const { id } = await this.access.db
            .insertInto("passkey")
            .values({ ...rest, public_key, created_at })
            .returning("id")
            .executeTakeFirstOrThrow()
        this.access.changed("passkey")
        return id
    }

    async of(account: number): Promise<StoredPasskey[]> {
        return await this.access.db
            .selectFrom("passkey")
            .select(columns)
            .where("account", "=", account)
            .orderBy("id")
            .execute()
    }

    async byCredential(credential: string): Promise<StoredPasskey | undefined> {
        return await this.access.db
            .selectFrom("passkey")
            .select(columns)
            .where("credential", "=", credential)
            .executeTakeFirst()
    }

    /** False where somebody else has used it since `from` was read. */
    async noteUse(
        id: number,
        { from, counter, usedAt }: { from: number; counter: number; usedAt: number },
    ): Promise<boolean> {
        const changed = await this.access.db
            .updateTable("passkey")
            .set({ counter, used_at: usedAt })
            .where("id", "=", id)
            .where("counter", "=", from)
            .returning("id")
            .execute()
        this.access.changed("passkey")
        return changed.length > 0
    }

    /** False where the account has no such one. */
    async rename(account: number, id: number, name: string): Promise<boolean> {
        const changed = await this.access.db
            .updateTable("passkey")
            .set({ name })
            .where("account", "=", account)
            .where("id", "=", id)
            .returning("id")
            .execute()
        this.access.changed("passkey")
        return changed.length > 0
    }

    /** False where the account has no such one. */
    async remove(account: number, id: number): Promise<boolean> {
        const removed = await this.access.db
            .deleteFrom("passkey")
            .where("account", "=", account)
            .where("id", "=", id)
            .returning("id")
            .execute()
        this.access.changed("passkey")
        return removed.length > 0
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("passkey").where("account", "=", account).execute()
        this.access.changed("passkey")
    }
}
