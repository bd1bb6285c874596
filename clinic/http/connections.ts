import type { IncomingMessage, ServerResponse } from "node:http"
import type { Server } from "node:https"
import type { Socket } from "node:net"
import type { Clock, Timer } from "../../host/clock.ts"
import { LogSummary } from "../../host/log-summary.ts"
import type { Log } from "../../host/log.ts"

export interface ConnectionLimits {
    /** Connections in all. */
    total: number
    /** Connections on which nobody has shown yet who they are. */
    strangers: number
    /** And of one address, unless it is a proxy's. */
    strangersPerAddress: number
    /** Of one account. */
    perAccount: number
    /** A stranger has so long for the handshake and a request, and again after each answer. */
    strangerMs: number
}

/** A browser opens six; a ward's screens behind one address start together. */
export const connectionLimits: ConnectionLimits = {
    total: 4096,
    strangers: 1024,
    strangersPerAddress: 256,
    perAccount: 512,
    strangerMs: 5000,
}

interface Connection {
    readonly key: string
    readonly socket: Socket
    readonly address: string
    /** The account that was shown on it. */
    account: number | undefined
    /** Requests that have no answer yet. */
    requests: number
    timer: Timer
}

/**
 * The clinic's open connections. Where there are too many, the newest stranger of the address that has the most of them goes
 * first; who is known stays, within the limit of one account.
 */
export class Connections {
    private readonly o: { clock: Clock; limits: ConnectionLimits; isProxy: (address: string) => boolean }
    /** In the order in which they came. */
    private readonly open = new Map<string, Connection>()
    private readonly cut: LogSummary

    constructor(o: { clock: Clock; log: Log; limits: ConnectionLimits; isProxy: (address: string) => boolean }) {
        this.o = o
        this.cut = new LogSummary("connections cut off", o)
    }

    watch(server: Server): void {
        server.on("connection", (socket: Socket) => this.add(socket))
        server.on("request", (request: IncomingMessage, response: ServerResponse) => {
            const connection = this.of(request.socket)
            if (!connection) return
            this.begin(connection)
            response.once("close", () => this.end(connection))
        })
    }

    /** Somebody has shown who they are. */
    know(socket: Socket, account: number): void {
        const connection = this.of(socket)
        if (!connection || connection.account === account) return
        connection.account = account
        this.o.clock.clearTimeout(connection.timer)
        const ofAccount = [...this.open.values()].filter(known => known.account === account)
        if (ofAccount.length > this.o.limits.perAccount) this.drop(connection, "too many of one account")
    }

    get count(): number {
        return this.open.size
    }

    private add(socket: Socket): void {
        const key = keyOf(socket)
        if (key === undefined) return // gone already
        const connection: Connection = {
            ...{ key, socket, address: socket.remoteAddress!, account: undefined, requests: 0, timer: undefined },
        }
        this.open.set(key, connection)
        socket.once("close", () => {
            this.o.clock.clearTimeout(connection.timer)
            if (this.open.get(key) === connection) this.open.delete(key)
        })
        this.wait(connection)
        this.makeRoom(connection)
    }

    private makeRoom({ address }: Connection): void {
        const { limits, isProxy } = this.o
        const strangers = [...this.open.values()].filter(({ account }) => account === undefined)
        const ofAddress = strangers.filter(stranger => stranger.address === address)
        if (ofAddress.length > limits.strangersPerAddress && !isProxy(address))
            this.drop(ofAddress.at(-1)!, "too many of one address")
        else if (strangers.length > limits.strangers || this.open.size > limits.total)
            this.drop(newestOfMost(strangers), "too many")
    }

    private begin(connection: Connection): void {
        connection.requests++
        this.o.clock.clearTimeout(connection.timer)
    }

    private end(connection: Connection): void {
        connection.requests--
        if (connection.requests === 0) this.wait(connection)
    }

    private wait(connection: Connection): void {
        if (connection.account !== undefined || connection.socket.destroyed) return
        const { clock, limits } = this.o
        connection.timer = clock.setTimeout(() => this.drop(connection, "no request"), limits.strangerMs)
    }

    private drop({ key, socket }: Connection, reason: string): void {
        this.cut.count(reason)
        this.open.delete(key)
        socket.destroy()
    }

    /** The TLS socket of a request has the addresses of the TCP socket below it. */
    private of(socket: Socket): Connection | undefined {
        const key = keyOf(socket)
        return key === undefined ? undefined : this.open.get(key)
    }
}

function keyOf({ remoteAddress, remotePort }: Socket): string | undefined {
    return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`
}

/** The newest connection of the address that has the most. */
function newestOfMost(connections: Connection[]): Connection {
    const counts = new Map<string, number>()
    for (const { address } of connections) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    return connections.findLast(({ address }) => counts.get(address) === most)!
}
