import { createHmac } from "node:crypto"

/*
 * One-time passwords by time: RFC 6238 with HMAC-SHA-1, 30 s and six digits, which every authenticator takes.
 */

export const totpSecretBytes = 20
const stepMs = 30_000
const digits = 6
/** A phone's clock may be a step off, and typing takes time. */
const toleratedSteps = 1
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/** Of a step of time (RFC 4226 §5.3). */
export function totpAt(secret: Uint8Array, step: number): string {
    const counter = Buffer.alloc(8)
    counter.writeBigUInt64BE(BigInt(step))
    const mac = createHmac("sha1", secret).update(counter).digest()
    const number = mac.readUInt32BE(mac[19]! & 0xf) & 0x7fffffff
    return String(number % 10 ** digits).padStart(digits, "0")
}

export function stepAt(timeMs: number): number {
    return Math.floor(timeMs / stepMs)
}

/**
 * The step that a code is of, at about `timeMs` (unix ms); undefined for a wrong code. A step up to `lastStep` does not count: no code
 * is taken twice (RFC 6238 §5.2).
 */
export function matchingStep(secret: Uint8Array, code: string, timeMs: number, lastStep: number): number | undefined {
    const now = stepAt(timeMs)
    for (let step = now - toleratedSteps; step <= now + toleratedSteps; step++)
        if (step > lastStep && totpAt(secret, step) === code) return step
    return undefined
}

/** RFC 4648 §6, without padding. */
export function base32(bytes: Uint8Array): string {
    let [text, value, bits] = ["", 0, 0]
    for (const byte of bytes) {
        value = (value << 8) | byte
        for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >> (bits - 5)) & 31]
        value &= (1 << bits) - 1
    }
    return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31]! : text
}

/** For a QR code (github.com/google/google-authenticator/wiki/Key-Uri-Format). */
export function totpUri(secret: Uint8Array, user: string): string {
    const name = encodeURIComponent(`VitalMote:${user}`)
    return `otpauth://totp/${name}?secret=${base32(secret)}&issuer=VitalMote`
}
