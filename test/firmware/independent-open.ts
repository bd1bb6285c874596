/*
 * Opens an envelope with node:crypto and cbor2 alone, straight from docs/wire.md, RFC 9052, RFC 9053 and RFC 5869, as a
 * stranger would:
 *     node --import tsx test/firmware/independent-open.ts KID SECRET < envelope
 */
import { createDecipheriv, createHmac, hkdfSync } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { decode, encode, Tag } from "cbor2"

export interface Opened {
    /** type ‖ boot ‖ salt ‖ seq in hex. */
    nonce: string
    /** The plaintext, decoded: a pack of readings, or alarms. */
    content: unknown[]
}

const maps = { preferMap: true }
const types: Record<string, number> = { vitals: 0x21, alarm: 0x22 }

/** Verifies and decrypts; throws on any deviation. */
export function open(envelope: Uint8Array, kid: string, secret: string, purpose = "vitals"): Opened {
    const key = (use: string) =>
        Buffer.from(hkdfSync("sha256", Buffer.from(secret, "hex"), Buffer.from(kid, "hex"), `vitalmote/2 ${use}`, 32))
    const mac0 = decode<Tag>(envelope, maps)
    if (Number(mac0.tag) !== 17) throw new Error("not a COSE_Mac0")
    const [header, unprotected, payload, tag] = mac0.contents as [
        Uint8Array,
        Map<unknown, unknown>,
        Uint8Array,
        Uint8Array,
    ]
    const algorithm = decode<Map<number, unknown>>(header, maps)
    if (algorithm.get(1) !== 4 || unprotected.size !== 0) throw new Error("not HMAC 256/64")
    if (Buffer.from(algorithm.get(4) as Uint8Array).toString("hex") !== kid) throw new Error("another kid")
    const macStructure = encode(["MAC0", header, new Uint8Array(0), payload])
    const mac = createHmac("sha256", key("up mac")).update(macStructure).digest().subarray(0, 8)
    if (!mac.equals(tag)) throw new Error("wrong MAC")

    if (payload[0] !== types[purpose]) throw new Error("another format or purpose")
    const nonce = payload.subarray(0, 13)
    const ccm = createDecipheriv("aes-256-ccm", key("up enc"), nonce, { authTagLength: 8 })
    ccm.setAuthTag(payload.subarray(-8))
    const plaintext = ccm.update(payload.subarray(13, -8))
    ccm.final()
    return { nonce: Buffer.from(nonce).toString("hex"), content: decode(new Uint8Array(plaintext), maps) }
}

const columns: Record<number, [name: string, perUnit: number]> = {
    ...{ 0: ["hr", 10], 1: ["hr-q", 100], 3: ["temp", 100], 4: ["spo2", 1], 5: ["span", 16], 6: ["count", 1] },
}

/** The readings in a pack that has a clock: Unix time in seconds, and what was measured. */
export function readings(pack: unknown[]): ({ time: number } & Record<string, number>)[] {
    const [base, steps, values] = pack as [number, number[], Map<number, number | (number | null)[]>]
    if (base < 0) throw new Error("no clock")
    let time = base
    let step = 0
    const read = steps.map((change, i) => {
        if (i === 0) time += change / 16
        else time += (step += change) / 16
        return { time } as { time: number } & Record<string, number>
    })
    for (const [code, column] of values) {
        if (typeof column === "number") {
            read.forEach((reading, i) => {
                if ((column >> i) & 1) reading.motion = 1
            })
            continue
        }
        const [name, perUnit] = columns[code]!
        let value = 0
        column.forEach((difference, i) => {
            if (difference !== null) read[i]![name] = (value += difference) / perUnit
        })
    }
    return read
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [kid = "", secret = ""] = process.argv.slice(2)
    // cbor2 would treat a Buffer as another type.
    const { nonce, content } = open(new Uint8Array(readFileSync(0)), kid, secret)
    console.log(nonce, (content[0] as number) < 0 ? content : readings(content))
}
