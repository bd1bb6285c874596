import { createHash, timingSafeEqual } from "node:crypto"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { hash, verify } from "@node-rs/argon2"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { UserError } from "../../host/errors.ts"
import { makeFolder, readIfThere, writeDurably } from "../../host/files.ts"

/** What a user may do: look, or also send requests that may change a mote. */
export const rights = ["look", "change"] as const
export type Right = (typeof rights)[number]

export const minPasswordChars = 12
export const maxPasswordChars = 200
/** A link goes to somebody by telephone or on paper. */
const setupLinkMs = 86_400_000
const secretBytes = 32
const ownerOnly = 0o600

const nameForm = /^[a-z0-9][a-z0-9-]{0,31}$/
const ending = ".json"

const Stored = Type.Object({
    name: Type.String(),
    right: Type.Union(rights.map(right => Type.Literal(right))),
    /** Argon2id in PHC form; null until it is set. */
    password: Type.Union([Type.String(), Type.Null()]),
    /** SHA-256 of a link's secret in hex, and when the link ends, unix ms. */
    setup: Type.Union([Type.Object({ hash: Type.String(), endsAt: Type.Number() }), Type.Null()]),
})
export type StoredUser = Static<typeof Stored>

/**
 * The users of the router's page, a file each, readable by the owner only. A running router and the command line use them at the
 * same time, so nothing is kept in memory.
 */
export class PageUsers {
    private readonly folder: string
    private readonly now: () => number
    private readonly random: (bytes: number) => Uint8Array
    /** Compared with where there is no such user, so that the answer takes as long. */
    private nobody: Promise<string> | undefined

    /** @param o.now Unix time in milliseconds */
    constructor(o: { folder: string; now: () => number; random: (bytes: number) => Uint8Array }) {
        this.folder = o.folder
        this.now = o.now
        this.random = o.random
    }

    /** All users by name. Throws UserError for a file that is not one of theirs. */
    all(): StoredUser[] {
        const names = namesIn(this.folder)
        return names.flatMap(name => this.find(name) ?? [])
    }

    /** Throws UserError for a file that cannot be read. */
    find(name: string): StoredUser | undefined {
        if (!nameForm.test(name)) return undefined
        const file = this.fileOf(name)
        const text = readIfThere(file)?.toString("utf8")
        if (text === undefined) return undefined
        const stored = parsed(text)
        if (!Value.Check(Stored, stored) || stored.name !== name)
            throw new UserError(`${file} is damaged: remove it, and add the user again`)
        return stored
    }

    /** Throws UserError for a name that is taken or has another form. */
    add(name: string, right: Right): void {
        if (!nameForm.test(name))
            throw new UserError("a name has 1 to 32 of a to z, 0 to 9 and -, and does not begin with -", 2)
        if (this.find(name)) throw new UserError(`there is a user ${name} already`)
        makeFolder(this.folder)
        this.put({ name, right, password: null, setup: null })
    }

    /** False where there is none. */
    remove(name: string): boolean {
        if (!this.find(name)) return false
        rmSync(this.fileOf(name), { force: true })
        return true
    }

    /** The secret of a link that sets the user's password once. An earlier one is worth nothing then. Throws UserError. */
    addSetupLink(name: string): { token: string; endsAt: number } {
        const user = this.find(name)
        if (!user) throw new UserError(`there is no user ${name}`)
        const secret = Buffer.from(this.random(secretBytes)).toString("base64url")
        const endsAt = this.now() + setupLinkMs
        this.put({ ...user, setup: { hash: digest(secret).toString("hex"), endsAt } })
        return { token: `${name}.${secret}`, endsAt }
    }

    /** Sets the password of whom the link is for. False for a link that is used up, over or none. */
    async useSetupLink(token: string, password: string): Promise<boolean> {
        const [name = "", secret = ""] = token.split(".", 2)
        const isValid = () => {
            const setup = this.find(name)?.setup
            return setup && this.now() < setup.endsAt && timingSafeEqual(Buffer.from(setup.hash, "hex"), digest(secret))
        }
        // Nobody makes the router work without a link.
        if (!isValid()) return false
        const kept = await hash(password)
        if (!isValid()) return false // somebody else was faster
        this.put({ ...this.find(name)!, password: kept, setup: null })
        return true
    }

    /** The user, if this is the password. It takes the same time where there is no such user. */
    async verified(name: string, password: string): Promise<StoredUser | undefined> {
        const user = this.find(name)
        this.nobody ??= hash(this.random(secretBytes))
        const matches = await verify(user?.password ?? (await this.nobody), password)
        return user?.password && matches ? user : undefined
    }

    private put(user: StoredUser): void {
        writeDurably(this.fileOf(user.name), JSON.stringify(user, undefined, 2) + "\n", ownerOnly)
    }

    private fileOf(name: string): string {
        return join(this.folder, `${name}${ending}`)
    }
}

function namesIn(folder: string): string[] {
    try {
        return readdirSync(folder)
            .filter(file => file.endsWith(ending))
            .map(file => file.slice(0, -ending.length))
            .sort()
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
        throw error
    }
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text)
    } catch {
        return undefined
    }
}

function digest(secret: string): Buffer {
    return createHash("sha256").update(secret).digest()
}
