import { hash, verify } from "@node-rs/argon2"
import { timingSafeEqual } from "node:crypto"
import type { Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import type { BreakGlass, Opening } from "./break-glass.ts"
import { isAction, kindOf, may, type Action, type Role } from "./permissions.ts"
import type { FactorProof, SecondFactors } from "./second-factors.ts"
import { hashed, Sessions } from "./sessions.ts"
import type { SignInWay } from "./sign-in-ways.ts"
import type { StoredAccount } from "../store/accounts.ts"
import type { Store, Tables } from "../store/store.ts"

export interface User {
    id: number
    name: string
    role: Role
    /** Whose data a patient may see. */
    patient: number | null
    /** Of a doctor, a nurse or another system: wards do not limit whom it sees. */
    allWards: boolean
    /** Which wards those have whom wards limit. */
    wards?: "all" | readonly string[]
    /** Who is on these wards now, unless they are all. */
    onWard?: readonly number[]
    /** Patients of other wards whom the user has opened with a reason. */
    opened?: readonly Opening[]
    /** What a limited token is for. */
    only?: readonly Action[]
    /** When the token ends, unix ms. */
    endsAt?: number
    /** What was shown: `session 12`, `token 3`, `local`. */
    credential?: string
    /** Of a session: what it began with. */
    way?: SignInWay
    /** Of a router: it gets the keys of all its motes at once, not only of those that have shown up at it. */
    prefetch: boolean
    /** False: it is kept, and nobody comes in with it. */
    isActive: boolean
}

const tokenBytes = 32
const tokenNoteMs = 10 * 60_000
const dayMs = 86_400_000
/** It goes to somebody by telephone or on paper. */
const setupLinkMs = dayMs
/** Of a token: what it is called, how long it lasts, and what it may be used for; without that, all that its user may. */
export interface NewToken {
    name?: string
    days?: number
    actions?: readonly Action[]
    /** Of a user whom wards limit: none but these. */
    wards?: readonly string[]
}

/** Without the token itself, which is not kept. */
export interface Token {
    id: number
    name: string
    createdAt: number
    expiresAt: number | null
    usedAt: number | null
    actions: readonly Action[] | null
    wards: readonly string[] | null
}

/** Who works at the machine itself; it is no row of the database. */
const localUser: User = {
    id: 0,
    name: "local",
    role: "administrator",
    patient: null,
    allWards: false,
    prefetch: false,
    isActive: true,
    credential: "local",
}

/** Who may come in: users with passwords (argon2id), sessions and tokens; the latter two are stored hashed. */
export class Accounts {
    readonly sessions: Sessions
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly secondFactors: SecondFactors
    private readonly breakGlass: BreakGlass
    /** The hash of the token for those who can read the data folder. */
    private local: Uint8Array | undefined
    /** Compared with where there is no such user, so that the answer takes as long. */
    private readonly nobody: Promise<string>

    constructor(o: {
        store: Store
        clock: Clock
        random: (bytes: number) => Uint8Array
        secondFactors: SecondFactors
        breakGlass: BreakGlass
    }) {
        const { store, clock, random } = o
        this.sessions = new Sessions(store, clock, random)
        this.secondFactors = o.secondFactors
        this.breakGlass = o.breakGlass
        this.store = store
        this.clock = clock
        this.random = random
        this.nobody = hash(random(tokenBytes))
    }

    /**
     * Users and, where they are given one, their passwords. Of `wards`, "all" is a choice of its own; who has none sees nobody.
     * Throws ProblemError for a name that is taken.
     */
    async add(
        o: {
            name: string
            role: Role
            password?: string
            patient?: number
            wards?: "all" | readonly string[]
            prefetch?: boolean
        },
        t?: Tables,
    ): Promise<User> {
        const { name, role, patient = null, prefetch = false, wards = [] } = o
        const password = o.password === undefined ? null : await hash(o.password)
        const columns = { prefetch: prefetch ? 1 : 0, all_wards: wards === "all" ? 1 : 0 }
        const add = async (tables: Tables) => {
            const added = await tables.account.add({ name, role, password, patient, ...columns })
            if (!added) throw new ProblemError("name-taken")
            if (wards !== "all") await tables.accountWard.add(added.id, [...new Set(wards)])
            return user(added)
        }
        return await (t ? add(t) : this.store.transaction(add))
    }

    async isEmpty(t: Tables = this.store): Promise<boolean> {
        return await t.account.isEmpty()
    }

    async byName(name: string): Promise<User | undefined> {
        const found = await this.store.account.byName(name)
        return found && user(found)
    }

    async byId(id: number): Promise<StoredAccount | undefined> {
        return await this.store.account.byId(id)
    }

    async all(): Promise<User[]> {
        return (await this.store.account.all()).map(user)
    }

    /** The wards of accounts that name any; a router that is not in here serves them all. */
    async wards(): Promise<Map<number, string[]>> {
        const wards = new Map<number, string[]>()
        for (const { account, ward } of await this.store.accountWard.all())
            wards.set(account, [...(wards.get(account) ?? []), ward])
        return wards
    }

    /** From now on these are the wards of an account. */
    async setWards(account: number, wards: "all" | readonly string[], t?: Tables): Promise<void> {
        if (!t) return await this.store.transaction(tables => this.setWards(account, wards, tables))
        await t.account.setAllWards(account, wards === "all")
        await t.accountWard.removeOf(account)
        if (wards !== "all") await t.accountWard.add(account, [...new Set(wards)])
    }

    /** Whether a router gets the keys of all its motes at once. */
    async prefetches(router: number): Promise<boolean> {
        return (await this.all()).some(({ id, prefetch }) => id === router && prefetch)
    }

    /** Whether anybody comes in with this account: otherwise its sessions and openings end, and its tokens rest. False where there is none. */
    async setActive(name: string, isActive: boolean): Promise<boolean> {
        return await this.store.transaction(async t => {
            const account = await t.account.byName(name)
            if (!account) return false
            await t.account.setActive(account.id, isActive)
            if (isActive) return true
            await t.session.removeOf(account.id)
            await t.breakGlass.end(account.id, this.now())
            return true
        })
    }

    /** With sessions and tokens. False where there is none. */
    async remove(name: string): Promise<boolean> {
        return await this.store.transaction(async t => {
            const account = await t.account.byName(name)
            if (!account) return false
            await this.removeAccount(account.id, t)
            return true
        })
    }

    async removeAccount(account: number, t: Tables): Promise<void> {
        await t.session.removeOf(account)
        await t.token.removeOf(account)
        await t.setupLink.removeOf(account)
        await t.secondFactor.removeOf(account)
        await t.openIdLink.removeOf(account)
        await t.passkey.removeOf(account)
        await t.accountWard.removeOf(account)
        await t.routerMote.removeOf(account)
        await t.breakGlass.end(account, this.now())
        await t.account.remove(account)
    }

    /** A new token for this user, shown once. */
    async addToken(account: number, t: Tables = this.store, o: NewToken = {}): Promise<string> {
        return (await this.addNamedToken(account, o, t)).token
    }

    async addNamedToken(
        account: number,
        { name = "", days, actions, wards }: NewToken,
        t: Tables = this.store,
    ): Promise<{ id: number; token: string }> {
        const token = this.newToken()
        const createdAt = this.now()
        const expiresAt = this.endOf(days) ?? null
        const limits = { expiresAt, actions: listed(actions), wards: listed(wards) }
        const id = await t.token.add({ hash: hashed(token), account, name, createdAt, ...limits })
        return { id, token }
    }

    async tokensOf(account: number): Promise<Token[]> {
        return (await this.store.token.of(account)).map(({ actions, wards, ...token }) => ({
            ...token,
            actions: actionsOf(actions),
            wards: wardsOf(wards),
        }))
    }

    /** False where the account has no such token. */
    async removeToken(account: number, id: number): Promise<boolean> {
        return await this.store.token.remove(account, id)
    }

    /** Whether a passkey, or a code, is asked for beside the password. */
    async setPasskeyFactor(account: number, isFactor: boolean): Promise<void> {
        await this.store.account.setPasskeyFactor(account, isFactor)
    }

    /** Who signs in by another way only has none. */
    async hasPassword(account: number): Promise<boolean> {
        return await this.store.account.hasPassword(account)
    }

    /** Whether this is the user's password, and the account is in use. It takes the same time where the user has none. */
    async knows(name: string, password: string): Promise<boolean> {
        const found = await this.store.account.byName(name)
        const matches = await verify(found?.password ?? (await this.nobody), password)
        return Boolean(found?.password) && matches && found?.is_active === 1
    }

    /** All sessions but `own` end. */
    async setPassword(account: number, password: string, own?: string): Promise<void> {
        await this.store.account.setPassword(account, await hash(password))
        await this.sessions.end(account, { but: own })
    }

    /** A link that sets this user's password once; those from before are worth nothing. Times are unix ms. */
    async addSetupLink(account: number): Promise<{ token: string; expiresAt: number }> {
        const token = this.newToken()
        const madeAt = this.now()
        const expiresAt = madeAt + setupLinkMs
        await this.store.transaction(t => t.setupLink.put({ hash: hashed(token), account, madeAt, expiresAt }))
        return { token, expiresAt }
    }

    /** Sets the password of whom the link was for, and ends all sessions. False for a link that is used up, over or none. */
    async useSetupLink(token: string, password: string): Promise<boolean> {
        const name = hashed(token)
        const isValid = (link: { madeAt: number; expiresAt: number } | undefined) =>
            link !== undefined && link.madeAt <= this.now() && this.now() < link.expiresAt
        // Nobody makes the clinic work without a link.
        if (!isValid(await this.store.setupLink.find(name))) return false
        const secret = await hash(password)
        return await this.store.transaction(async t => {
            const link = await t.setupLink.find(name)
            if (!link || !isValid(link)) return false
            await t.account.setPassword(link.account, secret)
            await t.setupLink.removeOf(link.account)
            await t.session.removeOf(link.account)
            return true
        })
    }

    /**
     * The user of that name and a new session's token, or undefined; either takes the same time.
     * @param o.passwordsOnlyFor the only account that may, and only as an administrator; without it, all may
     */
    async login(
        name: string,
        password: string,
        o: FactorProof & { agent?: string | undefined; passwordsOnlyFor?: string | undefined } = {},
    ): Promise<{ user: User; session: string } | undefined> {
        if (!(await this.knows(name, password))) return undefined
        const found = await this.store.account.byName(name)
        const { passwordsOnlyFor = name } = o
        if (!found || name !== passwordsOnlyFor) return undefined
        if (o.passwordsOnlyFor !== undefined && !may(user(found), "verify-audit")) return undefined
        if (!(await this.secondFactors.passes(found.id, o))) return undefined
        return await this.begin(found, { agent: o.agent, way: "password" })
    }

    /** A session of somebody who has shown who they are. */
    async begin(
        account: StoredAccount,
        o: { agent: string | undefined; way: SignInWay },
    ): Promise<{ user: User; session: string }> {
        const session = await this.sessions.begin(account.id, o)
        return { user: await this.withReach(user(account)), session }
    }

    /** Whose session this is, and notes its use. */
    async bySession(session: string): Promise<User | undefined> {
        const found = await this.sessions.use(session)
        if (found?.account.is_active !== 1) return undefined
        return await this.withReach({ ...user(found.account), credential: `session ${found.id}`, way: found.way })
    }

    /**
     * Whom the user sees now: that changes with every admission. A token may be limited to some of the user's wards, and opens
     * nobody: a reason is given by a person.
     */
    private async withReach(
        found: User,
        { isToken, wards: limit }: { isToken: boolean; wards: readonly string[] | null } = {
            isToken: false,
            wards: null,
        },
    ): Promise<User> {
        const { wards: which } = kindOf(found.role)
        if (which !== "one" && which !== "choice") return found
        if (found.allWards && limit === null) return { ...found, wards: "all" }
        const own = found.allWards ? limit! : await this.store.accountWard.of(found.id)
        const wards = limit === null ? own : own.filter(ward => limit.includes(ward))
        const onWard = await this.store.patient.onWards(wards)
        const opened = isToken || !may(found, "break-glass") ? [] : await this.breakGlass.of(found.id)
        return { ...found, wards, onWard, opened }
    }

    /** A token that makes an administrator of whoever can read the file it is written to, until the clinic ends. */
    localToken(): string {
        const token = this.newToken()
        this.local = hashed(token)
        return token
    }

    async byToken(token: string): Promise<User | undefined> {
        if (this.local && timingSafeEqual(this.local, hashed(token))) return localUser
        const found = await this.store.token.find(hashed(token))
        if (found?.account.is_active !== 1) return undefined
        const { id, expiresAt, usedAt, actions, wards } = found.token
        const now = this.now()
        if (expiresAt !== null && now >= expiresAt) return undefined
        // On a full disk everything can still be read.
        if (usedAt === null || Math.abs(now - usedAt) > tokenNoteMs)
            await this.store.token.noteUse(id, now).catch(() => {})
        const only = actionsOf(actions)
        const limits = { ...(only && { only }), ...(expiresAt !== null && { endsAt: expiresAt }) }
        const account = { ...user(found.account), ...limits, credential: `token ${id}` }
        return await this.withReach(account, { isToken: true, wards: wardsOf(wards) })
    }

    /** A password for a first start; people choose their own later. */
    newPassword(): string {
        return Buffer.from(this.random(15)).toString("base64url")
    }

    private newToken(): string {
        return Buffer.from(this.random(tokenBytes)).toString("base64url")
    }

    /** When a token ends that is made now, unix ms. */
    endOf(days: number | undefined): number | undefined {
        return days === undefined ? undefined : this.now() + days * dayMs
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

function user({ id, name, role, patient, prefetch, all_wards, is_active }: StoredAccount): User {
    return {
        ...{ id, name, role: role as Role, patient, prefetch: prefetch === 1 },
        ...{ allWards: all_wards === 1, isActive: is_active === 1 },
    }
}

/** What a later version allows is none of these any more. */
function actionsOf(actions: string | null): Action[] | null {
    return actions === null ? null : (JSON.parse(actions) as string[]).filter(isAction)
}

function wardsOf(wards: string | null): string[] | null {
    return wards === null ? null : (JSON.parse(wards) as string[])
}

function listed(list: readonly string[] | undefined): string | null {
    return list ? JSON.stringify(list) : null
}
