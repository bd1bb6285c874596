import { decode, diagnose, Tag } from "cbor2"
import type { Decoded } from "./messages.ts"

/** The structures with one recipient or signer, by CBOR tag, RFC 9052 §2: what their third and fourth elements are. */
const structures = new Map<number, { name: string; third: string; fourth?: string }>([
    [16, { name: "COSE_Encrypt0: encrypted", third: "ciphertext" }],
    [17, { name: "COSE_Mac0: authenticated by a MAC", third: "payload", fourth: "tag" }],
    [18, { name: "COSE_Sign1: signed", third: "payload", fourth: "signature" }],
])
/** Header parameters, RFC 9052 §3.1. */
const parameters = new Map<unknown, string>([
    [1, "alg"],
    [2, "crit"],
    [3, "content type"],
    [4, "kid"],
    [5, "IV"],
    [6, "partial IV"],
])
/** Algorithms, RFC 9053. */
const algorithms = new Map<unknown, string>([
    [1, "A128GCM"],
    [3, "A256GCM"],
    [4, "HMAC 256/64"],
    [5, "HMAC 256/256"],
    [10, "AES-CCM-16-64-128"],
    [11, "AES-CCM-16-64-256"],
    [24, "ChaCha20/Poly1305"],
    [-7, "ES256"],
    [-8, "EdDSA"],
])
const maxDepth = 16

/** The structure of a tagged COSE message, undefined for anything else. What is sealed shows its size only. */
export function coseStructure(payload: Uint8Array): Extract<Decoded, { kind: "cose" }> | undefined {
    try {
        const message: unknown = decode(payload, { maxDepth })
        if (!(message instanceof Tag) || !Array.isArray(message.contents)) return undefined
        const structure = structures.get(Number(message.tag))
        if (!structure) return undefined
        const [protectedHeader, unprotected, third, fourth] = message.contents as unknown[]
        if (!(protectedHeader instanceof Uint8Array)) return undefined
        const header: unknown = protectedHeader.length === 0 ? new Map() : decode(protectedHeader, { maxDepth })
        return {
            ...{ kind: "cose", name: structure.name, text: diagnose(payload) },
            fields: [
                ...headerFields("protected", header),
                ...headerFields("unprotected", unprotected),
                [structure.third, sizeOf(third)],
                ...(structure.fourth === undefined ? [] : [[structure.fourth, sizeOf(fourth)] as [string, string]]),
            ],
        }
    } catch {
        return undefined
    }
}

function headerFields(where: string, header: unknown): [string, string][] {
    const entries = header instanceof Map ? [...(header as Map<unknown, unknown>)] : Object.entries(header as object)
    return entries.map(([label, value]) => {
        const key = typeof label === "string" && /^-?\d+$/.test(label) ? Number(label) : label
        const name = parameters.get(key) ?? `parameter ${String(key)}`
        const known = key === 1 ? algorithms.get(value) : undefined
        return [`${name} (${where})`, known ?? shown(value)]
    })
}

function shown(value: unknown): string {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("hex")
    return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value)
}

function sizeOf(value: unknown): string {
    return value instanceof Uint8Array ? `${value.length} bytes` : "detached"
}
