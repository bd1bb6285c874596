import { createHash, timingSafeEqual } from "node:crypto"
import { hash, verify } from "@node-rs/argon2"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { UserError } from "../../host/errors.ts"
import { NamedFiles } from "../../host/named-files.ts"

/** What a user may do: look, or also send requests that may change a mote. */
export const rights = ["look", "change"] as const
export type Right = (typeof rights)[number]

export const minPasswordChars = 12
export const maxPasswordChars = 200
/** A link goes to somebody by telephone or on paper. */
const setupLinkMs = 86_400_000
const secretBytes = 32

const nameForm = /^[a-z0-9][a-z0-9-]{0,31}$/

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
 * The users of the router's page, a file each: a running router and the command line use them at the same time.
 */
export class PageUsers {
    private readonly files: NamedFiles<StoredUser>
    private readonly now: () => number
    private readonly random: (bytes: number) => Uint8Array
    /** Compared with where there is no such user, so that the answer takes as long. */
    private nobody: Promise<string> | undefined

    /** @param o.now Unix time in milliseconds */
    constructor(o: { folder: string; now: () => number; random: (bytes: number) => Uint8Array }) {
        this.files = new NamedFiles({
            folder: o.folder,
            isName: name => nameForm.test(name),
            isThing: value => Value.Check(Stored, value),
            mend: "remove it, and add the user again",
        })
        this.now = o.now
        this.random = o.random
    }

    /** All users by name. Throws UserError for a file that is not one of theirs. */
    all(): StoredUser[] {
        return this.files.all()
    }

    /** Throws UserError for a file that cannot be read. */
    find(name: string): StoredUser | undefined {
        return this.files.find(name)
    }

    /** Throws UserError for a name that is taken or has another form. */
    add(name: string, right: Right): void {
        if (!nameForm.test(name))
            throw new UserError("a name has 1 to 32 of a to z, 0 to 9 and -, and does not begin with -", 2)
        if (this.find(name)) throw new UserError(`there is a user ${name} already`)
        this.files.put({ name, right, password: null, setup: null })
    }

    /** False where there is none. */
    remove(name: string): boolean {
        return this.files.remove(name)
    }

    /** The secret of a link that sets the user's password once. An earlier one is worth nothing then. Throws UserError. */
    addSetupLink(name: string): { token: string; endsAt: number } {
        const user = this.find(name)
        if (!user) throw new UserError(`there is no user ${name}`)
        const secret = Buffer.from(this.random(secretBytes)).toString("base64url")
        const endsAt = this.now() + setupLinkMs
        this.files.put({ ...user, setup: { hash: digest(secret).toString("hex"), endsAt } })
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
        this.files.put({ ...this.find(name)!, password: kept, setup: null })
        return true
    }

    /** The user, if this is the password. It takes the same time where there is no such user. */
    async verified(name: string, password: string): Promise<StoredUser | undefined> {
        const user = this.find(name)
        this.nobody ??= hash(this.random(secretBytes))
        const matches = await verify(user?.password ?? (await this.nobody), password)
        return user?.password && matches ? user : undefined
    }
}

function digest(secret: string): Buffer {
    return createHash("sha256").update(secret).digest()
}
