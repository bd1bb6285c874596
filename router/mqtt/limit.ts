/** The largest MQTT packet that is accepted: the largest envelope, its topic and a margin. */
export const maxPacketBytes = 8192

/**
 * Tracks packet lengths in a stream (MQTT 3.1.1 §2.2.3), so that the parser never buffers a packet that is too large.
 */
export class PacketLimit {
    /** The number of bytes of the current packet still to come. */
    private remaining = 0
    /** The Remaining Length that the current header has announced so far. */
    private length = 0
    /** The number of bytes of the current header so far. */
    private headerBytes = 0

    /** Tracks the next bytes of the stream. Returns false if a packet in them is too large. */
    allows(bytes: Uint8Array): boolean {
        for (let at = 0; at < bytes.length;) {
            if (this.remaining > 0) {
                const taken = Math.min(this.remaining, bytes.length - at)
                this.remaining -= taken
                at += taken
                continue
            }
            const byte = bytes[at++]!
            if (this.headerBytes > 0) this.length += (byte & 0x7f) * 128 ** (this.headerBytes - 1)
            if (this.length > maxPacketBytes || this.headerBytes > 4) return false
            const isLast = this.headerBytes > 0 && byte < 0x80
            this.headerBytes = isLast ? 0 : this.headerBytes + 1
            if (isLast) {
                this.remaining = this.length
                this.length = 0
            }
        }
        return true
    }
}
