import type { Socket } from "node:net"

/**
 * One end of a byte stream: a TCP or TLS socket, or a connection in the simulator. Bytes arrive in order or not at all.
 */
export interface ByteStream {
    /** The peer's name for logs, such as `192.0.2.7:49152` or `mote 4`. */
    readonly peer: string
    /** The number of bytes written but not sent yet. Stop writing when it grows. */
    readonly backlog: number
    /** Whether it is TLS; absent where that is not known. */
    readonly isEncrypted?: boolean
    /** Sends `bytes`. Does nothing once the stream is closed. */
    write(bytes: Uint8Array): void
    /** Sends the queued bytes, then closes. */
    end(): void
    /** Closes at once and discards queued bytes. */
    destroy(): void
    /** Sets the receiver. Bytes that arrived earlier, or a close, are delivered before this returns. */
    listen(receiver: StreamReceiver): void
}

export interface StreamReceiver {
    data(bytes: Uint8Array): void
    /** The stream is closed, for whatever reason. Called exactly once. */
    closed(): void
}

/** Returns the remote address of a socket, such as `192.0.2.7:49152`. */
export function peerOf({ remoteAddress, remotePort }: Socket): string {
    return `${remoteAddress ?? "?"}:${remotePort ?? 0}`
}

/** Wraps a real socket as a byte stream. */
export function socketStream(socket: Socket): ByteStream {
    socket.setNoDelay(true)
    socket.pause()
    socket.on("error", () => socket.destroy()) // "close" follows
    /** What is written in one turn of the event loop leaves in one system call. */
    const holdForTurn = () => {
        if (socket.writableCorked > 0) return
        socket.cork()
        process.nextTick(() => socket.uncork())
    }
    return {
        peer: peerOf(socket),
        isEncrypted: "encrypted" in socket,
        get backlog() {
            return socket.writableLength
        },
        write: bytes => {
            if (!socket.writable) return
            holdForTurn()
            socket.write(bytes)
        },
        end: () => void socket.end(),
        destroy: () => void socket.destroy(),
        listen: receiver => {
            const early = socket.read() as Buffer | null
            if (early) receiver.data(early)
            socket.on("data", (bytes: Buffer) => receiver.data(bytes))
            if (socket.destroyed) receiver.closed()
            else socket.on("close", () => receiver.closed())
            socket.resume()
        },
    }
}
