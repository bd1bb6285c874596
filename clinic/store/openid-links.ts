import type { Access } from "./access.ts"

export interface OpenIdLink {
    issuer: string
    subject: string
    account: number
    /** 1: the account was made by the first sign-in, and follows the provider's claims. */
    isManaged: number
    linkedAt: number
}

/** Whom a provider of OpenID Connect knows as somebody here. */
export class OpenIdLinkTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** Undefined where nobody has signed in as this subject. */
    async find(issuer: string, subject: string): Promise<{ account: number; isManaged: number } | undefined> {
        return await this.access.db
            .selectFrom("openid_link")
            .select(["account", "is_managed as isManaged"])
            .where("issuer", "=", issuer)
            .where("subject", "=", subject)
            .executeTakeFirst()
    }

    /** Whether somebody signs in to this account by this provider. */
    async isLinked(issuer: string, account: number): Promise<boolean> {
        const rows = await this.access.db
            .selectFrom("openid_link")
            .select("subject")
            .where("issuer", "=", issuer)
            .where("account", "=", account)
            .execute()
        return rows.length > 0
    }

    async add({ issuer, subject, account, isManaged, linkedAt }: OpenIdLink): Promise<void> {
        await this.access.db
            .insertInto("openid_link")
            .values({ issuer, subject, account, is_managed: isManaged, linked_at: linkedAt })
            .execute()
        this.access.changed("openid_link")
    }

    async removeOf(account: number): Promise<void> {
        await this.access.db.deleteFrom("openid_link").where("account", "=", account).execute()
        this.access.changed("openid_link")
    }
}
