import { randomBytes } from "node:crypto"
import { connect, type Socket } from "node:net"
import { realClock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { socketStream } from "../../host/stream.ts"
import { CoapConnection } from "../../router/coap/connection.ts"
import { FrameReader } from "../../router/coap/frame.ts"
import { Code, dotted, message, type CoapMessage } from "../../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../../router/coap/options.ts"

/** A CoAP client on a real socket. */
export class CoapClient {
    readonly connection: CoapConnection
    readonly closed: Promise<void>
    private readonly socket: Socket

    private constructor(socket: Socket) {
        this.socket = socket
        let onClose!: () => void
        this.closed = new Promise(resolve => (onClose = resolve))
        this.connection = new CoapConnection({
            stream: socketStream(socket),
            clock: realClock,
            random: randomBytes,
            serve: () => message(Code.NotFound),
            onClose,
            log: silentLog,
        })
        this.connection.start()
    }

    static async connect(port: number): Promise<CoapClient> {
        return new CoapClient(await openSocket(port))
    }

    /** Posts an envelope as a mote does. */
    post(path: string, payload: Uint8Array, contentFormat: number | undefined = 17): Promise<CoapMessage> {
        const options = pathOptions(path)
        if (contentFormat !== undefined) options.push(uintOption(OptionNumber.ContentFormat, contentFormat))
        return this.connection.request(Code.POST, { options, payload })
    }

    /** The answer's code only. */
    async code(path: string, payload: Uint8Array): Promise<string> {
        return dotted((await this.post(path, payload)).code)
    }

    destroy(): void {
        this.socket.destroy()
    }
}

export function openSocket(port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket))
        socket.once("error", reject)
    })
}

/** Sends raw bytes and resolves to the codes of all messages that came until the other end closed. */
export async function codesUntilClosed(port: number, bytes: Uint8Array): Promise<string[]> {
    const socket = await openSocket(port)
    const reader = new FrameReader(65_536)
    const codes: string[] = []
    socket.on("data", chunk => {
        for (const { code } of reader.push(chunk)) codes.push(dotted(code))
    })
    socket.on("error", () => {})
    socket.write(bytes)
    await new Promise(resolve => socket.once("close", resolve))
    return codes
}
