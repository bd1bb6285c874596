import { Duplex } from "node:stream"
import type { ByteStream } from "../../host/stream.ts"
import { maxPacketBytes, PacketLimit } from "./limit.ts"

/** Bytes that may wait for a peer that does not read, or for the broker. */
const maxBacklogBytes = 256 * 1024

/**
 * A byte stream as the Node stream that the broker wants. Cuts off a peer that announces a packet that is too large
 * (MQTT 3.1.1 §2.2.3), before the broker would begin to collect it.
 */
export class MqttStream extends Duplex {
    private readonly stream: ByteStream
    private readonly limit = new PacketLimit()

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
        if (!this.limit.allows(bytes)) this.destroy(new Error(`packet of more than ${maxPacketBytes} bytes`))
        else if (this.readableLength > maxBacklogBytes) this.destroy(new Error("too much at once"))
        else this.push(Buffer.from(bytes))
    }
}
