import type { Access } from "./access.ts"
import { accountColumns, type StoredAccount } from "./accounts.ts"

export interface StoredToken {
    id: number
    name: string
    createdAt: number
    /** Null: it never ends. */
    expiresAt: number | null
    usedAt: number | null
    /** JSON list of what it may be used for; null: all that its user may. */
    actions: string | null
    /** JSON list of the wards that it is limited to; null: those of its user. */
    wards: string | null
}

export class TokenTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(row: Omit<StoredToken, "id" | "usedAt"> & { hash: Uint8Array; account: number }): Promise<number> {
        const { createdAt, expiresAt, ...data } = row
        const { id } = await this.access.db
            .insertInto("token")
            .values({ ...data, created_at: createdAt, expires_at: expiresAt, used_at: null })
            .returning("id")
            .executeTakeFirstOrThrow()
        this.access.changed("token")
        return id
    }

    async find(hash: Uint8Array): Promise<{ token: StoredToken; account: StoredAccount } | undefined> {
        const found = await this.access.db
            .selectFrom("token")
            .innerJoin("account", "account.id", "token.account")
            .select([
                ...accountColumns,
                "token.id as tokenId",
                "token.name as tokenName",
                "token.actions",
                "token.wards",
            ])
            .select(["token.created_at as createdAt", "token.expires_at as expiresAt", "token.used_at as usedAt"])
            .where("token.hash", "=", hash)
            .executeTakeFirst()
        if (!found) return undefined
        const { tokenId, tokenName, actions, wards, createdAt, expiresAt, usedAt, ...account } = found
        return { account, token: { id: tokenId, name: tokenName, actions, wards, createdAt, expiresAt, usedAt } }
    }

    async noteUse(id: number, usedAt: number): Promise<void> {
        await this.access.db.updateTable("token").set({ used_at: usedAt }).where("id", "=", id).execute()
    }

    async of(account: number): Promise<StoredToken[]> {
        return await this.access.db
            .selectFrom("token")
            .select([
                "id",
                "name",
                "created_at as createdAt",
                "expires_at as expiresAt",
                "used_at as usedAt",
                "actions",
                "wards",
            ])
            .where("account", "=", account)
            .orderBy("id")
            .execute()
    }

    /** False where the account has no such token. */
    async remove(account: number, id: number): Promise<boolean> {
        const removed = await this.access.db
            .deleteFrom("token")
            .where("account", "=", account)
            .where("id", "=", id)
            .returning("id")
            .execute()
        this.access.changed("token")
        return removed.length > 0
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("token").where("account", "=", account).execute()
        this.access.changed("token")
    }
}
