import { Duplex } from "node:stream"
import type { ByteStream } from "../host/stream.ts"

/** Largest MQTT packet that is taken: the largest envelope, its topic and some room. */
export const maxPacketBytes = 8192
/** Bytes that may wait for a peer that does not read, or for the broker. */
const maxBacklogBytes = 256 * 1024

/**
 * A byte stream as the Node stream that the broker wants. Cuts off a peer that announces a packet that is too large
 * (MQTT 3.1.1 §2.2.3), before the broker would begin to collect it.
 */
export class MqttStream extends Duplex {
    private readonly stream: ByteStream
    /** Bytes of the current packet that are still to come. */
    private remaining = 0
    /** The Remaining Length of the packet whose header is under way, and how many bytes of the header came. */
    private length = 0
    private headerBytes = 0

    constructor(stream: ByteStream) {
        super()
        this.stream = stream
        stream.listen({
            data: bytes => this.received(bytes),
            closed: () => {
                this.push(null)
                this.destroy()
            },
        })
    }

    override _read(): void {
        // What came is in the buffer already: byte streams cannot be paused.
    }

    override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
        this.stream.write(chunk)
        if (this.stream.backlog > maxBacklogBytes) done(new Error("peer does not read"))
        else done()
    }

    override _final(done: () => void): void {
        this.stream.end()
        done()
    }

    override _destroy(error: Error | null, done: (error: Error | null) => void): void {
        this.stream.destroy()
        done(error)
    }

    private received(bytes: Uint8Array): void {
        if (this.destroyed) return
        if (!this.areBounded(bytes))
            this.destroy(new Error(`packet of more than ${maxPacketBytes} bytes`)) // prettier-ignore
        else if (this.readableLength > maxBacklogBytes) this.destroy(new Error("too much at once"))
        else this.push(Buffer.from(bytes))
    }

    /** Follows the packets in the stream; false where one is too large. */
    private areBounded(bytes: Uint8Array): boolean {
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
