import { randomBytes } from "node:crypto"
import { createSocket } from "node:dgram"
import { lookup } from "node:dns/promises"
import { connect, isIP } from "node:net"
import type { Clock } from "../../host/clock.ts"
import { reasonOf } from "../../host/errors.ts"
import type { Log } from "../../host/log.ts"
import { socketStream } from "../../host/stream.ts"
import { completed, maxWholeBytes, requestWhole, type CoapPeer } from "../coap/block-client.ts"
import { CoapConnection, NoResponseError } from "../coap/connection.ts"
import { problem } from "../coap/dispatch.ts"
import { CoapFormatError, OptionNumber, uintValue } from "../coap/options.ts"
import { Code, message, type CoapMessage, type CoapOption } from "../coap/message.ts"
import type { Notifier, Requester, Server } from "../coap/requester.ts"
import { UdpClient } from "../coap/udp-client.ts"
import type { AllowedTargets } from "./allowed.ts"

/** Servers that are being asked or observed at the same time. */
const maxOpen = 32
const connectMs = 5_000
const defaultPort = 5683

/** A server is not asked. `status`: of the HTTP response. */
export class TargetError extends Error {
    readonly status: number

    constructor(status: number, message: string) {
        super(message)
        this.status = status
    }
}

/** Where a URI leads to. The address is the one that was checked: nothing resolves the name again. */
export interface Target {
    scheme: "coap" | "coap+tcp"
    address: string
    port: number
    /** Uri-Host, if the URI has a name; its path and query. */
    options: CoapOption[]
}

interface Opened {
    peer: CoapPeer
    close(): void
}

/** CoAP servers other than motes, which the operator allows to ask from the router's page. */
export class Targets {
    private readonly allowed: AllowedTargets
    private readonly clock: Clock
    private readonly log: Log
    private readonly resolve: (name: string) => Promise<string[]>
    private readonly open = new Set<Opened>()
    private opening = 0

    /** @param o.resolve the addresses of a name */
    constructor(o: { allowed: AllowedTargets; clock: Clock; log: Log; resolve?: (name: string) => Promise<string[]> }) {
        this.allowed = o.allowed
        this.clock = o.clock
        this.log = o.log
        this.resolve = o.resolve ?? (async name => (await lookup(name, { all: true })).map(({ address }) => address))
    }

    get text(): string {
        return this.allowed.text
    }

    /**
     * Finds the server of a URI, and checks that it is a target. Rejects with TargetError.
     * @param uri without path and query
     */
    async find(uri: string): Promise<Target> {
        const { scheme, host, port } = authorityOf(uri)
        const isAddress = isIP(host) !== 0
        const refused = new TargetError(
            403,
            `--allow-targets of this router does not have ${uri}: it has ${this.allowed.text}`,
        )
        if (isAddress) {
            if (!this.allowed.has(host, port)) throw refused
            return { scheme, address: host, port, options: [] }
        }
        if (!this.allowed.mayAsk(host, port)) throw refused
        const addresses = await within(connectMs, this.resolve(host)).catch((error: unknown) => {
            throw new TargetError(502, `${host} has no address: ${reasonOf(error)}`)
        })
        const address = addresses.find(one => this.allowed.has(one, port, host))
        if (address === undefined) throw refused
        return { scheme, address, port, options: [{ number: OptionNumber.UriHost, value: Buffer.from(host) }] }
    }

    /** The server of a URI, to be asked once or observed. Rejects with TargetError. */
    async serverAt(uri: string): Promise<Server> {
        const target = await this.find(uri)
        return (request, requester) => this.serve(target, request, requester)
    }

    close(): void {
        for (const opened of this.open) opened.close()
    }

    private async serve(target: Target, request: CoapMessage, requester: Requester): Promise<CoapMessage> {
        if (this.open.size + this.opening >= maxOpen)
            return problem(Code.ServiceUnavailable, "this router asks too many servers at present")
        let opened: Opened
        this.opening++
        try {
            opened = await this.connected(target)
        } catch (error) {
            return problem(Code.BadGateway, `${target.address} port ${target.port}: ${reasonOf(error)}`)
        } finally {
            this.opening--
        }
        this.open.add(opened)
        const options = [...target.options, ...request.options].sort((a, b) => a.number - b.number)
        const asked = { ...request, options }
        const over = () => {
            this.open.delete(opened)
            opened.close()
        }
        try {
            if (uintValue(options, OptionNumber.Observe) === 0)
                return await this.observe(opened.peer, asked, requester, over)
            const response = await requestWhole(opened.peer, asked.code, asked)
            over()
            return response
        } catch (error) {
            over()
            return failed(error)
        }
    }

