import { hash, verify } from "@node-rs/argon2"
import { createHash } from "node:crypto"
import type { Clock } from "../../host/clock.ts"
import { Conflict } from "../errors.ts"
import type { Role } from "./permissions.ts"
import type { Sql, Store } from "../store/store.ts"

export interface User {
    id: number
    name: string
    role: Role
    /** Whose data a patient may see. */
    patient: number | null
}

/** A nurse's shift; then one logs in again whatever happens. */
export const sessionMaxMs = 12 * 3_600_000
/** An open page counts as use: a ward screen stays on with nobody touching it, until `sessionMaxMs` ends it. */
const sessionIdleMs = 30 * 60_000
/** Noting every use of a session would be a write per request. */
const sessionNoteMs = 60_000
const tokenBytes = 32

const user = "account.id, account.name, account.role, account.patient"

/** Who may come in: users with passwords (argon2id), sessions and tokens; the latter two are stored hashed. */
export class Accounts {
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    /** Compared with where there is no such user, so that the answer takes as long. */
    private readonly nobody: Promise<string>

    constructor(store: Store, clock: Clock, random: (bytes: number) => Uint8Array) {
        this.store = store
        this.clock = clock
        this.random = random
        this.nobody = hash(random(tokenBytes))
    }

    /** Users and, where they are given one, their passwords. Throws Conflict for a name that is taken. */
    async add(o: { name: string; role: Role; password?: string; patient?: number }, sql?: Sql): Promise<User> {
        const password = o.password === undefined ? null : await hash(o.password)
        const [added] = await (sql ?? this.store).all<User>(
            `INSERT INTO account (name, role, password, patient) VALUES (?, ?, ?, ?)
             ON CONFLICT DO NOTHING RETURNING id, name, role, patient`,
            ...[o.name, o.role, password, o.patient ?? null],
        )
        if (!added) throw new Conflict("there is a user of that name")
        return added
    }

    async all(): Promise<User[]> {
        return await this.store.all<User>(`SELECT ${user} FROM account ORDER BY id`)
    }

    /** With sessions and tokens. False where there is none. */
    async remove(name: string): Promise<boolean> {
        return await this.store.transaction(async sql => {
            for (const table of ["session", "token"])
                await sql.run(`DELETE FROM ${table} WHERE account IN (SELECT id FROM account WHERE name = ?)`, name)
            return (await sql.run("DELETE FROM account WHERE name = ?", name)) > 0
        })
    }

    /** A new token for this user, shown once. */
    async addToken(account: number, sql: Sql = this.store): Promise<string> {
        const token = this.newToken()
        await sql.run(
            "INSERT INTO token (hash, account, created_at) VALUES (?, ?, ?)",
            ...[hashed(token), account, this.now()],
        )
        return token
    }

    /** The user of that name and a new session's token, or undefined; either takes the same time. */
    async login(name: string, password: string): Promise<{ user: User; session: string } | undefined> {
        const [found] = await this.store.all<User & { password: string | null }>(
            `SELECT ${user}, account.password FROM account WHERE name = ?`,
            name,
        )
        const matches = await verify(found?.password ?? (await this.nobody), password)
        if (!found?.password || !matches) return undefined
        const { password: _, ...who } = found
        const session = this.newToken()
        const now = this.now()
        await this.store.run(
            "DELETE FROM session WHERE used_at < ? OR created_at < ?",
            ...[now - sessionIdleMs, now - sessionMaxMs],
        )
        await this.store.run(
            "INSERT INTO session (hash, account, created_at, used_at) VALUES (?, ?, ?, ?)",
            ...[hashed(session), who.id, now, now],
        )
        return { user: who, session }
    }

    async logout(session: string): Promise<void> {
        await this.store.run("DELETE FROM session WHERE hash = ?", hashed(session))
    }

    /** Whose session this is, and notes its use. */
    async bySession(session: string): Promise<User | undefined> {
        const now = this.now()
        const [found] = await this.store.all<User & { usedAt: number }>(
            `SELECT ${user}, session.used_at AS "usedAt" FROM session
             JOIN account ON account.id = session.account
             WHERE session.hash = ? AND session.used_at >= ? AND session.created_at >= ?`,
            ...[hashed(session), now - sessionIdleMs, now - sessionMaxMs],
        )
        if (!found) return undefined
        const { usedAt, ...who } = found
        if (now - usedAt > sessionNoteMs)
            await this.store.run("UPDATE session SET used_at = ? WHERE hash = ?", now, hashed(session))
        return who
    }

    async byToken(token: string): Promise<User | undefined> {
        const [found] = await this.store.all<User>(
            `SELECT ${user} FROM token JOIN account ON account.id = token.account WHERE token.hash = ?`,
            hashed(token),
        )
        return found
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

/** Enough for a token, unlike for a password: nobody guesses 256 random bits. */
function hashed(token: string): Uint8Array {
    return createHash("sha256").update(token).digest()
}
