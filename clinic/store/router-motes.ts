import type { Access } from "./access.ts"

/** The motes whose keys each router has got. */
export class RouterMoteTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(account: number, motes: readonly number[]): Promise<void> {
        if (motes.length === 0) return
        await this.access.db
            .insertInto("router_mote")
            .values(motes.map(mote => ({ account, mote })))
            .onConflict(conflict => conflict.doNothing())
            .execute()
        this.access.changed("router_mote")
    }

    /** Returns the motes of one router. */
    async of(account: number): Promise<number[]> {
        const rows = await this.access.db
            .selectFrom("router_mote")
            .select("mote")
            .where("account", "=", account)
            .execute()
        return rows.map(({ mote }) => mote)
    }

    /** Returns all rows, in the order of the routers' names. */
    async all(): Promise<{ mote: number; router: string }[]> {
        return await this.access.db
            .selectFrom("router_mote")
            .innerJoin("account", "account.id", "router_mote.account")
            .select(["router_mote.mote", "account.name as router"])
            .orderBy("account.name")
            .execute()
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("router_mote").where("account", "=", account).execute()
        this.access.changed("router_mote")
    }
}