    /** Registers an observer; `over` is called when nothing more will come. */
    private async observe(
        peer: CoapPeer,
        { options, payload, token }: CoapMessage,
        requester: Requester,
        over: () => void,
    ): Promise<CoapMessage> {
        let notifier: Notifier | undefined
        let isOver = false
        const end = () => {
            if (isOver) return
            isOver = true
            notifier?.end()
            over()
        }
        const plain = options.filter(({ number }) => number !== OptionNumber.Observe)
        const whole = (response: CoapMessage) => completed(peer, plain, response).catch(() => response)
        let last: Promise<unknown> = Promise.resolve()
        const { response: first, cancel } = await peer.observe({ options: plain, payload }, notification => {
            last = last.then(async () => {
                if (notification) notifier?.send(await whole(notification))
                if (!notification || !isObserved(notification)) end()
            })
        })
        const response = await whole(first)
        if (!isObserved(response)) {
            end()
            return response
        }
        if (isOver) return unobserved(response)
        notifier = requester.addObserver(token, () => {
            cancel()
            notifier = undefined
            end()
        })
        return response
    }

    private async connected({ scheme, address, port }: Target): Promise<Opened> {
        return scheme === "coap" ? await this.openUdp(address, port) : await this.openTcp(address, port)
    }

    /** A socket of its own, connected, so that it gets that server's datagrams only. */
    private async openUdp(address: string, port: number): Promise<Opened> {
        const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4")
        await new Promise<void>((resolve, reject) => {
            socket.once("error", reject)
            socket.connect(port, address, () => {
                socket.off("error", reject)
                resolve()
            })
        })
        const peer = new UdpClient({
            clock: this.clock,
            random: randomBytes,
            send: bytes => socket.send(bytes, () => {}),
        })
        socket.on("message", bytes => peer.receive(bytes))
        socket.on("error", error => peer.close(reasonOf(error)))
        let isClosed = false
        const close = () => {
            if (isClosed) return
            isClosed = true
            peer.close("closed")
            // What tells the server that nobody observes any more still goes out.
            setTimeout(() => socket.close(), 100).unref()
        }
        return { peer, close }
    }

    private async openTcp(address: string, port: number): Promise<Opened> {
        const socket = connect({ host: address, port })
        const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), connectMs)
        try {
            await new Promise<void>((resolve, reject) => {
                socket.once("connect", resolve)
                socket.once("error", reject)
            })
            const { clock, log } = this
            const peer = await new Promise<CoapConnection>((resolve, reject) => {
                const connection: CoapConnection = new CoapConnection({
                    ...{ stream: socketStream(socket), clock, random: randomBytes, log },
                    serve: () => message(Code.NotFound),
                    onCsm: () => resolve(connection),
                    onClose: () => reject(new Error("it closed the connection, and seems not to speak CoAP")),
                })
                connection.start()
            })
            return { peer, close: () => peer.release() }
        } catch (error) {
            socket.destroy()
            throw error
        } finally {
            clearTimeout(timer)
        }
    }
}

/** Splits a URI into the parts of its authority, RFC 7252 §6.1 and RFC 8323 §8. Throws TargetError. */
function authorityOf(uri: string): { scheme: Target["scheme"]; host: string; port: number } {
    const found = /^(coap|coap\+tcp):\/\/(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(uri)
    const host = found?.[2] ?? found?.[3] ?? ""
    const port = Number(found?.[4] ?? defaultPort)
    const isV6 = found?.[2] !== undefined
    if (!found || host.length > 253 || port < 1 || port > 65535 || isV6 !== (isIP(host) === 6))
        throw new TargetError(400, "a target is coap://host:port or coap+tcp://host:port")
    return { scheme: found[1] as Target["scheme"], host: host.toLowerCase(), port }
}

function unobserved(response: CoapMessage): CoapMessage {
    return { ...response, options: response.options.filter(({ number }) => number !== OptionNumber.Observe) }
}

function isObserved({ code, options }: CoapMessage): boolean {
    return code >> 5 === 2 && options.some(({ number }) => number === OptionNumber.Observe)
}

/** The response of a proxy whose server has not responded, RFC 7252 §5.7.1. */
function failed(error: unknown): CoapMessage {
    if (error instanceof CoapFormatError)
        return problem(Code.BadGateway, `the server's response is malformed: ${error.message}`)
    if (!(error instanceof NoResponseError)) throw error
    switch (error.why) {
        case "late":
            return problem(Code.GatewayTimeout, "the server does not respond")
        case "tooLarge":
            return problem(
                Code.BadGateway,
                `the response is longer than ${maxWholeBytes} bytes, or the request than the server takes`,
            )
        case "closed":
        case "busy":
            return problem(Code.BadGateway, error.message)
    }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout
    const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error("no answer in time")), ms)
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
