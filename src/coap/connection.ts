import { millis } from "@devicescript/core"
import { Code, codeClass, CoapMessage, maxMessageBytes, MessageReader } from "./message"
import { Endpoint } from "../link/endpoint"
import { serve } from "./resources"
import { Signal } from "../signal"
import { TcpSocket } from "../link/socket"

const connectMs = 10000
const csmMs = 10000

/** RFC 8323 §5.3.1: what a peer takes that announced nothing else. */
const defaultMaxMessageBytes = 1152
const maxMessageSizeOption = 2
/** Max-Message-Size 512. */
const csmOptions = Buffer.from([(maxMessageSizeOption << 4) | 2, maxMessageBytes >> 8, 0])

/**
 * CoAP over the mote's one socket (RFC 8323): signals, the peer's requests, and one request of ours at a time. One fiber
 * opens and asks; what arrives is dealt with as it arrives, without waiting.
 */
export class CoapConnection {
    private socket: TcpSocket
    private reader: MessageReader
    /** The socket opened or closed, the CSM came, or the response. */
    private changed = new Signal()
    private hasCsm = false
    private isReleased = false
    private peerMaxMessageBytes = defaultMaxMessageBytes
    private lastToken = 0
    private accept: (response: CoapMessage) => boolean
    private response: CoapMessage

    constructor() {
        const connection = this
        this.reader = new MessageReader(message => connection.received(message))
        this.socket = new TcpSocket(this.changed, bytes => {
            const problem = connection.reader.push(bytes)
            if (problem) connection.abort(problem)
        })
    }

    /** Whether requests can be sent. */
    isOpen(): boolean {
        return this.hasCsm && !this.isReleased && this.socket.isOpen()
    }

    /** Connects and exchanges CSMs (RFC 8323 §5.3); says whether that worked. */
    async open(endpoint: Endpoint): Promise<boolean> {
        this.reader.reset()
        this.hasCsm = false
        this.isReleased = false
        this.peerMaxMessageBytes = defaultMaxMessageBytes
        if (!(await this.socket.open(endpoint.host, endpoint.port, connectMs))) return false
        if (!(await this.socket.write(new CoapMessage(Code.csm, undefined, csmOptions).encode())))
            return false
        const deadline = millis() + csmMs
        while (!this.hasCsm && this.socket.isOpen() && millis() < deadline)
            await this.changed.wait(deadline - millis())
        if (!this.isOpen()) this.close()
        return this.isOpen()
    }

    /**
     * Sends a request and waits for the response that `accept` takes; others are passed over, as if they had not come.
     * @returns undefined when there was none within `timeoutMs`, when the connection closed, or when the request is
     * larger than what the peer takes
     */
    async request(
        request: CoapMessage,
        timeoutMs: number,
        accept: (response: CoapMessage) => boolean,
    ): Promise<CoapMessage | undefined> {
        this.lastToken = (this.lastToken + 1) & 0xff
        request.token = Buffer.from([this.lastToken])
        this.response = undefined
        this.accept = accept
        if (await this.send(request)) {
            const deadline = millis() + timeoutMs
            while (!this.response && this.socket.isOpen() && millis() < deadline)
                await this.changed.wait(deadline - millis())
        }
        this.accept = undefined
        return this.response
    }

    close(): void {
        this.socket.close()
    }

    /** Encodes and writes in one go, so that nobody who waits for a response holds the bytes. */
    private async send(request: CoapMessage): Promise<boolean> {
        const bytes = request.encode()
        return bytes.length <= this.peerMaxMessageBytes && (await this.socket.write(bytes))
    }

    private received(message: CoapMessage): void {
        if (!this.socket.isOpen()) return
        const kind = codeClass(message.code)
        if (!this.hasCsm && message.code !== Code.csm)
            this.abort("the first message has to be a CSM")
        else if (kind === 7) this.signalled(message)
        else if (kind === 0) this.requested(message)
        else this.responded(message)
    }

    /** RFC 8323 §5. */
    private signalled(signal: CoapMessage): void {
        if (signal.unknownCriticalOption([]) !== undefined) {
            this.abort("unknown critical signalling option")
            return
        }
        switch (signal.code) {
            case Code.csm:
                this.capabilities(signal)
                break
            case Code.ping:
                this.socket.writeNow(new CoapMessage(Code.pong, signal.token).encode())
                break
            case Code.release:
                // What was asked may still be answered.
                this.isReleased = true
                break
            case Code.abort:
                this.close()
                break
        }
    }

    /** RFC 8323 §5.3: one that comes later only adds to the first. */
    private capabilities(csm: CoapMessage): void {
        const maxMessageSize = csm.uintOption(maxMessageSizeOption)
        if (maxMessageSize !== undefined) this.peerMaxMessageBytes = maxMessageSize
        this.hasCsm = true
        this.changed.raise()
    }

    private requested(request: CoapMessage): void {
        if (request.code === Code.empty) return
        const response = serve(request)
        response.token = request.token
        this.socket.writeNow(response.encode())
    }

    private responded(response: CoapMessage): void {
        if (!this.accept || this.response) return
        if (response.token.length !== 1 || response.token[0] !== this.lastToken) return
        if (response.unknownCriticalOption([]) !== undefined || !this.accept(response)) return
        this.response = response
        this.changed.raise()
    }

    /** Tells the peer what it did wrong (RFC 8323 §5.6) and closes. */
    private abort(diagnostic: string): void {
        const abort = new CoapMessage(Code.abort)
        abort.payload = Buffer.from(diagnostic)
        this.socket.writeNow(abort.encode())
        this.close()
    }
}
