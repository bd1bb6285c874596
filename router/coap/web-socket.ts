import type { WebSocket } from "ws"
import type { ByteStream, StreamReceiver } from "../../host/stream.ts"
import { encodeForWebSocket, FrameReader, fromWebSocket } from "./frame.ts"
import { CoapFormatError } from "./options.ts"

/** What we send is not limited here. */
const anySize = 2 ** 32

/** CoAP over a WebSocket (RFC 8323 §4) as the stream of a CoAP connection: each message of the one is a message of the other. */
export function webSocketStream(socket: WebSocket, peer: string): ByteStream {
    const sent = new FrameReader(anySize)
    let receiver: StreamReceiver | undefined
    let early: Uint8Array[] = []
    let isClosed = false
    const closed = () => {
        isClosed = true
        receiver?.closed()
    }
    socket.on("message", (data: Buffer, isBinary: boolean) => {
        try {
            if (!isBinary) throw new CoapFormatError("a text message")
            const bytes = fromWebSocket(data)
            if (receiver) receiver.data(bytes)
            else early.push(bytes)
        } catch (error) {
            if (!(error instanceof CoapFormatError)) throw error
            socket.terminate()
        }
    })
    socket.once("close", closed)
    socket.on("error", () => socket.terminate()) // "close" follows
    return {
        peer,
        get backlog() {
            return socket.bufferedAmount
        },
        write: bytes => {
            if (socket.readyState !== socket.OPEN) return
            for (const message of sent.push(bytes)) socket.send(encodeForWebSocket(message))
        },
        end: () => socket.close(),
        destroy: () => socket.terminate(),
        listen: one => {
            receiver = one
            const waiting = early
            early = []
            for (const bytes of waiting) if (!isClosed) one.data(bytes)
            if (isClosed) one.closed()
        },
    }
}
