import { hash, verify } from "@node-rs/argon2"
import { createHash, timingSafeEqual } from "node:crypto"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import { isAction, kindOf, type Action, type Role } from "./permissions.ts"
import type { SecondFactors } from "./second-factors.ts"
import type { StoredAccount } from "../store/accounts.ts"
import { StoreFailure } from "../store/failure.ts"
import type { Store, Tables } from "../store/store.ts"

export interface User {
    id: number
    name: string
    role: Role
    /** Whose data a patient may see. */
    patient: number | null
    /** Those whose data a display may see: who is on its ward now. */
    onWard?: number[]
    /** What a limited token is for. */
    only?: readonly Action[]
    /** When the token ends, unix ms. */
    endsAt?: number
    /** What was shown: `session 12`, `token 3`, `local`. */
    credential?: string
    /** Of a display. */
    ward?: string
    /** Of a router: it gets the keys of all its motes at once, not only of those that have shown up at it. */
    prefetch: boolean
}

/** A nurse's shift; then one logs in again whatever happens. */
export const sessionMaxMs = 12 * 3_600_000
/** An open page counts as use: a ward screen stays on with nobody touching it, until `sessionMaxMs` ends it. */
const sessionIdleMs = 30 * 60_000
/** Noting every use of a session would be a write per request. */
const sessionNoteMs = 60_000
const tokenBytes = 32
const tokenNoteMs = 10 * 60_000
const dayMs = 86_400_000
/** It goes to somebody by telephone or on paper. */
const setupLinkMs = dayMs
const maxAgentChars = 200

/** Of a token: what it is called, how long it lasts, and what it may be used for; without that, all that its user may. */
export interface NewToken {
    name?: string
    days?: number
    actions?: readonly Action[]
}

/** Without the token itself, which is not kept. */
export interface Token {
    id: number
    name: string
    createdAt: number
    expiresAt: number | null
    usedAt: number | null
    actions: readonly Action[] | null
}

export interface SessionView {
    id: number
    agent: string
    createdAt: number
    usedAt: number
    isThis: boolean
}

/** Who works at the machine itself; it is no row of the database. */
const localUser: User = {
    id: 0,
    name: "local",
    role: "administrator",
    patient: null,
    prefetch: false,
    credential: "local",
}

/** By `elapsedMs`. */
interface Ages {
    madeAt: number
    usedAt: number
}

/** Who may come in: users with passwords (argon2id), sessions and tokens; the latter two are stored hashed. */
export class Accounts {
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly secondFactors: SecondFactors
    /** Ages of the sessions of this start, by the hash in hex: the time of day may be set, by an hour or by years. */
    private readonly sessions = new Map<string, Ages>()
    /** The hash of the token for those who can read the data folder. */
    private local: Uint8Array | undefined
    /** Compared with where there is no such user, so that the answer takes as long. */
    private readonly nobody: Promise<string>

    constructor(store: Store, clock: Clock, random: (bytes: number) => Uint8Array, secondFactors: SecondFactors) {
        this.secondFactors = secondFactors
        this.store = store
        this.clock = clock
        this.random = random
        this.nobody = hash(random(tokenBytes))
    }

    /** Users and, where they are given one, their passwords. Throws ProblemError for a name that is taken. */
    async add(
        o: {
            name: string
            role: Role
            password?: string
            patient?: number
            wards?: readonly string[]
            prefetch?: boolean
        },
        t?: Tables,
    ): Promise<User> {
        const { name, role, patient = null, prefetch = false } = o
        const password = o.password === undefined ? null : await hash(o.password)
        const add = async (tables: Tables) => {
            const added = await tables.account.add({ name, role, password, patient, prefetch: prefetch ? 1 : 0 })
            if (!added) throw new ProblemError("name-taken")
            await tables.routerWard.add(added.id, [...new Set(o.wards)])
            return user(added)
        }
        return await (t ? add(t) : this.store.transaction(add))
    }

    async isEmpty(t: Tables = this.store): Promise<boolean> {
        return await t.account.isEmpty()
    }

    async all(): Promise<User[]> {
        return (await this.store.account.all()).map(user)
    }

    /** The ward of a display, and the wards that routers are limited to, by account; a router that is not in here serves them all. */
    async wards(): Promise<Map<number, string[]>> {
        const wards = new Map<number, string[]>()
        for (const { account, ward } of await this.store.routerWard.all())
            wards.set(account, [...(wards.get(account) ?? []), ward])
        return wards
    }

