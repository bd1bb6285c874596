import type { Access } from "./access.ts"

/** Links that set a password once; of each account the newest only. */
export class SetupLinkTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async put(row: { hash: Uint8Array; account: number; madeAt: number; expiresAt: number }): Promise<void> {
        const { hash, account, madeAt, expiresAt } = row
        await this.removeOf(account)
        await this.access.db
            .insertInto("setup_link")
            .values({ hash, account, made_at: madeAt, expires_at: expiresAt })
            .execute()
        this.access.changed("setup_link")
    }

    async find(hash: Uint8Array): Promise<{ account: number; madeAt: number; expiresAt: number } | undefined> {
        return await this.access.db
            .selectFrom("setup_link")
            .select(["account", "made_at as madeAt", "expires_at as expiresAt"])
            .where("hash", "=", hash)
            .executeTakeFirst()
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("setup_link").where("account", "=", account).execute()
        this.access.changed("setup_link")
    }
}
