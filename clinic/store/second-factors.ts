import type { Access } from "./access.ts"

export interface StoredSecondFactor {
    account: number
    /** Wrapped. */
    secret: Uint8Array
    /** 1: confirmed with a code, and asked for. */
    isActive: number
    /** Of the last code that was taken. */
    lastStep: number
}

/** Secrets of authenticators, and the hashes of recovery codes, each of which works once. */
export class SecondFactorTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async get(account: number): Promise<StoredSecondFactor | undefined> {
        return await secondFactors(this.access).where("account", "=", account).executeTakeFirst()
    }

    async all(): Promise<StoredSecondFactor[]> {
        return await secondFactors(this.access).execute()
    }

    async accounts(): Promise<number[]> {
        const rows = await this.access.db
            .selectFrom("second_factor")
            .select("account")
            .where("is_active", "=", 1)
            .execute()
        return rows.map(({ account }) => account)
    }

    async put({ account, secret, isActive, lastStep }: StoredSecondFactor): Promise<void> {
        const row = { secret, is_active: isActive, last_step: lastStep }
        await this.access.db
            .insertInto("second_factor")
            .values({ account, ...row })
            .onConflict(conflict => conflict.column("account").doUpdateSet(row))
            .execute()
        this.access.changed("second_factor")
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("recovery_code").where("account", "=", account).execute()
        await this.access.db.deleteFrom("second_factor").where("account", "=", account).execute()
        this.access.changed("second_factor")
    }

    async addRecoveryCodes(account: number, hashes: readonly Uint8Array[]): Promise<void> {
        for (const hash of hashes) await this.access.db.insertInto("recovery_code").values({ account, hash }).execute()
    }

    /** Whether there was such a code; there is not any more. */
    async takeRecoveryCode(account: number, hash: Uint8Array): Promise<boolean> {
        const taken = await this.access.db
            .deleteFrom("recovery_code")
            .where("account", "=", account)
            .where("hash", "=", hash)
            .returning("account")
            .execute()
        return taken.length > 0
    }
}

function secondFactors({ db }: Access) {
    return db
        .selectFrom("second_factor")
        .select(["account", "secret", "is_active as isActive", "last_step as lastStep"])
}
