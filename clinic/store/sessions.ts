import type { Access } from "./access.ts"
import { accountColumns, type StoredAccount } from "./accounts.ts"

export interface StoredSession {
    hash: Uint8Array
    account: number
    /** What the browser says it is. */
    agent: string
    /** What its user has signed in with. */
    way: string
    createdAt: number
    usedAt: number
}

type ListedSession = Omit<StoredSession, "account"> & { id: number }

export class SessionTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(session: StoredSession): Promise<void> {
        const { hash, account, agent, way, createdAt, usedAt } = session
        await this.access.db
            .insertInto("session")
            .values({ hash, account, agent, way, created_at: createdAt, used_at: usedAt })
            .execute()
        this.access.changed("session")
    }

    async find(
        hash: Uint8Array,
    ): Promise<{ id: number; account: StoredAccount; way: string; createdAt: number; usedAt: number } | undefined> {
        const found = await this.access.db
            .selectFrom("session")
            .innerJoin("account", "account.id", "session.account")
            .select([...accountColumns, "session.id as sessionId", "session.way"])
            .select(["session.created_at as createdAt", "session.used_at as usedAt"])
            .where("session.hash", "=", hash)
            .executeTakeFirst()
        if (!found) return undefined
        const { sessionId: id, way, createdAt, usedAt, ...account } = found
        return { id, account, way, createdAt, usedAt }
    }

    /** Of one account, the last used first. */
    async of(account: number): Promise<ListedSession[]> {
        return await this.access.db
            .selectFrom("session")
            .select(["id", "hash", "agent", "way", "created_at as createdAt", "used_at as usedAt"])
            .where("account", "=", account)
            .orderBy("used_at", "desc")
            .execute()
    }

    async noteUse(hash: Uint8Array, usedAt: number): Promise<void> {
        await this.access.db.updateTable("session").set({ used_at: usedAt }).where("hash", "=", hash).execute()
        this.access.changed("session")
    }

    async remove(hash: Uint8Array): Promise<void> {
        await this.access.db.deleteFrom("session").where("hash", "=", hash).execute()
        this.access.changed("session")
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("session").where("account", "=", account).execute()
        this.access.changed("session")
    }

    async removeAll(): Promise<void> {
        await this.access.db.deleteFrom("session").execute()
        this.access.changed("session")
    }

    async all(): Promise<(Omit<StoredSession, "account" | "agent" | "way"> & { role: string })[]> {
        return await this.access.db
            .selectFrom("session")
            .innerJoin("account", "account.id", "session.account")
            .select(["hash", "account.role", "created_at as createdAt", "used_at as usedAt"])
            .execute()
    }
}
