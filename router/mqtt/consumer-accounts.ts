import { createHash, timingSafeEqual } from "node:crypto"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { UserError } from "../../host/errors.ts"
import { makeFolder, readIfThere, writeDurably } from "../../host/files.ts"
import { isEui } from "../../wire/keys.ts"

const ownerOnly = 0o600
const passwordBytes = 32
const nameForm = /^[a-z0-9][a-z0-9-]{0,31}$/
const motesForm = "^([0-9a-f]{16}|[0-9a-f]{0,15}\\*)$"
const ending = ".json"
const maxMotes = 1024

const Stored = Type.Object({
    name: Type.String(),
    /** SHA-256 of the password in hex: it has 32 random bytes, so nothing slower is needed. */
    password: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    /** Whether it may have the sealed envelopes, too. */
    envelopes: Type.Boolean(),
    /** `eui`s, or beginnings of them with `*`. */
    motes: Type.Array(Type.String({ pattern: motesForm }), { minItems: 1, maxItems: maxMotes }),
})
export type Consumer = Static<typeof Stored>

/**
 * Those who may subscribe at the router's own MQTT broker, a file each, readable by the owner only. A running router and the command
 * line use them at the same time, so nothing is kept in memory.
 */
export class ConsumerAccounts {
    private readonly folder: string
    private readonly random: (bytes: number) => Uint8Array

    /** @param o.data the folder of the router's store */
    constructor(o: { data: string; random: (bytes: number) => Uint8Array }) {
        this.folder = join(o.data, "mqtt", "consumers")
        this.random = o.random
    }

    /** Throws UserError for a file that is not one of theirs. */
    all(): Consumer[] {
        return namesIn(this.folder).flatMap(name => this.find(name) ?? [])
    }

    /** Throws UserError for a file that cannot be read. */
    find(name: string): Consumer | undefined {
        if (!isName(name)) return undefined
        const text = readIfThere(this.fileOf(name))?.toString("utf8")
        if (text === undefined) return undefined
        const stored = parsed(text)
        if (!Value.Check(Stored, stored) || stored.name !== name)
            throw new UserError(`${this.fileOf(name)} is damaged: remove it, and add the consumer again`)
        return stored
    }

    /** Returns the password, which nobody can learn again. Throws UserError for a name or motes of another form. */
    add(name: string, { envelopes, motes }: Pick<Consumer, "envelopes" | "motes">): string {
        if (!isName(name))
            throw new UserError("a name has 1 to 32 of a to z, 0 to 9 and -, and is not that of a mote", 2)
        if (motes.length === 0 || motes.length > maxMotes || !motes.every(one => new RegExp(motesForm).test(one)))
            throw new UserError("motes are identities of 16 hex digits, or their beginnings with *", 2)
        if (this.find(name)) throw new UserError(`there is a consumer ${name} already`)
        const password = Buffer.from(this.random(passwordBytes)).toString("base64url")
        makeFolder(this.folder)
        const stored: Consumer = { name, password: digest(password).toString("hex"), envelopes, motes }
        writeDurably(this.fileOf(name), JSON.stringify(stored, undefined, 2) + "\n", ownerOnly)
        return password
    }

    /** False where there is none. */
    remove(name: string): boolean {
        if (!this.find(name)) return false
        rmSync(this.fileOf(name), { force: true })
        return true
    }

    /** The account, if this is its password. Throws UserError for a damaged file. */
    verified(name: string, password: Uint8Array): Consumer | undefined {
        const account = this.find(name)
        const expected = account ? Buffer.from(account.password, "hex") : digest("")
        return timingSafeEqual(digest(password), expected) ? account : undefined
    }

    private fileOf(name: string): string {
        return join(this.folder, `${name}${ending}`)
    }
}

function isName(name: string): boolean {
    return nameForm.test(name) && !isEui(name)
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

function digest(secret: string | Uint8Array): Buffer {
    return createHash("sha256").update(secret).digest()
}
