import type { ByteStream } from "../../host/stream.ts"
import type { Ipv6Address, Ipv6Packet } from "./ipv6.ts"
import { Connection } from "./tcp-connection.ts"
import { emit, type Ends, type TcpOptions } from "./tcp-output.ts"
import { decodeSegment, Flag, type Segment } from "./tcp-segment.ts"

/*
 * TCP (RFC 9293) for paths of several lossy hops: small segments, retransmission (RFC 6298), congestion control (RFC
 * 5681), delayed acknowledgements. The only option is the maximum segment size; there is no urgent data.
 */

/** Maximum number of connections; further ones are ignored. */
const maxConnections = 512
const firstEphemeral = 49_152
const lastEphemeral = 65_535

/** The TCP of one host. */
export class Tcp {
    readonly options: TcpOptions
    private readonly listeners = new Map<number, (stream: ByteStream) => void>()
    private readonly connections = new Map<string, Connection>()
    private nextPort: number

    constructor(options: TcpOptions) {
        this.options = options
        this.nextPort = firstEphemeral + Math.floor(options.random() * 16_000)
    }

    /** Accepts connections to a port. */
    listen(port: number, accept: (stream: ByteStream) => void): void {
        this.listeners.set(port, accept)
    }

    /** Opens a connection. Rejects if there is no response, or on a reset. */
    connect(source: Ipv6Address, destination: Ipv6Address, port: number): Promise<ByteStream> {
        return new Promise((resolve, reject) => {
            const ends = { source, destination, sourcePort: 0, destinationPort: port }
            if (this.connections.size >= maxConnections) return reject(new Error("too many connections"))
            do ends.sourcePort = this.takePort()
            while (this.connections.has(keyOf(ends)))
            const connection = this.open(ends, stream =>
                stream ? resolve(stream) : reject(new Error("no connection")),
            )
            connection.synchronise()
        })
    }

    /** Handles a packet with a TCP segment. @throws PacketError */
    receive(packet: Ipv6Packet): void {
        const { source, destination, payload } = packet
        const segment = decodeSegment(payload, source, destination)
        const ends = {
            source: destination,
            destination: source,
            sourcePort: segment.destinationPort,
            destinationPort: segment.sourcePort,
        }
        const connection = this.connections.get(keyOf(ends))
        if (connection) return connection.receive(segment)
        const accept = this.listeners.get(segment.destinationPort)
        const isFirst = (segment.flags & (Flag.syn | Flag.ack | Flag.rst)) === Flag.syn
        if (accept && isFirst) {
            if (this.connections.size < maxConnections)
                this.open(ends, stream => stream && accept(stream)).receive(segment)
        } else if (!(segment.flags & Flag.rst)) this.refuse(ends, segment)
    }

    /** Stops for good: power off. Nothing more is sent, not even resets. */
    stop(): void {
        for (const connection of this.connections.values()) connection.forget()
        this.connections.clear()
        this.listeners.clear()
    }

    private takePort(): number {
        const port = this.nextPort
        this.nextPort = port >= lastEphemeral ? firstEphemeral : port + 1
        return port
    }

    private open(ends: Ends, opened: (stream: ByteStream | undefined) => void): Connection {
        const key = keyOf(ends)
        const connection = new Connection(this.options, ends, opened, () => this.connections.delete(key))
        this.connections.set(key, connection)
        return connection
    }

    /** RFC 9293 §3.10.7.1: a segment without a connection is answered with a reset. */
    private refuse(ends: Ends, { flags, sequence, acknowledgement, data }: Segment): void {
        const hasAck = (flags & Flag.ack) !== 0
        const length = data.length + (flags & Flag.syn ? 1 : 0) + (flags & Flag.fin ? 1 : 0)
        emit(this.options, ends, {
            sequence: hasAck ? acknowledgement : 0,
            acknowledgement: hasAck ? 0 : (sequence + length) >>> 0,
            flags: hasAck ? Flag.rst : Flag.rst | Flag.ack,
            window: 0,
            data: new Uint8Array(0),
        })
    }
}

function keyOf({ destination, sourcePort, destinationPort }: Ends): string {
    return `${Buffer.from(destination).toString("latin1")} ${destinationPort} ${sourcePort}`
}
