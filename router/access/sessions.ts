import { createHash } from "node:crypto"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import type { PageUsers, StoredUser } from "./users.ts"

/** A shift; then one signs in again whatever happens. */
export const sessionMaxMs = 12 * 3_600_000
/** An open page counts as use. */
const sessionIdleMs = 30 * 60_000
const tokenBytes = 32
/** The least recently used one ends first. */
const maxSessions = 256

interface Session {
    name: string
    /** The password's hash at sign-in: a new password ends the session. */
    password: string | null
    /** By `elapsedMs`. */
    madeAt: number
    usedAt: number
}

/** Who has signed in. Sessions are in memory only, by the hash of their token: they end with the router. */
export class Sessions {
    private readonly users: PageUsers
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    /** The most recently used one last. */
    private readonly sessions = new Map<string, Session>()

    constructor(o: { users: PageUsers; clock: Clock; random: (bytes: number) => Uint8Array }) {
        this.users = o.users
        this.clock = o.clock
        this.random = o.random
    }

    /** A new session's token. */
    begin({ name, password }: StoredUser): string {
        const token = Buffer.from(this.random(tokenBytes)).toString("base64url")
        const now = elapsedMs(this.clock)
        this.sessions.set(nameOf(token), { name, password, madeAt: now, usedAt: now })
        if (this.sessions.size > maxSessions) this.sessions.delete(this.sessions.keys().next().value!)
        return token
    }

    /** Whose session this is, with the rights that the user has now. Counts as use. */
    find(token: string): StoredUser | undefined {
        const key = nameOf(token)
        const session = this.sessions.get(key)
        if (!session) return undefined
        this.sessions.delete(key)
        const now = elapsedMs(this.clock)
        if (now - session.usedAt > sessionIdleMs || now - session.madeAt > sessionMaxMs) return undefined
        const user = this.users.find(session.name)
        if (!user || user.password === null || user.password !== session.password) return undefined
        this.sessions.set(key, { ...session, usedAt: now })
        return user
    }

    end(token: string): void {
        this.sessions.delete(nameOf(token))
    }
}

function nameOf(token: string): string {
    return createHash("sha256").update(token).digest("hex")
}
