import type { Socket } from "node:net"

/**
 * One end of a byte stream: a TCP or TLS socket, or a connection inside the simulator. Bytes written arrive in order
 * or not at all.
 */
export interface ByteStream {
    /** Whom we talk to, for logs: `192.0.2.7:49152`, `mote 4`. */
    readonly peer: string
    /** Bytes written that have not left yet; stop writing when this grows. */
    readonly backlog: number
    /** Sends `bytes`; does nothing once the stream is closed. */
    write(bytes: Uint8Array): void
    /** Sends what is still queued, then closes. */
    end(): void
    /** Closes at once; nothing more is sent. */
    destroy(): void
    /** Sets who receives; bytes and the close that came earlier are delivered first, within. */
    listen(receiver: StreamReceiver): void
}

export interface StreamReceiver {
    data(bytes: Uint8Array): void
    /** The stream is gone, for whatever reason. Called exactly once. */
    closed(): void
}

/** Whom a socket is connected to: `192.0.2.7:49152`. */
export function peerOf({ remoteAddress, remotePort }: Socket): string {
    return `${remoteAddress ?? "?"}:${remotePort ?? 0}`
}

/** A real socket as a byte stream. */
export function socketStream(socket: Socket): ByteStream {
    socket.setNoDelay(true)
    socket.pause()
    socket.on("error", () => socket.destroy()) // "close" follows
    return {
        peer: peerOf(socket),
        get backlog() {
            return socket.writableLength
        },
        write: bytes => void (socket.writable && socket.write(bytes)),
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
