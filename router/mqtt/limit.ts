/** Largest MQTT packet that is taken: the largest envelope, its topic and some room. */
export const maxPacketBytes = 8192

/** Follows the packets in a stream (MQTT 3.1.1 §2.2.3), so that nobody begins to collect one that is too large. */
export class PacketLimit {
    /** Bytes of the current packet that are still to come. */
    private remaining = 0
    /** The Remaining Length of the packet whose header is under way, and how many bytes of the header came. */
    private length = 0
    private headerBytes = 0

    /** Takes the next piece; false where a packet in it announces too much. */
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
