import type { Access } from "./access.ts"

/** Which wards a router serves (one that is not in here serves them all), and which one a display shows. */
export class RouterWardTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(account: number, wards: readonly string[]): Promise<void> {
        if (wards.length === 0) return
        const rows = wards.map(ward => ({ account, ward }))
        await this.access.db.insertInto("router_ward").values(rows).execute()
        this.access.changed("router_ward")
    }

    async all(): Promise<{ account: number; ward: string }[]> {
        return await this.access.db
            .selectFrom("router_ward")
            .select(["account", "ward"])
            .orderBy("account")
            .orderBy("ward")
            .execute()
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("router_ward").where("account", "=", account).execute()
        this.access.changed("router_ward")
    }
}
