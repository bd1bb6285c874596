import { hash, verify } from "@node-rs/argon2"
import { createHash, timingSafeEqual } from "node:crypto"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import { kindOf, type Role } from "./permissions.ts"
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

/** Who works at the machine itself; it is no row of the database. */
const localUser: User = { id: 0, name: "local", role: "administrator", patient: null, prefetch: false }

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
    /** Ages of the sessions of this start, by the hash in hex: the time of day may be set, by an hour or by years. */
    private readonly sessions = new Map<string, Ages>()
    /** The hash of the token for those who can read the data folder. */
    private local: Uint8Array | undefined
    /** Compared with where there is no such user, so that the answer takes as long. */
    private readonly nobody: Promise<string>

    constructor(store: Store, clock: Clock, random: (bytes: number) => Uint8Array) {
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
            await t.routerWard.removeOf(account.id)
            await t.routerMote.removeOf(account.id)
            await t.account.remove(account.id)
            return true
        })
    }

    /** A new token for this user, shown once. */
    async addToken(account: number, t: Tables = this.store): Promise<string> {
        const token = this.newToken()
        await t.token.add({ hash: hashed(token), account, createdAt: this.now() })
        return token
    }

    /** The user of that name and a new session's token, or undefined; either takes the same time. */
    async login(name: string, password: string): Promise<{ user: User; session: string } | undefined> {
        const found = await this.store.account.byName(name)
        const matches = await verify(found?.password ?? (await this.nobody), password)
        if (!found?.password || !matches) return undefined
        const session = this.newToken()
        const now = this.now()
        await this.removeOld()
        await this.store.session.add({ hash: hashed(session), account: found.id, createdAt: now, usedAt: now })
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
        return await this.withWard(user(found.account))
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
        return { ...found, onWard: patients.filter(({ ward }) => ward !== null && wards.includes(ward)).map(p => p.id) }
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
        const found = await this.store.token.accountOf(hashed(token))
        return found && (await this.withWard(user(found)))
    }

    /** A password for a first start; people choose their own later. */
    newPassword(): string {
        return Buffer.from(this.random(15)).toString("base64url")
    }

    private newToken(): string {
        return Buffer.from(this.random(tokenBytes)).toString("base64url")
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

function user({ id, name, role, patient, prefetch }: StoredAccount): User {
    return { id, name, role: role as Role, patient, prefetch: prefetch === 1 }
}

/** Enough for a token, unlike for a password: nobody guesses 256 random bits. */
function hashed(token: string): Uint8Array {
    return createHash("sha256").update(token).digest()
}

/** A session's name in memory: its hash. */
function nameOf(session: string): string {
    return Buffer.from(hashed(session)).toString("hex")
}
