import type { Access } from "./access.ts"
import { accountColumns, type StoredAccount } from "./accounts.ts"

export class TokenTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(row: { hash: Uint8Array; account: number; createdAt: number }): Promise<void> {
        const { hash, account, createdAt } = row
        await this.access.db.insertInto("token").values({ hash, account, created_at: createdAt }).execute()
        this.access.changed("token")
    }

    async accountOf(hash: Uint8Array): Promise<StoredAccount | undefined> {
        return await this.access.db
            .selectFrom("token")
            .innerJoin("account", "account.id", "token.account")
            .select(accountColumns)
            .where("token.hash", "=", hash)
            .executeTakeFirst()
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("token").where("account", "=", account).execute()
        this.access.changed("token")
    }
}
