import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto"

export const vaultKeyBytes = 32
const ivBytes = 12
const tagBytes = 16

/**
 * Wraps the motes' secrets for the database, so that a copy of the database alone opens nothing: AES-256-GCM,
 * `iv (12) ‖ ciphertext ‖ tag (16)`, with the kid as additional data, so that no wrapped secret passes for another's.
 */
export class Vault {
    private readonly key: Uint8Array
    private readonly random: (bytes: number) => Uint8Array

    constructor(key: Uint8Array, random: (bytes: number) => Uint8Array) {
        if (key.length !== vaultKeyBytes) throw new RangeError(`a key has ${vaultKeyBytes} bytes`)
        this.key = key
        this.random = random
    }

    /** One with a key of its own, for what strangers can make many of: random IVs of one key are few enough up to 2³² (NIST SP 800-38D §8.3). */
    derived(purpose: string): Vault {
        return new Vault(new Uint8Array(hkdfSync("sha256", this.key, "", purpose, vaultKeyBytes)), this.random)
    }

    wrap(secret: Uint8Array, kid: Uint8Array): Uint8Array {
        const iv = this.random(ivBytes)
        const cipher = createCipheriv("aes-256-gcm", this.key, iv).setAAD(kid)
        return Buffer.concat([iv, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
    }

    /** Throws Error where the key is another one or the bytes were changed. */
    unwrap(wrapped: Uint8Array, kid: Uint8Array): Uint8Array {
        const tagAt = wrapped.length - tagBytes
        if (tagAt < ivBytes) throw new Error("not a wrapped secret")
        const decipher = createDecipheriv("aes-256-gcm", this.key, wrapped.subarray(0, ivBytes), {
            authTagLength: tagBytes,
        })
            .setAAD(kid)
            .setAuthTag(wrapped.subarray(tagAt))
        return Buffer.concat([decipher.update(wrapped.subarray(ivBytes, tagAt)), decipher.final()])
    }
}
