import { millis } from "@devicescript/core"
import { askedSzx, blockBytes, blockOptions, szxFor } from "./block"
import { Code, codeClass, CoapMessage, MessageReader, OptionNumber } from "./message"
import { Endpoint } from "../link/endpoint"
import { Answer, Purpose } from "../link/transport"
import { Signal } from "../platform/signal"
import { closeSocket, isSocketOpen, openSocket, useSocket, writeSocket, writeSocketNow } from "../link/socket"
import { sleep } from "../platform/sleep"

/*
 * CoAP over the mote's only socket (RFC 8323): signalling, requests of the peer, and one request of ours at a time. One
 * fiber opens the connection and sends requests; incoming messages are handled at once, without waiting; requests of
 * the peer are answered in order by another fiber.
 *
 * Started by `uplink/transports.ts`; opened, used and closed by the uplink. Incoming messages write the rest of the
 * state. `resources.ts` and `observers.ts` read the generation and the peer's maximum message size.
 */

const connectMs = 10000
const csmMs = 10000
/** Time for the peer to close a connection that we have released. */
const releaseMs = 2000
const releaseLookMs = 50
/** Header, token and payload marker of a message with at most two length bytes. */
const headBytes = 4 + 1 + 1
/** Maximum number of times that all blocks are sent again because the peer has lost some. */
const maxRestarts = 1

/** RFC 8323 §5.3.1: the peer's maximum message size if it announces none. */
const defaultMaxMessageBytes = 1152
const maxMessageSizeOption = 2
/** Max-Message-Size: `maxMessageBytes`. */
const csmOptions = hex`22 0180`
/** Uri-Path "vitals" or "alarms", Content-Format 17 (application/cose; cose-type="cose-mac0"). */
const vitalsOptions = hex`b6 766974616c73 11 11`
const alarmsOptions = hex`b6 616c61726d73 11 11`
/** Maximum number of the peer's requests that wait for the current one; further ones get 5.03. */
const maxWaiting = 2

/** The only critical option allowed in responses. */
const blockOption = [OptionNumber.block1]

/** Answers a request of the peer; the caller sets the token. */
export type Serve = (request: CoapMessage) => Promise<CoapMessage>

/** Number of connections so far: everything negotiated with a peer ends with its connection. */
export let generation = 0
let serve: Serve
/** Requests of the peer, oldest first; the first is being answered. */
const requests: CoapMessage[] = []
let reader: MessageReader
/** Raised when the socket opens or closes, and on the CSM or the response. */
const changed = new Signal()
let hasCsm = false
let isReleased = false
/** The peer's maximum message size in bytes. */
export let peerMaxMessageBytes = defaultMaxMessageBytes
let lastToken = 0
/** Whether a CSM, a response that `accept` takes, or a Pong is awaited. */
let isAwaited = false
let accept: (response: CoapMessage) => boolean
let response: CoapMessage

/**
 * Takes over the socket.
 * @param answerer answers the requests of the peer
 */
export function startCoap(answerer: Serve): void {
    serve = answerer
    reader = new MessageReader(received)
    useSocket(changed, bytes => {
        const problem = reader.push(bytes)
        if (problem) abort(problem)
    })
}

/** Whether requests can be sent. */
export function isCoapOpen(): boolean {
    return hasCsm && !isReleased && isSocketOpen()
}

/** Connects and exchanges CSMs (RFC 8323 §5.3). @returns whether that succeeded */
export async function openCoap({ host, port, tls }: Endpoint): Promise<boolean> {
    closeCoap()
    generation++
    while (requests.length > 1) requests.pop()
    reader.reset()
    hasCsm = false
    isReleased = false
    peerMaxMessageBytes = defaultMaxMessageBytes
    isAwaited = true
    if (!(await openSocket(host, port, connectMs, tls))) return false
    if (!(await writeSocket(new CoapMessage(Code.csm, undefined, csmOptions).encode()))) return false
    await wait(csmMs)
    if (!isCoapOpen()) closeCoap()
    return isCoapOpen()
}

