import { hkdfSync } from "node:crypto"
import { UserError } from "../../host/errors.ts"

/** The key around the clinic's own key, which the data folder does not have. */
export interface MasterKey {
    /** 32. */
    bytes: Uint8Array
    /** 16 hexadecimal digits, from which nobody can tell the key. */
    id: string
    /** What gave it, for people, such as `--key-file`. */
    from: string
}

const masterKeyBytes = 32
const idBytes = 8

/**
 * A master key: 32 bytes as they are, or as 64 hexadecimal digits or in Base64 (RFC 4648 §4, §5), with blanks around. Throws
 * UserError, which never quotes what was given.
 * @param from what gave it, for people
 */
export function parseMasterKey(contents: Uint8Array, from: string): MasterKey {
    const bytes = decoded(contents)
    if (bytes?.length !== masterKeyBytes)
        throw new UserError(
            `${from}: a master key is ${masterKeyBytes} random bytes, as they are, in hexadecimal or in Base64: openssl rand -base64 32`,
        )
    return { bytes, id: idOf(bytes), from }
}

function decoded(contents: Uint8Array): Uint8Array | undefined {
    const text = Buffer.from(contents).toString("latin1")
    // 32 random bytes that can all be typed are rarer than 1 in 10¹³: it is a password.
    if (contents.length === masterKeyBytes) return /^[ -~]*$/.test(text) ? undefined : Uint8Array.from(contents)
    const word = text.trim()
    if (/^[0-9a-fA-F]{64}$/.test(word)) return new Uint8Array(Buffer.from(word, "hex"))
    if (/^[A-Za-z0-9+/_-]{43}=?$/.test(word)) return new Uint8Array(Buffer.from(word, "base64"))
    return undefined
}

/** From RFC 5869, so that it tells nothing of the key. */
function idOf(key: Uint8Array): string {
    return Buffer.from(hkdfSync("sha256", key, "", "vitalmote master key id", idBytes)).toString("hex")
}
