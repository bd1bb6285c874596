import type { Access } from "./access.ts"

/** A version of what a ward has decided about its alarms; `madeAt` is unix ms. */
export interface StoredWardRules {
    ward: string
    version: number
    /** JSON. */
    settings: unknown
    author: string
    madeAt: number
}

type Row = StoredWardRules & { settings: string }

export class WardRulesTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add({ madeAt, ...rules }: Row): Promise<void> {
        await this.access.db
            .insertInto("ward_rules")
            .values({ ...rules, made_at: madeAt })
            .execute()
        this.access.changed("ward_rules")
    }

    /** All versions, the oldest first. */
    async all(): Promise<Row[]> {
        return await this.access.db
            .selectFrom("ward_rules")
            .select(["ward", "version", "settings", "author", "made_at as madeAt"])
            .orderBy("version")
            .execute()
    }
}