export async function postCoap(
    purpose: Purpose,
    envelope: Buffer,
    timeoutMs: number,
    isReceipt: (bytes: Buffer) => boolean,
): Promise<Answer> {
    const options = purpose === Purpose.alarm ? alarmsOptions : vitalsOptions
    // A success response counts only if it contains the receipt.
    const isExpected = (response: CoapMessage) =>
        codeClass(response.code) !== 2 || response.code === Code.continue || isReceipt(response.payload)
    const maxBytes = peerMaxMessageBytes
    let szx = szxFor(maxBytes, options.length)
    let at = 0
    let isWhole = headBytes + options.length + envelope.length <= maxBytes
    if (!isWhole && szx === undefined) return { code: Code.requestEntityTooLarge, maxBytes }
    let restarts = 0
    for (;;) {
        const request = new CoapMessage(Code.post, undefined, options, envelope)
        if (!isWhole) {
            request.options = blockOptions(options, at, szx, envelope.length)
            request.payload = envelope.slice(at, Math.min(at + blockBytes(szx), envelope.length))
        }
        const response = await ask(request, timeoutMs, isExpected)
        if (!response) return { code: 0 }
        const { code } = response
        const asked = askedSzx(response, szx)
        const isSmaller = (isWhole && response.option(OptionNumber.block1)) || asked < szx
        if (code === Code.continue && !isWhole && at + request.payload.length < envelope.length)
            at += request.payload.length
        else if (code === Code.requestEntityTooLarge && isSmaller) at = 0
        else if (code === Code.requestEntityIncomplete && at > 0 && restarts++ < maxRestarts) at = 0
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

export async function pingCoap(timeoutMs: number): Promise<boolean> {
    isAwaited = true
    const ping = new CoapMessage(Code.ping, newToken())
    return (await sendCoap(ping)) && (await wait(timeoutMs))
}

/** Releases the connection (RFC 8323 §5.5). Earlier requests of the peer are still answered. */
export async function releaseCoap(): Promise<void> {
    const deadline = millis() + releaseMs
    if (isCoapOpen()) {
        isReleased = true
        await sendCoap(new CoapMessage(Code.release))
        while (isSocketOpen() && millis() < deadline) await sleep(releaseLookMs)
    }
    closeCoap()
}

export function closeCoap(): void {
    closeSocket()
}

/** Sends a request and waits for the response for which `isIt` is true; other responses are ignored. */
async function ask(
    request: CoapMessage,
    timeoutMs: number,
    isIt: (response: CoapMessage) => boolean,
): Promise<CoapMessage | undefined> {
    request.token = newToken()
    response = undefined
    isAwaited = true
    accept = isIt
    if (await sendCoap(request)) await wait(timeoutMs)
    accept = undefined
    return response
}

function newToken(): Buffer {
    lastToken = (lastToken + 1) & 0xff
    return Buffer.from([lastToken])
}

/** Whether the awaited message (`isAwaited`, set before it can arrive) arrives in time, on this connection. */
async function wait(timeoutMs: number): Promise<boolean> {
    const deadline = millis() + timeoutMs
    while (isAwaited && isSocketOpen() && millis() < deadline) await changed.wait(deadline - millis())
    const hasCome = !isAwaited
    isAwaited = false
    return hasCome
}

function responseReceived(): void {
    isAwaited = false
    changed.raise()
}

/**
 * Sends a message unchanged, such as a notification. Encodes and writes in one step, so that the bytes are not held
 * while waiting for a response. @returns whether it was sent
 */
export async function sendCoap(message: CoapMessage): Promise<boolean> {
    const bytes = message.encode()
    return bytes.length <= peerMaxMessageBytes && (await writeSocket(bytes))
}

function received(message: CoapMessage): void {
    if (!isSocketOpen()) return
    const kind = codeClass(message.code)
    if (!hasCsm && message.code !== Code.csm) abort("the first message has to be a CSM")
    else if (kind === 7) signalled(message)
    else if (kind === 0) requested(message)
    else responded(message)
}

/** Handles a signalling message (RFC 8323 §5). */
function signalled(signal: CoapMessage): void {
    if (signal.unknownCriticalOption([]) !== undefined) {
        abort("unknown critical signalling option")
        return
    }
    switch (signal.code) {
        case Code.csm:
            capabilities(signal)
            break
        case Code.ping:
            writeSocketNow(new CoapMessage(Code.pong, signal.token).encode())
            break
        case Code.pong:
            if (!accept && isToken(signal.token)) responseReceived()
            break
        case Code.release:
            // Pending requests may still be answered.
            isReleased = true
            break
        case Code.abort:
            closeCoap()
            break
    }
}

/** Handles a CSM (RFC 8323 §5.3); a later one only updates the first. */
function capabilities(csm: CoapMessage): void {
    const maxMessageSize = csm.uintOption(maxMessageSizeOption)
    if (maxMessageSize !== undefined) peerMaxMessageBytes = maxMessageSize
    // A later one was not awaited.
    if (!hasCsm) responseReceived()
    hasCsm = true
}

/** The first waiting request wakes the fiber that answers requests. */
function requested(request: CoapMessage): void {
    if (request.code === Code.empty) return
    if (requests.length > maxWaiting) {
        const busy = new CoapMessage(Code.serviceUnavailable, request.token)
        writeSocketNow(busy.encode())
        return
    }
    requests.push(request)
    if (requests.length > 1) return
    const run = async () => await answer()
    run.start()
}

/** Answers all waiting requests. A response for a connection that is gone is discarded. */
async function answer(): Promise<void> {
    while (requests.length > 0) {
        const asked = generation
        const request = requests[0]
        let answered: CoapMessage
        try {
            answered = await serve(request)
        } catch {
            answered = new CoapMessage(Code.internalServerError)
        }
        answered.token = request.token
        if (asked === generation) await sendCoap(answered)
        requests.shift()
    }
}

function responded(message: CoapMessage): void {
    if (!accept || response || !isToken(message.token)) return
    if (message.unknownCriticalOption(blockOption) !== undefined || !accept(message)) return
    response = message
    responseReceived()
}

function isToken(token: Buffer): boolean {
    return token.length === 1 && token[0] === lastToken
}

/** Sends Abort with a diagnostic (RFC 8323 §5.6) and closes. */
function abort(diagnostic: string): void {
    const message = new CoapMessage(Code.abort)
    message.payload = Buffer.from(diagnostic)
    writeSocketNow(message.encode())
    closeCoap()
}
