import type { Access } from "./access.ts"

/** The wards of accounts: which ones people see, which one a display shows, and which ones a router serves (one without: all). */
export class AccountWardTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(account: number, wards: readonly string[]): Promise<void> {
        if (wards.length === 0) return
        const rows = wards.map(ward => ({ account, ward }))
        await this.access.db.insertInto("account_ward").values(rows).execute()
        this.access.changed("account_ward")
    }

    async all(): Promise<{ account: number; ward: string }[]> {
        return await this.access.db
            .selectFrom("account_ward")
            .select(["account", "ward"])
            .orderBy("account")
            .orderBy("ward")
            .execute()
    }

    async of(account: number): Promise<string[]> {
        const rows = await this.access.db
            .selectFrom("account_ward")
            .select("ward")
            .where("account", "=", account)
            .orderBy("ward")
            .execute()
        return rows.map(({ ward }) => ward)
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("account_ward").where("account", "=", account).execute()
        this.access.changed("account_ward")
    }
}
