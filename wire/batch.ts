import { decode, encode, isCount, WireError } from "./cbor.ts"
import { maxEnvelopeBytes, type Purpose } from "./envelope.ts"
import {
    commandNames,
    keyBytes,
    kidBytes,
    wireFormat,
    type CommandName,
    type RouterKeys,
    type SealedCommand,
} from "./keys.ts"

/*
 * The CBOR messages between router and clinic: a batch of envelopes (`POST /ingest`), the result for each, and the keys
 * that a router may hold (`/ingest/keys`). Each row is an array in the order of the interface's fields.
 */

/** One envelope that a router received. */
export interface Delivery {
    /** The router's number for it. The result refers to it. */
    id: number
    purpose: Purpose
    /** Unix time in milliseconds, by the router's clock. */
    receivedAt: number
    envelope: Uint8Array
}

/** The clinic's result for one envelope. Both `stored` and `duplicate` mean that the clinic has it safely. */
export interface DeliveryResult {
    id: number
    status: "stored" | "duplicate" | "refused"
    /** The reason for a refusal: one of `envelopeRefusals`, or a reason of a newer clinic. */
    reason?: string
}

/** The reasons for which the clinic refuses an envelope for good. */
export const envelopeRefusals = [
    "malformed",
    /** A later format than the clinic knows. */
    "unknown-format",
    "unknown-mote",
    "revoked",
    "wrong-mac",
    /** The MAC is right and the inner tag is wrong: a router altered it, or whoever has its keys. */
    "altered",
    /** The mote uses a newer secret. */
    "old-secret",
    /** Another envelope has this nonce. */
    "nonce-reused",
] as const
export type EnvelopeRefusal = (typeof envelopeRefusals)[number]

export const maxBatch = 256
export const maxBatchBytes = maxBatch * (maxEnvelopeBytes + 32)
export const maxReasonChars = 32
/** The maximum number of motes of one clinic whose keys a router holds. */
export const maxKeys = 10_000
/** The maximum number of motes whose keys a router requests at once. */
export const maxWanted = 256
/** An upper bound for the output of `encodeWanted` with that many motes. */
export const maxWantedBytes = maxWanted * (kidBytes + 1) + 16
/** The maximum size of a sealed configuration or command: 220 bytes of plaintext in an envelope. */
export const maxSealedBytes = 384
/** The maximum number of commands that wait for one mote. */
export const maxCommands = 4
/** The data items of the largest row: that of a mote's keys. */
const maxItemsPerRow = 11 + 3 * maxCommands
/** An upper bound for the output of `encodeKeys` with `maxKeys` rows. */
export const maxKeysBytes = maxKeys * (kidBytes + 3 * keyBytes + 40 + (1 + maxCommands) * (maxSealedBytes + 13))

/**
 * Headers of a router's requests to the clinic. Each is a Unix time in milliseconds by the router's own clock, which is
 * also the clock of `receivedAt`. `sentAt` is when it sent the request. `storeSince` is when it created its store: a
 * store younger than the router's last delivery replaces one that was emptied or lost, together with receipted
 * envelopes not yet delivered.
 */
export const routerHeader = { sentAt: "vitalmote-sent-at", storeSince: "vitalmote-store-since" } as const

