/** Malformed or unsupported bytes: truncated, out of range, or of an unknown kind. The message is one clear line. */
export class PacketError extends Error {
    constructor(message: string) {
        super(message)
        this.name = "PacketError"
    }
}

/** Reads big-endian values from the front; throws PacketError past the end. */
export class Reader {
    at = 0
    readonly bytes: Uint8Array

    constructor(bytes: Uint8Array) {
        this.bytes = bytes
    }

    get left(): number {
        return this.bytes.length - this.at
    }

    u8(): number {
        this.need(1)
        return this.bytes[this.at++]!
    }

    u16(): number {
        this.need(2)
        const value = (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!
        this.at += 2
        return value
    }

    u32(): number {
        return this.u16() * 0x10000 + this.u16()
    }

    /** Returns a view, not a copy. */
    take(size: number): Uint8Array {
        this.need(size)
        this.at += size
        return this.bytes.subarray(this.at - size, this.at)
    }

    rest(): Uint8Array {
        return this.take(this.left)
    }

    private need(size: number): void {
        if (size < 0 || this.left < size) throw new PacketError("cut short")
    }
}

/** Writes big-endian values into a growing buffer. */
export class Writer {
    private bytes: Uint8Array
    length = 0

    constructor(size = 128) {
        this.bytes = new Uint8Array(size)
    }

    u8(value: number): this {
        this.room(1)
        this.bytes[this.length++] = value
        return this
    }

    u16(value: number): this {
        return this.u8(value >> 8).u8(value)
    }

    u32(value: number): this {
        return this.u16(value >>> 16).u16(value)
    }

    put(bytes: Uint8Array): this {
        this.room(bytes.length)
        this.bytes.set(bytes, this.length)
        this.length += bytes.length
        return this
    }

    /** Overwrites the byte at `at`. */
    patch8(at: number, value: number): this {
        this.bytes[at] = value
        return this
    }

    patch16(at: number, value: number): this {
        this.bytes[at] = value >> 8
        this.bytes[at + 1] = value
        return this
    }

    /** The bytes written so far, as a view. */
    done(): Uint8Array {
        return this.bytes.subarray(0, this.length)
    }

    private room(size: number): void {
        if (this.length + size <= this.bytes.length) return
        const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + size))
        larger.set(this.bytes)
        this.bytes = larger
    }
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
    if (a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
    return true
}

export function isZero(bytes: Uint8Array): boolean {
    for (const byte of bytes) if (byte !== 0) return false
    return true
}
