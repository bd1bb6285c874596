/*
 * SHA-256 by the VM's native function. @devicescript/crypto checks arguments that are constant here, which takes room in the image.
 */

type Native = { digest(key: Buffer | undefined, algorithm: "sha256", parts: (Buffer | string)[]): Buffer }

/** The hash of all parts one after the other; with a key their HMAC. */
export function sha256(parts: (Buffer | string)[], key?: Buffer): Buffer {
    return (Buffer as unknown as Native).digest(key, "sha256", parts)
}

/** A key of 32 bytes by HKDF (RFC 5869). */
export function hkdf(key: Buffer, info: Buffer | string, salt: Buffer): Buffer {
    return sha256([info, hex`01`], sha256([key], salt))
}

export function randomBytes(size: number): Buffer {
    const bytes = Buffer.alloc(size)
    ;(bytes as Buffer & { fillRandom(): void }).fillRandom()
    return bytes
}
