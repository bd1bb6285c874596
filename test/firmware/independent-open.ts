/*
 * Opens an envelope with node:crypto and cbor2 alone, straight from RFC 9052, RFC 9459 and RFC 5869, as a stranger would:
 *     node --import tsx test/firmware/independent-open.ts KID SECRET < envelope
 */
import { createDecipheriv, createHmac, hkdfSync } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { decode, encode, Tag } from "cbor2"

export interface Opened {
    /** boot ‖ salt ‖ seq in hex. */
    nonce: string
    /** The SenML pack: an array of maps. */
    pack: Map<number, number | string>[]
}

/** Verifies and decrypts; throws on any deviation. */
export function open(envelope: Uint8Array, kid: string, secret: string, purpose = "vitals"): Opened {
    const key = (label: string) =>
        Buffer.from(hkdfSync("sha256", Buffer.from(secret, "hex"), Buffer.from(kid, "hex"), label, 32))
    const maps = { preferMap: true }
    const mac0 = decode<Tag>(envelope, maps)
    if (Number(mac0.tag) !== 17) throw new Error("not a COSE_Mac0")
    const [header, unprotected, payload, tag] = mac0.contents as [
        Uint8Array,
        Map<unknown, unknown>,
        Uint8Array,
        Uint8Array,
    ]
    const algorithm = decode<Map<number, unknown>>(header, maps)
    if (algorithm.get(1) !== 5 || unprotected.size !== 0) throw new Error("not HMAC 256/256")
    if (Buffer.from(algorithm.get(4) as Uint8Array).toString("hex") !== kid) throw new Error("another kid")
    const macStructure = encode(["MAC0", header, new TextEncoder().encode(purpose), payload])
    const mac = createHmac("sha256", key("vitalmote/1 up mac")).update(macStructure).digest()
    if (!mac.equals(tag)) throw new Error("wrong MAC")

    const encrypt0 = decode<Tag>(payload, maps)
    if (Number(encrypt0.tag) !== 16) throw new Error("not a COSE_Encrypt0")
    const [none, parameters, ciphertext] = encrypt0.contents as [Uint8Array, Map<number, unknown>, Uint8Array]
    if (none.length !== 0 || parameters.get(1) !== -65532) throw new Error("not A256CTR")
    const iv = parameters.get(5) as Uint8Array
    const cipher = createDecipheriv("aes-256-ctr", key("vitalmote/1 up enc"), iv)
    return {
        nonce: Buffer.from(iv.subarray(1, 14)).toString("hex"),
        pack: decode(new Uint8Array(cipher.update(ciphertext)), maps),
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [kid = "", secret = ""] = process.argv.slice(2)
    // cbor2 would treat a Buffer as another type.
    console.log(open(new Uint8Array(readFileSync(0)), kid, secret))
}
