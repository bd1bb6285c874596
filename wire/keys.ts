import { hkdfSync } from "node:crypto"

/** Bytes of a mote's `kid` and of its provisioned `secret`. */
export const kidBytes = 8
export const secretBytes = 32
export const keyBytes = 32

/** Every working key of one mote, 32 bytes each. */
export interface MoteKeys {
    kid: Uint8Array
    upEnc: Uint8Array
    upMac: Uint8Array
    receipt: Uint8Array
    downEnc: Uint8Array
    downMac: Uint8Array
    mqtt: Uint8Array
}

/** What a mote can be told to do: blink, drop the readings that wait. */
export const commandNames = ["identify", "clear"] as const
export type CommandName = (typeof commandNames)[number]

/** A command as the clinic sealed it; the name is for the transport and proves nothing. */
export interface SealedCommand {
    name: CommandName
    sealed: Uint8Array
}

/**
 * What a router may hold: enough to refuse a forgery, nothing that opens a reading. While a mote's secret is being changed
 * there are two with the same `kid`, the older generation first.
 */
export type RouterKeys = Pick<MoteKeys, "kid" | "upMac" | "receipt" | "mqtt"> & {
    /** The newest configuration version known, for receipts. */
    config: number
    /** That configuration, sealed for the mote, for as long as the mote has not said what became of it. */
    sealedConfig?: Uint8Array
    /** Commands that wait for the mote, oldest first. */
    commands?: SealedCommand[]
    /** Counts the mote's secrets; absent: 0. Replay windows belong to one secret. */
    generation?: number
}

/** Derives a mote's keys from its `secret` (32 bytes) and `kid` (8 bytes); throws RangeError for other sizes. */
export function deriveKeys(secret: Uint8Array, kid: Uint8Array): MoteKeys {
    if (secret.length !== secretBytes) throw new RangeError(`a secret has ${secretBytes} bytes`)
    if (kid.length !== kidBytes) throw new RangeError(`a kid has ${kidBytes} bytes`)
    const key = (label: string) => hkdf(secret, kid, `vitalmote/1 ${label}`, keyBytes)
    return {
        kid,
        upEnc: key("up enc"),
        upMac: key("up mac"),
        receipt: key("receipt"),
        downEnc: key("down enc"),
        downMac: key("down mac"),
        mqtt: key("mqtt"),
    }
}

/** HKDF-SHA-256, RFC 5869. */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: string | Uint8Array, length: number): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", ikm, salt, info, length))
}

/** A kid as people and topics write it: 16 lower-case hex digits. */
export function eui(kid: Uint8Array): string {
    return Buffer.from(kid).toString("hex")
}
