import { millis, sleep } from "@devicescript/core"
import { askedSzx, blockBytes, blockOptions, szxFor } from "./block"
import { Code, codeClass, CoapMessage, MessageReader, OptionNumber } from "./message"
import { Endpoint } from "../link/endpoint"
import { Answer, Purpose, Transport } from "../link/transport"
import { Signal } from "../signal"
import { TcpSocket } from "../link/socket"

const connectMs = 10000
const csmMs = 10000
/** So long the peer has to close what we have released, */
const releaseMs = 2000
const releaseLookMs = 50
/** Header, token and payload marker of a message that needs no more than two bytes of length. */
const headBytes = 4 + 1 + 1
/** Times that all blocks are sent again because the peer has forgotten some. */
const maxRestarts = 1

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

/** The one critical option that responses may have. */
const blockOption = [OptionNumber.block1]

/** Answers a request of the peer; the token is set afterwards. */
export type Serve = (request: CoapMessage, from: CoapConnection) => Promise<CoapMessage>

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
    /** The largest message that the peer takes. */
    peerMaxMessageBytes = defaultMaxMessageBytes
    private lastToken = 0
    /** A CSM, the response that `accept` takes, or a Pong. */
    private isAwaited = false
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
        this.isAwaited = true
        if (!(await this.socket.open(host, port, connectMs, tls))) return false
        if (!(await this.socket.write(new CoapMessage(Code.csm, undefined, csmOptions).encode())))
            return false
        await this.wait(csmMs)
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
        // A response of success is worth what its receipt is worth.
        const isIt = (response: CoapMessage) =>
            codeClass(response.code) !== 2 ||
            response.code === Code.continue ||
            accept(response.payload)
        const maxBytes = this.peerMaxMessageBytes
        let szx = szxFor(maxBytes, options.length)
        let at = 0
        let isWhole = headBytes + options.length + envelope.length <= maxBytes
        if (!isWhole && szx === undefined) return { code: Code.requestEntityTooLarge, maxBytes }
        let restarts = 0
        for (;;) {
            const request = new CoapMessage(Code.post, undefined, options, envelope)
            if (!isWhole) {
                request.options = blockOptions(options, at, szx, envelope.length)
                request.payload = envelope.slice(
                    at,
                    Math.min(at + blockBytes(szx), envelope.length),
                )
            }
            const response = await this.request(request, timeoutMs, isIt)
            if (!response) return { code: 0 }
            const { code } = response
            const asked = askedSzx(response, szx)
            const isSmaller = (isWhole && response.option(OptionNumber.block1)) || asked < szx
            if (code === Code.continue && !isWhole && at + request.payload.length < envelope.length)
                at += request.payload.length
            else if (code === Code.requestEntityTooLarge && isSmaller) at = 0
            else if (code === Code.requestEntityIncomplete && at > 0 && restarts++ < maxRestarts)
                at = 0
            else
                return {
                    code,
                    maxAgeS: response.uintOption(OptionNumber.maxAge),
                    maxBytes: response.uintOption(OptionNumber.size1),
                }
            szx = asked
            isWhole = false
        }
    }

    async ping(timeoutMs: number): Promise<boolean> {
        this.isAwaited = true
        const ping = new CoapMessage(Code.ping, this.newToken())
        return (await this.send(ping)) && (await this.wait(timeoutMs))
    }

    /** RFC 8323 §5.5. What the peer asked before is still answered. */
    async release(): Promise<void> {
        const deadline = millis() + releaseMs
        if (this.isOpen()) {
            this.isReleased = true
            await this.send(new CoapMessage(Code.release))
            while (this.socket.isOpen() && millis() < deadline) await sleep(releaseLookMs)
        }
        this.close()
    }

    close(): void {
        this.socket.close()
    }

    /** Sends a request and waits for the response that `isIt` takes; others are passed over, as if they had not come. */
    private async request(
        request: CoapMessage,
        timeoutMs: number,
        isIt: (response: CoapMessage) => boolean,
    ): Promise<CoapMessage | undefined> {
        request.token = this.newToken()
        this.response = undefined
        this.isAwaited = true
        this.accept = isIt
        if (await this.send(request)) await this.wait(timeoutMs)
        this.accept = undefined
        return this.response
    }

    private newToken(): Buffer {
        this.lastToken = (this.lastToken + 1) & 0xff
        return Buffer.from([this.lastToken])
    }

    /** Whether what is awaited (`isAwaited`, set before it can come) comes in time, and on this connection. */
    private async wait(timeoutMs: number): Promise<boolean> {
        const deadline = millis() + timeoutMs
        while (this.isAwaited && this.socket.isOpen() && millis() < deadline)
            await this.changed.wait(deadline - millis())
        const hasCome = !this.isAwaited
        this.isAwaited = false
        return hasCome
    }

    private came(): void {
        this.isAwaited = false
        this.changed.raise()
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
            case Code.pong:
                if (!this.accept && this.isToken(signal.token)) this.came()
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
        // One that comes again was not awaited.
        if (!this.hasCsm) this.came()
        this.hasCsm = true
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
                response = await this.serve(request, this)
            } catch {
                response = new CoapMessage(Code.internalServerError)
            }
            response.token = request.token
            if (generation === this.generation) await this.send(response)
            requests.shift()
        }
    }

    private responded(response: CoapMessage): void {
        if (!this.accept || this.response || !this.isToken(response.token)) return
        if (response.unknownCriticalOption(blockOption) !== undefined || !this.accept(response))
            return
        this.response = response
        this.came()
    }

    private isToken(token: Buffer): boolean {
        return token.length === 1 && token[0] === this.lastToken
    }

    /** Tells the peer what it did wrong (RFC 8323 §5.6) and closes. */
    private abort(diagnostic: string): void {
        const abort = new CoapMessage(Code.abort)
        abort.payload = Buffer.from(diagnostic)
        this.socket.writeNow(abort.encode())
        this.close()
    }
}
