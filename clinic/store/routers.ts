import type { Access } from "./access.ts"

/** A router as it was last heard; times are unix ms of the clinic's clock. */
export interface StoredRouter {
    account: number
    heardAt: number
    /** What has to be added to its clock to get the clinic's, ms; null where it does not say its time. */
    clockOffset: number | null
    /** When it came with a new store. */
    lostAt: number | null
}

export class RouterTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async put({ account, heardAt, clockOffset, lostAt }: StoredRouter): Promise<void> {
        const row = { heard_at: heardAt, clock_offset: clockOffset, lost_at: lostAt }
        await this.access.db
            .insertInto("router")
            .values({ account, ...row })
            .onConflict(conflict => conflict.column("account").doUpdateSet(row))
            .execute()
        this.access.changed("router", account)
    }

    async get(account: number): Promise<StoredRouter | undefined> {
        return await this.access.db
            .selectFrom("router")
            .select(["account", "heard_at as heardAt", "clock_offset as clockOffset", "lost_at as lostAt"])
            .where("account", "=", account)
            .executeTakeFirst()
    }

    async all(): Promise<(StoredRouter & { name: string })[]> {
        return await this.access.db
            .selectFrom("router")
            .innerJoin("account", "account.id", "router.account")
            .select(["router.account", "account.name", "router.heard_at as heardAt"])
            .select(["router.clock_offset as clockOffset", "router.lost_at as lostAt"])
            .orderBy("account.name")
            .execute()
    }
}
