import type { Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import type { Accounts } from "../people/accounts.ts"
import { kindOf, type Role } from "../people/permissions.ts"
import type { StoredAccount } from "../store/accounts.ts"
import type { Store, Tables } from "../store/store.ts"
import { roleOf, userNameOf, wardsOf, type ClaimRules, type Claims } from "./claims.ts"

/** In a rule, stands for every ward. */
const allWards = "*"

interface Identity {
    issuer: string
    /** Of the claim `sub`: the only one that a provider never gives to somebody else. */
    subject: string
    claims: Claims
}

/** Which account somebody has whom a provider of OpenID Connect knows. */
export class Identities {
    private readonly store: Store
    private readonly accounts: Accounts
    private readonly clock: Clock

    constructor(store: Store, accounts: Accounts, clock: Clock) {
        this.store = store
        this.accounts = accounts
        this.clock = clock
    }

    /**
     * The account of issuer and subject. The first sign-in links the one that the rules name, or makes one; one that was made so
     * has the role and the wards of the claims at each sign-in.
     * @throws ProblemError where there is none, or nobody comes in with it
     */
    async accountOf(identity: Identity, rules: ClaimRules): Promise<StoredAccount> {
        const { issuer, subject, claims } = identity
        const link = await this.store.openIdLink.find(issuer, subject)
        if (link?.isManaged === 1) await this.endWhereRefused(link.account, () => roleOf(claims, rules))
        return await this.store.transaction(async t => {
            const known = await t.openIdLink.find(issuer, subject)
            const account = known
                ? await this.follow(known, identity, rules, t)
                : ((await this.link(identity, rules, t)) ?? (await this.make(identity, rules, t)))
            if (account.is_active !== 1) throw new ProblemError("account-off")
            return account
        })
    }

    /** Who has no role at the provider any more does not go on with the one from before. */
    private async endWhereRefused(account: number, check: () => void): Promise<void> {
        try {
            check()
        } catch (error) {
            await this.accounts.sessions.end(account, { but: undefined })
            throw error
        }
    }

    private async follow(
        link: { account: number; isManaged: number },
        { claims }: Identity,
        rules: ClaimRules,
        t: Tables,
    ): Promise<StoredAccount> {
        const account = (await t.account.byId(link.account))!
        if (link.isManaged !== 1) return account
        const role = roleOf(claims, rules)
        if (role !== account.role) await t.account.setRole(account.id, role)
        const wards = wardsFor(role, claims, rules)
        if (wards) await this.accounts.setWards(account.id, wards, t)
        return (await t.account.byId(link.account))!
    }

    private async link(
        { issuer, subject, claims }: Identity,
        { linkClaim }: ClaimRules,
        t: Tables,
    ): Promise<StoredAccount | undefined> {
        const name = linkClaim === undefined ? undefined : userNameOf(claims, linkClaim)
        const found = name === undefined ? undefined : await t.account.byName(name)
        if (!found || kindOf(found.role as Role).signIn !== "password") return undefined
        // The name may have gone to somebody else since.
        if (await t.openIdLink.isLinked(issuer, found.id)) throw new ProblemError("openid-taken")
        if (found.is_active !== 1) throw new ProblemError("account-off")
        await t.openIdLink.add({ issuer, subject, account: found.id, isManaged: 0, linkedAt: this.now() })
        return (await t.account.byId(found.id))!
    }

    private async make({ issuer, subject, claims }: Identity, rules: ClaimRules, t: Tables): Promise<StoredAccount> {
        if (rules.roles.length === 0) throw new ProblemError("openid-no-account")
        const role = roleOf(claims, rules)
        const name = userNameOf(claims, rules.userClaim)
        if (name === undefined) throw new ProblemError("openid-no-name", { parameter: rules.userClaim })
        if (await t.account.byName(name)) throw new ProblemError("openid-taken")
        const wards = wardsFor(role, claims, rules)
        const { id } = await this.accounts.add({ name, role, ...(wards && { wards }) }, t)
        await t.openIdLink.add({ issuer, subject, account: id, isManaged: 1, linkedAt: this.now() })
        return (await t.account.byId(id))!
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

/** Of a role that has some; undefined where no rule names any: then an administrator says which. */
function wardsFor(role: Role, claims: Claims, rules: ClaimRules): "all" | string[] | undefined {
    if (kindOf(role).wards !== "choice" || rules.wards.length === 0) return undefined
    const wards = wardsOf(claims, rules)
    return wards.includes(allWards) ? "all" : wards
}
