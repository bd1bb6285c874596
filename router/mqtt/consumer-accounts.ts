import { createHash, timingSafeEqual } from "node:crypto"
import { join } from "node:path"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { UserError } from "../../host/errors.ts"
import { NamedFiles } from "../../host/named-files.ts"
import { isEui } from "../../wire/keys.ts"

const passwordBytes = 32
const nameForm = /^[a-z0-9][a-z0-9-]{0,31}$/
const motesForm = "^([0-9a-f]{16}|[0-9a-f]{0,15}\\*)$"
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
 * Those who may subscribe at the router's own MQTT broker, a file each: a running router and the command line use them at the same
 * time.
 */
export class ConsumerAccounts {
    private readonly files: NamedFiles<Consumer>
    private readonly random: (bytes: number) => Uint8Array

    /** @param o.data the folder of the router's store */
    constructor(o: { data: string; random: (bytes: number) => Uint8Array }) {
        this.files = new NamedFiles({
            folder: join(o.data, "mqtt", "consumers"),
            isName,
            isThing: value => Value.Check(Stored, value),
            mend: "remove it, and add the consumer again",
        })
        this.random = o.random
    }

    /** Throws UserError for a file that is not one of theirs. */
    all(): Consumer[] {
        return this.files.all()
    }

    /** Throws UserError for a file that cannot be read. */
    find(name: string): Consumer | undefined {
        return this.files.find(name)
    }

    /** Returns the password, which nobody can learn again. Throws UserError for a name or motes of another form. */
    add(name: string, { envelopes, motes }: Pick<Consumer, "envelopes" | "motes">): string {
        if (!isName(name))
            throw new UserError("a name has 1 to 32 of a to z, 0 to 9 and -, and is not that of a mote", 2)
        if (motes.length === 0 || motes.length > maxMotes || !motes.every(one => new RegExp(motesForm).test(one)))
            throw new UserError("motes are identities of 16 hex digits, or their beginnings with *", 2)
        if (this.find(name)) throw new UserError(`there is a consumer ${name} already`)
        const password = Buffer.from(this.random(passwordBytes)).toString("base64url")
        this.files.put({ name, password: digest(password).toString("hex"), envelopes, motes })
        return password
    }

    /** False where there is none. */
    remove(name: string): boolean {
        return this.files.remove(name)
    }

    /** The account, if this is its password. Throws UserError for a damaged file. */
    verified(name: string, password: Uint8Array): Consumer | undefined {
        const account = this.find(name)
        const expected = account ? Buffer.from(account.password, "hex") : digest("")
        return timingSafeEqual(digest(password), expected) ? account : undefined
    }
}

function isName(name: string): boolean {
    return nameForm.test(name) && !isEui(name)
}

function digest(secret: string | Uint8Array): Buffer {
    return createHash("sha256").update(secret).digest()
}
