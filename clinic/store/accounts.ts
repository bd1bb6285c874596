import type { Access } from "./access.ts"

/** Of an account, with the password's hash, if any. */
export interface AccountData {
    name: string
    role: string
    password: string | null
    patient: number | null
    /** 1: of a router that gets the keys of all its motes at once. */
    prefetch: number
    /** 1: wards do not limit whom it sees. */
    all_wards: number
}

export type StoredAccount = Omit<AccountData, "password"> & {
    id: number
    /** 0: nobody comes in with it. */
    is_active: number
    /** 1: a passkey, or a code, is asked for beside the password. */
    passkey_factor: number
}

export const accountColumns = [
    "account.id",
    "account.name",
    "account.role",
    "account.patient",
    "account.prefetch",
    "account.is_active",
    "account.passkey_factor",
    "account.all_wards",
] as const

export class AccountTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** Undefined where the name is taken. */
    async add(data: AccountData): Promise<StoredAccount | undefined> {
        const added = await this.access.db
            .insertInto("account")
            .values(data)
            .onConflict(conflict => conflict.doNothing())
            .returning(accountColumns)
            .executeTakeFirst()
        this.access.changed("account")
        return added
    }

    async isEmpty(): Promise<boolean> {
        return (await this.access.db.selectFrom("account").select("id").limit(1).execute()).length === 0
    }

    async all(): Promise<StoredAccount[]> {
        return await this.access.db.selectFrom("account").select(accountColumns).orderBy("id").execute()
    }

    async byName(name: string): Promise<(StoredAccount & { password: string | null }) | undefined> {
        return await this.access.db
            .selectFrom("account")
            .select([...accountColumns, "account.password"])
            .where("name", "=", name)
            .executeTakeFirst()
    }

    async byId(id: number): Promise<StoredAccount | undefined> {
        return await this.access.db.selectFrom("account").select(accountColumns).where("id", "=", id).executeTakeFirst()
    }

    async hasPassword(id: number): Promise<boolean> {
        const row = await this.access.db
            .selectFrom("account")
            .select("id")
            .where("id", "=", id)
            .where("password", "is not", null)
            .executeTakeFirst()
        return row !== undefined
    }

    async setRole(id: number, role: string): Promise<void> {
        await this.access.db.updateTable("account").set({ role }).where("id", "=", id).execute()
        this.access.changed("account")
    }

    async setActive(id: number, isActive: boolean): Promise<void> {
        const row = { is_active: isActive ? 1 : 0 }
        await this.access.db.updateTable("account").set(row).where("id", "=", id).execute()
        this.access.changed("account")
    }

    async setPasskeyFactor(id: number, isFactor: boolean): Promise<void> {
        const row = { passkey_factor: isFactor ? 1 : 0 }
        await this.access.db.updateTable("account").set(row).where("id", "=", id).execute()
        this.access.changed("account")
    }

    async setPassword(id: number, password: string): Promise<void> {
        await this.access.db.updateTable("account").set({ password }).where("id", "=", id).execute()
        this.access.changed("account")
    }

    async setAllWards(id: number, isAll: boolean): Promise<void> {
        await this.access.db
            .updateTable("account")
            .set({ all_wards: isAll ? 1 : 0 })
            .where("id", "=", id)
            .execute()
        this.access.changed("account")
    }

    async remove(id: number): Promise<void> {
        await this.access.db.deleteFrom("account").where("id", "=", id).execute()
        this.access.changed("account")
    }
}
