/** Writes the data types of MQTT 5 §1.5. */
export class Writer {
    private bytes: Buffer
    private at = 0

    /** @param capacity a guess of how many bytes will be written */
    constructor(capacity: number) {
        this.bytes = Buffer.allocUnsafe(capacity)
    }

    get length(): number {
        return this.at
    }

    get written(): Buffer {
        return this.bytes.subarray(0, this.at)
    }

    byte(value: number): void {
        this.reserve(1)
        this.bytes[this.at++] = value
    }

    uint16(value: number): void {
        this.reserve(2)
        this.at = this.bytes.writeUInt16BE(value, this.at)
    }

    uint32(value: number): void {
        this.reserve(4)
        this.at = this.bytes.writeUInt32BE(value, this.at)
    }

    varint(value: number): void {
        for (; value > 0x7f; value = Math.floor(value / 128)) this.byte((value % 128) | 0x80)
        this.byte(value)
    }

    /** Throws RangeError for more than 65,535 bytes. */
    string(text: string): void {
        const length = Buffer.byteLength(text)
        this.uint16(length)
        this.reserve(length)
        this.at += this.bytes.write(text, this.at)
    }

    binary(bytes: Uint8Array): void {
        this.uint16(bytes.length)
        this.raw(bytes)
    }

    raw(bytes: Uint8Array): void {
        this.reserve(bytes.length)
        this.bytes.set(bytes, this.at)
        this.at += bytes.length
    }

    private reserve(bytes: number): void {
        if (this.at + bytes <= this.bytes.length) return
        const larger = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, this.at + bytes))
        this.bytes.copy(larger, 0, 0, this.at)
        this.bytes = larger
    }
}
