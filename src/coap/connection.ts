import { millis } from "@devicescript/core"
import { Code, codeClass, CoapMessage, MessageReader, OptionNumber } from "./message"
import { Endpoint } from "../link/endpoint"
import { Answer, Purpose, Transport } from "../link/transport"
import { Signal } from "../signal"
import { TcpSocket } from "../link/socket"

const connectMs = 10000
const csmMs = 10000

/** RFC 8323 §5.3.1: what a peer takes that announced nothing else. */
const defaultMaxMessageBytes = 1152
const maxMessageSizeOption = 2
/** Max-Message-Size: `maxMessageBytes`. */
const csmOptions = hex`22 0200`
/** Uri-Path "vitals" or "alarms", Content-Format 17 (application/cose; cose-type="cose-mac0"). */
const vitalsOptions = hex`b6 766974616c73 11 11`
const alarmsOptions = hex`b6 616c61726d73 11 11`
/** Requests of the peer that wait until the one before is answered; more get 5.03. */
const maxWaiting = 2

/** Answers a request of the peer; the token is set afterwards. */
export type Serve = (request: CoapMessage) => Promise<CoapMessage>

/**
 * CoAP over the mote's one socket (RFC 8323): signals, the peer's requests, and one request of ours at a time. One fiber
 * opens and asks; what arrives is dealt with as it arrives, without waiting; requests of the peer are answered one after
 * the other in a fiber of their own.
 */
export class CoapConnection implements Transport {
    /** Counts the connections made: what was agreed with a peer ends with the connection. */
    generation = 0
    private serve: Serve
    /** Requests of the peer, oldest first; the first is being answered. */
    private requests: CoapMessage[] = []
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

    constructor(serve: Serve) {
        const connection = this
        this.serve = serve
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
    async open({ host, port, tls }: Endpoint): Promise<boolean> {
        this.close()
        this.generation++
        while (this.requests.length > 1) this.requests.pop()
        this.reader.reset()
        this.hasCsm = false
        this.isReleased = false
        this.peerMaxMessageBytes = defaultMaxMessageBytes
        if (!(await this.socket.open(host, port, connectMs, tls))) return false
        if (!(await this.socket.write(new CoapMessage(Code.csm, undefined, csmOptions).encode())))
            return false
        const deadline = millis() + csmMs
        while (!this.hasCsm && this.socket.isOpen() && millis() < deadline)
            await this.changed.wait(deadline - millis())
        if (!this.isOpen()) this.close()
        return this.isOpen()
    }

    async post(
        purpose: Purpose,
        envelope: Buffer,
        timeoutMs: number,
        accept: (receipt: Buffer) => boolean,
    ): Promise<Answer> {
        const options = purpose === Purpose.alarm ? alarmsOptions : vitalsOptions
        const response = await this.request(
            new CoapMessage(Code.post, undefined, options, envelope),
            timeoutMs,
            // A response of success is worth what its receipt is worth.
            response => codeClass(response.code) !== 2 || accept(response.payload),
        )
        if (!response) return { code: 0 }
        return { code: response.code, maxAgeS: response.uintOption(OptionNumber.maxAge) }
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

    /**
     * Sends a message as it is, a notification for one; says whether that worked. Encodes and writes in one go, so that
     * nobody who waits for a response holds the bytes.
     */
    async send(message: CoapMessage): Promise<boolean> {
        const bytes = message.encode()
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

    /** The first of the requests that wait wakes the fiber that answers them. */
    private requested(request: CoapMessage): void {
        if (request.code === Code.empty) return
        const { requests } = this
        if (requests.length > maxWaiting) {
            const busy = new CoapMessage(Code.serviceUnavailable, request.token)
            this.socket.writeNow(busy.encode())
            return
        }
        requests.push(request)
        if (requests.length > 1) return
        const connection = this
        const run = async () => await connection.answer()
        run.start()
    }

    /** Answers all requests that wait. An answer that is late, to a connection that is gone, goes nowhere. */
    private async answer(): Promise<void> {
        const { requests } = this
        while (requests.length > 0) {
            const { generation } = this
            const request = requests[0]
            let response: CoapMessage
            try {
                response = await this.serve(request)
            } catch {
                response = new CoapMessage(Code.internalServerError)
            }
            response.token = request.token
            if (generation === this.generation) await this.send(response)
            requests.shift()
        }
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