    /** Whether a router gets the keys of all its motes at once. */
    async prefetches(router: number): Promise<boolean> {
        return (await this.all()).some(({ id, prefetch }) => id === router && prefetch)
    }

    /** With sessions and tokens. False where there is none. */
    async remove(name: string): Promise<boolean> {
        return await this.store.transaction(async t => {
            const account = await t.account.byName(name)
            if (!account) return false
            await t.session.removeOf(account.id)
            await t.token.removeOf(account.id)
            await t.setupLink.removeOf(account.id)
            await t.secondFactor.removeOf(account.id)
            await t.routerWard.removeOf(account.id)
            await t.routerMote.removeOf(account.id)
            await t.account.remove(account.id)
            return true
        })
    }

    /** A new token for this user, shown once. */
    async addToken(account: number, t: Tables = this.store, o: NewToken = {}): Promise<string> {
        return (await this.addNamedToken(account, o, t)).token
    }

    async addNamedToken(
        account: number,
        { name = "", days, actions }: NewToken,
        t: Tables = this.store,
    ): Promise<{ id: number; token: string }> {
        const token = this.newToken()
        const createdAt = this.now()
        const expiresAt = this.endOf(days) ?? null
        const limits = { expiresAt, actions: actions ? JSON.stringify(actions) : null }
        const id = await t.token.add({ hash: hashed(token), account, name, createdAt, ...limits })
        return { id, token }
    }

    async tokensOf(account: number): Promise<Token[]> {
        return (await this.store.token.of(account)).map(({ actions, ...token }) => ({
            ...token,
            actions: actionsOf(actions),
        }))
    }

    /** False where the account has no such token. */
    async removeToken(account: number, id: number): Promise<boolean> {
        return await this.store.token.remove(account, id)
    }

    /** Sessions of an account that can still be used; `own` is the one that asks. */
    async sessionsOf(account: number, own?: string): Promise<SessionView[]> {
        await this.removeOld()
        const ownHash = own === undefined ? undefined : Buffer.from(hashed(own))
        return (await this.store.session.of(account)).map(({ hash, ...session }) => ({
            ...session,
            isThis: ownHash?.equals(hash) ?? false,
        }))
    }

    /** Ends one session of an account, or all but `own`. False where there is no such one. */
    async endSessions(account: number, which: { id: number } | { but: string | undefined }): Promise<boolean> {
        const sessions = await this.sessionsOf(account, "but" in which ? which.but : undefined)
        const ended = sessions.filter(session => ("id" in which ? session.id === which.id : !session.isThis))
        const rows = await this.store.session.of(account)
        for (const { id, hash } of rows)
            if (ended.some(session => session.id === id)) {
                this.sessions.delete(Buffer.from(hash).toString("hex"))
                await this.store.session.remove(hash)
            }
        return ended.length > 0 || "but" in which
    }

    /** Whether this is the user's password. It takes the same time where the user has none. */
    async knows(name: string, password: string): Promise<boolean> {
        const found = await this.store.account.byName(name)
        const matches = await verify(found?.password ?? (await this.nobody), password)
        return Boolean(found?.password) && matches
    }

