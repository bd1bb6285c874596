import { MqttError, Reason } from "./reason.ts"

/** The Remaining Length has at most four bytes (§2.1.4). */
const maxLengthBytes = 4

/** Finds the packets in a stream. It never holds more than one packet of the maximum size. */
export class Frames {
    private readonly maxBytes: number
    /** The number of bytes of the current packet's fixed header so far. */
    private headerBytes = 0
    private first = 0
    /** The Remaining Length that the header has announced so far. */
    private length = 0
    /** The part of a packet that has come, if the rest is still to come. */
    private body: Buffer | undefined
    private filled = 0

    /** @param maxBytes the largest Remaining Length that is accepted */
    constructor(maxBytes: number) {
        this.maxBytes = maxBytes
    }

    /**
     * Takes the next bytes of the stream. Calls `take` with the first byte and the remaining bytes of each packet that
     * is complete, until it returns false. Throws MqttError for a packet that is too large.
     */
    push(bytes: Uint8Array, take: (first: number, body: Buffer) => boolean): void {
        const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        for (let at = 0; at < chunk.length;) {
            if (this.body) {
                const copied = chunk.copy(this.body, this.filled, at)
                at += copied
                this.filled += copied
                if (this.filled < this.body.length) return
                const { body } = this
                this.body = undefined
                if (!take(this.first, body)) return
                continue
            }
            if (!this.header(chunk[at++]!)) continue
            const end = at + this.length
            if (end > chunk.length) {
                this.body = Buffer.allocUnsafe(this.length)
                this.filled = 0
                continue
            }
            if (!take(this.first, chunk.subarray(at, end))) return
            at = end
        }
    }

    /** Takes a byte of the fixed header. Returns true if it is complete. */
    private header(byte: number): boolean {
        if (this.headerBytes === 0) {
            this.first = byte
            this.length = 0
            this.headerBytes = 1
            return false
        }
        this.length += (byte & 0x7f) * 128 ** (this.headerBytes - 1)
        if (this.length > this.maxBytes) throw new MqttError(Reason.packetTooLarge, "packet too large")
        if (byte < 0x80) {
            this.headerBytes = 0
            return true
        }
        if (this.headerBytes++ === maxLengthBytes) throw new MqttError(Reason.malformedPacket, "length too long")
        return false
    }
}
