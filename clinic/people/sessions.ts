import { createHash } from "node:crypto"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import { kindOf, type Role } from "./permissions.ts"
import type { SignInWay } from "./sign-in-ways.ts"
import type { StoredAccount } from "../store/accounts.ts"
import { StoreFailure } from "../store/failure.ts"
import type { Store } from "../store/store.ts"

/** A nurse's shift; then one signs in again whatever happens. */
export const sessionMaxMs = 12 * 3_600_000
/** An open page counts as use: a ward screen stays on with nobody touching it, until `sessionMaxMs` ends it. */
const sessionIdleMs = 30 * 60_000
/** Noting every use of a session would be a write per request. */
const sessionNoteMs = 60_000
/** So long after a sign-in somebody without a password is taken for who they are, where others type it. */
const freshMs = 10 * 60_000
const sessionBytes = 32
const maxAgentChars = 200

export interface SessionView {
    id: number
    agent: string
    way: SignInWay
    createdAt: number
    usedAt: number
    isThis: boolean
}

/** By `elapsedMs`. */
interface Ages {
    madeAt: number
    usedAt: number
}

/** Sessions of people in browsers, stored hashed. */
export class Sessions {
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    /** Ages of the sessions of this start, by the hash in hex: the time of day may be set, by an hour or by years. */
    private readonly ages = new Map<string, Ages>()

    constructor(store: Store, clock: Clock, random: (bytes: number) => Uint8Array) {
        this.store = store
        this.clock = clock
        this.random = random
    }

    /** A new session's token, which only the browser has. */
    async begin(account: number, { agent = "", way }: { agent?: string | undefined; way: SignInWay }): Promise<string> {
        const session = Buffer.from(this.random(sessionBytes)).toString("base64url")
        const now = this.now()
        await this.removeOld()
        const shown = agent.replace(/\p{Cc}/gu, " ").slice(0, maxAgentChars)
        await this.store.session.add({
            ...{ hash: hashed(session), account, agent: shown, way, createdAt: now, usedAt: now },
        })
        const elapsed = elapsedMs(this.clock)
        this.ages.set(nameOf(session), { madeAt: elapsed, usedAt: elapsed })
        return session
    }

    /** Whose session this is, where it has not ended, and notes its use. */
    async use(session: string): Promise<{ id: number; account: StoredAccount; way: SignInWay } | undefined> {
        const found = await this.store.session.find(hashed(session))
        if (!found) return undefined
        const elapsed = elapsedMs(this.clock)
        const now = this.now()
        const ages = this.agesOf(session, found)
        const { sessionEnds } = kindOf(found.account.role as Role)
        if (sessionEnds && (elapsed - ages.usedAt > sessionIdleMs || elapsed - ages.madeAt > sessionMaxMs))
            return undefined
        this.ages.set(nameOf(session), { ...ages, usedAt: elapsed })
        if (Math.abs(now - found.usedAt) > sessionNoteMs) await this.noteUse(session, now)
        return { id: found.id, account: found.account, way: found.way as SignInWay }
    }

    /** Sessions of an account that can still be used; `own` is the one that asks. */
    async of(account: number, own?: string): Promise<SessionView[]> {
        await this.removeOld()
        const ownHash = own === undefined ? undefined : Buffer.from(hashed(own))
        return (await this.store.session.of(account)).map(({ hash, way, ...session }) => ({
            ...session,
            way: way as SignInWay,
            isThis: ownHash?.equals(hash) ?? false,
        }))
    }

    /** Ends one session of an account, or all but `own`. False where there is no such one. */
    async end(account: number, which: { id: number } | { but: string | undefined }): Promise<boolean> {
        const sessions = await this.of(account, "but" in which ? which.but : undefined)
        const ended = sessions.filter(session => ("id" in which ? session.id === which.id : !session.isThis))
        const rows = await this.store.session.of(account)
        for (const { id, hash } of rows)
            if (ended.some(session => session.id === id)) {
                this.ages.delete(Buffer.from(hash).toString("hex"))
                await this.store.session.remove(hash)
            }
        return ended.length > 0 || "but" in which
    }

    async logout(session: string): Promise<void> {
        this.ages.delete(nameOf(session))
        await this.store.session.remove(hashed(session))
    }

    /** In how many ms a session ends whatever happens; null where it never does. */
    async leftMs(session: string): Promise<number | null> {
        const found = await this.store.session.find(hashed(session))
        if (!found || !kindOf(found.account.role as Role).sessionEnds) return null
        const { madeAt } = this.agesOf(session, found)
        return Math.max(0, Math.round(sessionMaxMs - (elapsedMs(this.clock) - madeAt)))
    }

    /** Whether its user has shown who they are a moment ago. */
    async isFresh(session: string): Promise<boolean> {
        const found = await this.store.session.find(hashed(session))
        return found !== undefined && elapsedMs(this.clock) - this.agesOf(session, found).madeAt < freshMs
    }

    /** A disk that is full keeps nobody from looking: the use of a session is in memory, too. */
    private async noteUse(session: string, now: number): Promise<void> {
        await this.store.session.noteUse(hashed(session), now).catch((error: Error) => {
            if (!(error instanceof StoreFailure)) throw error
        })
    }

    private agesOf(session: string, found: { createdAt: number; usedAt: number }): Ages {
        const elapsed = elapsedMs(this.clock)
        const now = this.now()
        // One from before this start: how long ago it was, the time of day has to say.
        return (
            this.ages.get(nameOf(session)) ?? {
                madeAt: elapsed - Math.max(0, now - found.createdAt),
                usedAt: elapsed - Math.max(0, now - found.usedAt),
            }
        )
    }

    /** Sessions that nobody can use any more. Those of this start are judged by the clock that nobody sets. */
    private async removeOld(): Promise<void> {
        const elapsed = elapsedMs(this.clock)
        const isOver = ({ madeAt, usedAt }: Ages) => elapsed - usedAt > sessionIdleMs || elapsed - madeAt > sessionMaxMs
        for (const { hash, role, createdAt, usedAt } of await this.store.session.all()) {
            if (!kindOf(role as Role).sessionEnds) continue
            const name = Buffer.from(hash).toString("hex")
            const ages = this.ages.get(name)
            const now = this.now()
            const isOld = ages ? isOver(ages) : now - usedAt > sessionIdleMs || now - createdAt > sessionMaxMs
            if (!isOld) continue
            this.ages.delete(name)
            await this.store.session.remove(hash)
        }
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

/** Enough for a token, unlike for a password: nobody guesses 256 random bits. */
export function hashed(token: string): Uint8Array {
    return createHash("sha256").update(token).digest()
}

/** A session's name in memory: its hash. */
function nameOf(session: string): string {
    return Buffer.from(hashed(session)).toString("hex")
}
