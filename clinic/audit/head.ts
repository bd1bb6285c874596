import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto"

/** The file in the clinic's folder that says how far the record was within the last hour. */
export const anchorName = "audit-head.txt"

/** How long the chain is, and the hash of its last event. */
export interface Head {
    count: number
    hash: Uint8Array
}

export interface SealedHead extends Head {
    mac: Uint8Array
}

/** Key of the seals, from the clinic's own key (RFC 5869), which is not in the database. */
export function sealingKey(clinicKey: Uint8Array): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", clinicKey, "", "vitalmote audit head", 32))
}

/** HMAC-SHA-256 over `COUNT:HASH`: who has only the database cannot make another one. */
export function seal(head: Head, key: Uint8Array): SealedHead {
    return { ...head, mac: macOf(head, key) }
}

export function isSealed(head: SealedHead, key: Uint8Array): boolean {
    const mac = macOf(head, key)
    return head.mac.length === mac.length && timingSafeEqual(head.mac, mac)
}

function macOf(head: Head, key: Uint8Array): Uint8Array {
    return createHmac("sha256", key).update(headText(head)).digest()
}

/** `COUNT:HASH`, as in the log, and as `vitalmote audit verify --anchor` takes it. */
export function headText({ count, hash }: Head): string {
    return `${count}:${Buffer.from(hash).toString("hex")}`
}

/** Undefined for what is no such text. */
export function parseHead(text: string): Head | undefined {
    const [, count, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? []
    return count === undefined ? undefined : { count: Number(count), hash: Buffer.from(hash!, "hex") }
}
