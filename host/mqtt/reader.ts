import { MqttError, Reason } from "./reason.ts"

/** Reads the data types of MQTT 5 §1.5. Each method throws MqttError if the bytes end early or are not valid. */
export class Reader {
    private readonly bytes: Buffer
    private at: number
    private readonly end: number

    constructor(bytes: Buffer, start = 0, end = bytes.length) {
        this.bytes = bytes
        this.at = start
        this.end = end
    }

    get isAtEnd(): boolean {
        return this.at === this.end
    }

    byte(): number {
        return this.bytes[this.skip(1)]!
    }

    uint16(): number {
        return this.bytes.readUInt16BE(this.skip(2))
    }

    uint32(): number {
        return this.bytes.readUInt32BE(this.skip(4))
    }

    /** A packet identifier is never 0 (§2.2.1). */
    id(): number {
        const id = this.uint16()
        if (id === 0) throw malformed("packet identifier 0")
        return id
    }

    /** A variable byte integer, in the fewest bytes (§1.5.5). */
    varint(): number {
        let value = 0
        for (let bytes = 0; bytes < 4; bytes++) {
            const byte = this.byte()
            value += (byte & 0x7f) * 128 ** bytes
            if (byte >= 0x80) continue
            if (byte === 0 && bytes > 0) break
            return value
        }
        throw malformed("variable byte integer")
    }

    /** A UTF-8 string without U+0000 (§1.5.4). */
    string(): string {
        const start = this.skip(2)
        const length = this.bytes.readUInt16BE(start)
        const from = this.skip(length)
        let isAscii = true
        for (let at = from; at < this.at; at++) {
            const byte = this.bytes[at]!
            if (byte === 0) throw malformed("U+0000 in a string")
            if (byte > 0x7f) isAscii = false
        }
        if (isAscii) return this.bytes.toString("latin1", from, this.at)
        try {
            return utf8.decode(this.bytes.subarray(from, this.at))
        } catch {
            throw malformed("a string is not UTF-8")
        }
    }

    binary(): Buffer {
        const length = this.uint16()
        const from = this.skip(length)
        return this.bytes.subarray(from, this.at)
    }

    /** A reader of the next bytes, as many as a variable byte integer in front of them says. */
    part(): Reader {
        const length = this.varint()
        const from = this.skip(length)
        return new Reader(this.bytes, from, this.at)
    }

    rest(): Buffer {
        const from = this.at
        this.at = this.end
        return this.bytes.subarray(from, this.end)
    }

    private skip(bytes: number): number {
        const from = this.at
        if (from + bytes > this.end) throw malformed("packet too short")
        this.at += bytes
        return from
    }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

export function malformed(what: string): MqttError {
    return new MqttError(Reason.malformedPacket, `malformed packet: ${what}`)
}