    /** All sessions but `own` end. */
    async setPassword(account: number, password: string, own?: string): Promise<void> {
        await this.store.account.setPassword(account, await hash(password))
        await this.endSessions(account, { but: own })
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

    /** The user of that name and a new session's token, or undefined; either takes the same time. */
    async login(
        name: string,
        password: string,
        o: { code?: string | undefined; agent?: string | undefined } = {},
    ): Promise<{ user: User; session: string } | undefined> {
        if (!(await this.knows(name, password))) return undefined
        const found = await this.store.account.byName(name)
        if (!found || !(await this.secondFactors.passes(found.id, o.code))) return undefined
        const session = this.newToken()
        const now = this.now()
        await this.removeOld()
        const agent = (o.agent ?? "").replace(/\p{Cc}/gu, " ").slice(0, maxAgentChars)
        await this.store.session.add({ hash: hashed(session), account: found.id, agent, createdAt: now, usedAt: now })
        const elapsed = elapsedMs(this.clock)
        this.sessions.set(nameOf(session), { madeAt: elapsed, usedAt: elapsed })
        return { user: await this.withWard(user(found)), session }
    }

    async logout(session: string): Promise<void> {
        this.sessions.delete(nameOf(session))
        await this.store.session.remove(hashed(session))
    }

    /** Whose session this is, and notes its use. */
    async bySession(session: string): Promise<User | undefined> {
        const found = await this.store.session.find(hashed(session))
        if (!found) return undefined
        const { usedAt } = found
        const elapsed = elapsedMs(this.clock)
        const now = this.now()
        const ages = this.agesOf(session, found)
        const { sessionEnds } = kindOf(found.account.role as Role)
        if (sessionEnds && (elapsed - ages.usedAt > sessionIdleMs || elapsed - ages.madeAt > sessionMaxMs))
            return undefined
        this.sessions.set(nameOf(session), { ...ages, usedAt: elapsed })
        if (Math.abs(now - usedAt) > sessionNoteMs) await this.noteUse(session, now)
        return await this.withWard({ ...user(found.account), credential: `session ${found.id}` })
    }

    /** A disk that is full keeps nobody from looking: the use of a session is in memory, too. */
    private async noteUse(session: string, now: number): Promise<void> {
        await this.store.session.noteUse(hashed(session), now).catch((error: Error) => {
            if (!(error instanceof StoreFailure)) throw error
        })
    }

    /** In how many ms a session ends whatever happens; null where it never does. */
    async sessionLeftMs(session: string): Promise<number | null> {
        const found = await this.store.session.find(hashed(session))
        if (!found || !kindOf(found.account.role as Role).sessionEnds) return null
        const { madeAt } = this.agesOf(session, found)
        return Math.max(0, Math.round(sessionMaxMs - (elapsedMs(this.clock) - madeAt)))
    }

    private agesOf(session: string, found: { createdAt: number; usedAt: number }): Ages {
        const elapsed = elapsedMs(this.clock)
        const now = this.now()
        // One from before this start: how long ago it was, the time of day has to say.
        return (
            this.sessions.get(nameOf(session)) ?? {
                madeAt: elapsed - Math.max(0, now - found.createdAt),
                usedAt: elapsed - Math.max(0, now - found.usedAt),
            }
        )
    }

    /** Who is on a display's ward changes with every admission. */
    private async withWard(found: User): Promise<User> {
        if (kindOf(found.role).wards !== "one") return found
        const wards = (await this.wards()).get(found.id) ?? []
        const patients = await this.store.patient.active()
        const onWard = patients.filter(({ ward }) => ward !== null && wards.includes(ward)).map(p => p.id)
        return { ...found, onWard, ...(wards[0] !== undefined && { ward: wards[0] }) }
    }

    /** Sessions that nobody can use any more. Those of this start are judged by the clock that nobody sets. */
    private async removeOld(): Promise<void> {
        const elapsed = elapsedMs(this.clock)
        const isOver = ({ madeAt, usedAt }: Ages) => elapsed - usedAt > sessionIdleMs || elapsed - madeAt > sessionMaxMs
        for (const { hash, role, createdAt, usedAt } of await this.store.session.all()) {
            if (!kindOf(role as Role).sessionEnds) continue
            const name = Buffer.from(hash).toString("hex")
            const ages = this.sessions.get(name)
            const now = this.now()
            const isOld = ages ? isOver(ages) : now - usedAt > sessionIdleMs || now - createdAt > sessionMaxMs
            if (!isOld) continue
            this.sessions.delete(name)
            await this.store.session.remove(hash)
        }
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
        if (!found) return undefined
        const { id, expiresAt, usedAt, actions } = found.token
        const now = this.now()
        if (expiresAt !== null && now >= expiresAt) return undefined
        // On a full disk everything can still be read.
        if (usedAt === null || Math.abs(now - usedAt) > tokenNoteMs)
            await this.store.token.noteUse(id, now).catch(() => {})
        const only = actionsOf(actions)
        const limits = { ...(only && { only }), ...(expiresAt !== null && { endsAt: expiresAt }) }
        return await this.withWard({ ...user(found.account), ...limits, credential: `token ${id}` })
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

function user({ id, name, role, patient, prefetch }: StoredAccount): User {
    return { id, name, role: role as Role, patient, prefetch: prefetch === 1 }
}

/** What a later version allows is none of these any more. */
function actionsOf(actions: string | null): Action[] | null {
    return actions === null ? null : (JSON.parse(actions) as string[]).filter(isAction)
}

/** Enough for a token, unlike for a password: nobody guesses 256 random bits. */
function hashed(token: string): Uint8Array {
    return createHash("sha256").update(token).digest()
}

/** A session's name in memory: its hash. */
function nameOf(session: string): string {
    return Buffer.from(hashed(session)).toString("hex")
}