/** Parses such a header. Returns undefined if it is absent or not a time. */
export function headerTime(value: string | string[] | undefined): number | undefined {
    return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

export function encodeBatch(batch: Delivery[]): Uint8Array {
    return encode(batch.map(d => [d.id, d.purpose, Math.trunc(d.receivedAt), d.envelope]))
}

/** Throws WireError for malformed bytes and for more than `maxBatch` deliveries. Does not parse the envelopes. */
export function decodeBatch(bytes: Uint8Array): Delivery[] {
    return decodeRows(bytes, maxBatch, row => {
        const [id, purpose, receivedAt, envelope] = row
        if (row.length !== 4 || !isCount(id) || !isPurpose(purpose) || !isCount(receivedAt)) return undefined
        if (!(envelope instanceof Uint8Array) || envelope.length > maxEnvelopeBytes) return undefined
        return { id, purpose, receivedAt, envelope }
    })
}

export function encodeResults(results: DeliveryResult[]): Uint8Array {
    return encode(results.map(({ id, status, reason }) => (reason === undefined ? [id, status] : [id, status, reason])))
}

/** Throws WireError. */
export function decodeResults(bytes: Uint8Array): DeliveryResult[] {
    return decodeRows(bytes, maxBatch, row => {
        const [id, status, reason] = row
        if (row.length < 2 || row.length > 3 || !isCount(id) || !isStatus(status)) return undefined
        if (row.length === 2) return { id, status }
        if (typeof reason !== "string" || reason.length > maxReasonChars || !/^[a-z-]*$/.test(reason)) return undefined
        return { id, status, reason }
    })
}

export function encodeKeys(keys: RouterKeys[]): Uint8Array {
    return encode(keys.map(keysRow))
}

/** Omits the fields about configurations if they are empty, so that older routers understand the row. */
function keysRow(k: RouterKeys): unknown[] {
    const { sealedConfig = noBytes, commands = [], generation = 0 } = k
    const row = [k.kid, wireFormat, k.upMac, k.receipt, k.mqtt, k.config]
    if (sealedConfig.length === 0 && commands.length === 0 && generation === 0) return row
    return [...row, sealedConfig, commands.map(c => [c.name, c.sealed]), generation]
}

const noBytes = new Uint8Array(0)

/** Encodes the `kid` of each mote whose keys a router requests. */
export function encodeWanted(kids: Uint8Array[]): Uint8Array {
    return encode(kids)
}

/** Throws WireError for malformed bytes and for more than `maxWanted` motes. */
export function decodeWanted(bytes: Uint8Array): Uint8Array[] {
    return decodeItems(bytes, maxWanted, kid => (isBytes(kid, kidBytes) ? kid : undefined))
}

/**
 * Decodes the rows of this router's format, and ignores those of others. Throws WireError for malformed bytes and for more
 * than `maxKeys` rows.
 */
export function decodeKeys(bytes: Uint8Array): RouterKeys[] {
    const rows = decodeRows(bytes, maxKeys, ([kid, format, ...fields]): RouterKeys | "other format" | undefined => {
        if (!isBytes(kid, kidBytes) || !isCount(format)) return undefined
        if (format !== wireFormat) return "other format"
        const [upMac, receipt, mqtt, config, ...more] = fields
        if (!isCount(config)) return undefined
        if (!isBytes(upMac, keyBytes) || !isBytes(receipt, keyBytes) || !isBytes(mqtt, keyBytes)) return undefined
        const down = more.length === 0 ? {} : parsePending(more)
        return down && { kid, upMac, receipt, mqtt, config, ...down }
    })
    return rows.filter(row => row !== "other format")
}

/** Parses the last three fields of a row: what waits for the mote. Returns undefined if they are malformed. */
function parsePending(fields: unknown[]): Pick<RouterKeys, "sealedConfig" | "commands" | "generation"> | undefined {
    const [sealedConfig, list, generation] = fields
    if (fields.length !== 3 || !isSealed(sealedConfig) || !isCount(generation)) return undefined
    if (!Array.isArray(list) || list.length > maxCommands) return undefined
    const commands = list.map(parseCommand).filter(command => command !== undefined)
    if (commands.length < list.length) return undefined
    return {
        ...(sealedConfig.length > 0 && { sealedConfig }),
        ...(commands.length > 0 && { commands }),
        ...(generation > 0 && { generation }),
    }
}

function parseCommand(item: unknown): SealedCommand | undefined {
    const [name, sealed, ...more] = Array.isArray(item) ? (item as unknown[]) : []
    if (!commandNames.includes(name as CommandName) || !isSealed(sealed) || sealed.length === 0) return undefined
    return more.length === 0 ? { name: name as CommandName, sealed } : undefined
}

function isSealed(value: unknown): value is Uint8Array {
    return value instanceof Uint8Array && value.length <= maxSealedBytes
}

function decodeRows<T>(bytes: Uint8Array, max: number, parse: (row: unknown[]) => T | undefined): T[] {
    return decodeItems(bytes, max, row => (Array.isArray(row) ? parse(row as unknown[]) : undefined))
}

function decodeItems<T>(bytes: Uint8Array, max: number, parse: (item: unknown) => T | undefined): T[] {
    const items = decode(bytes, "shortest", 1 + max * maxItemsPerRow)
    if (!Array.isArray(items) || items.length > max) throw new WireError(`not an array of up to ${max}`)
    return items.map((item: unknown) => {
        const parsed = parse(item)
        if (parsed === undefined) throw new WireError("an item is malformed")
        return parsed
    })
}

function isBytes(value: unknown, length: number): value is Uint8Array {
    return value instanceof Uint8Array && value.length === length
}

function isPurpose(value: unknown): value is Purpose {
    return value === "vitals" || value === "alarm"
}

function isStatus(value: unknown): value is DeliveryResult["status"] {
    return value === "stored" || value === "duplicate" || value === "refused"
}
