import { hkdfSync } from "node:crypto"

/** The format of the envelopes and receipts that this code reads and writes; docs/wire.md, "Formats". */
export const wireFormat = 2

/** The length of a mote's `kid`. */
export const kidBytes = 8
/** The length of a mote's provisioned `secret`. */
export const secretBytes = 32
/** The length of every key derived from it. */
export const keyBytes = 32

/** All derived keys of one mote, 32 bytes each. */
export interface MoteKeys {
    kid: Uint8Array
    upEnc: Uint8Array
    upMac: Uint8Array
    receipt: Uint8Array
    downEnc: Uint8Array
    downMac: Uint8Array
    mqtt: Uint8Array
}

/** The commands of a mote: `identify` blinks its LED, `clear` drops the readings that wait. */
export const commandNames = ["identify", "clear"] as const
export type CommandName = (typeof commandNames)[number]

/** A command that the clinic sealed. The name is for the transport only; it is not authenticated. */
export interface SealedCommand {
    name: CommandName
    sealed: Uint8Array
}

/**
 * The keys that a router holds for one mote and one format. They suffice to refuse a forgery, but not to decrypt a reading. While a
 * mote's secret is being changed, two entries have the same `kid`, the older generation first.
 */
export type RouterKeys = Pick<MoteKeys, "kid" | "upMac" | "receipt" | "mqtt"> & {
    /** The newest known version of the configuration, for receipts. */
    config: number
    /** That configuration, sealed for the mote. Absent once the mote has accepted or refused it. */
    sealedConfig?: Uint8Array
    /** Commands that wait for the mote, oldest first. */
    commands?: SealedCommand[]
    /** Counts the mote's secrets, 0 if absent. Each secret has its own replay window. */
    generation?: number
}

/** Derives a mote's keys from its `secret` (32 bytes) and `kid` (8 bytes). Throws RangeError for other lengths. */
export function deriveKeys(secret: Uint8Array, kid: Uint8Array): MoteKeys {
    if (secret.length !== secretBytes) throw new RangeError(`a secret has ${secretBytes} bytes`)
    if (kid.length !== kidBytes) throw new RangeError(`a kid has ${kidBytes} bytes`)
    const key = (use: string) => hkdf(secret, kid, `vitalmote/${wireFormat} ${use}`, keyBytes)
    return {
        kid,
        upEnc: key("up enc"),
        upMac: key("up mac"),
        receipt: key("receipt"),
        downEnc: key("down enc"),
        downMac: key("down mac"),
        mqtt: hkdf(secret, kid, "vitalmote mqtt", keyBytes),
    }
}

/** HKDF-SHA-256, RFC 5869. */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: string | Uint8Array, length: number): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", ikm, salt, info, length))
}

/** Formats a kid as texts and topics show it: 16 lower-case hex digits. */
export function eui(kid: Uint8Array): string {
    return Buffer.from(kid).toString("hex")
}

/** Tells whether a text is an `eui`: 16 lower-case hex digits. */
export function isEui(text: string): boolean {
    return /^[0-9a-f]{16}$/.test(text)
}
