import type { Clock, Timer } from "../clock.ts"
import type { ByteStream } from "../stream.ts"
import { decode } from "./decode.ts"
import { encode } from "./encode.ts"
import { Frames } from "./frames.ts"
import type { Connack, Connect, Packet, Puback, Publish, Suback } from "./packet.ts"
import { MqttError, Reason } from "./reason.ts"

/** The time within which CONNACK must arrive. */
const greetingMs = 10_000
/** The interval of PINGREQs. If nothing arrives between two of them, the connection ends. */
const pingMs = 30_000
const keepAliveS = 60
/** How long the broker may take to close the connection after DISCONNECT. */
const lingerMs = 2_000
/** The maximum number of bytes queued for a broker that does not read. */
const maxBacklogBytes = 4 * 2 ** 20

/** Handles what the broker sends on one connection. */
export interface ClientOwner {
    /** The broker has accepted the login. */
    connected(connack: Connack): void
    received(packet: Publish | Puback | Suback): void
    /** The connection has ended. `isOtherVersion`: the broker does not speak this version. Called once. */
    closed(reason: string, isOtherVersion: boolean): void
}

/** One connection of a client to a broker, from CONNECT to its end. */
export class MqttConnection {
    private readonly stream: ByteStream
    private readonly clock: Clock
    private readonly hello: Omit<Connect, "kind" | "keepAlive">
    private readonly owner: ClientOwner
    private readonly frames: Frames
    private reason = "the broker closed the connection"
    private isOtherVersion = false
    private isConnected = false
    private isOver = false
    private hasHeard = false
    private lastId = 0
    private timer: Timer

    /** @param o.maxPacketBytes the largest packet that is accepted; a broker of MQTT 5 sends none that is larger */
    constructor(o: {
        stream: ByteStream
        clock: Clock
        hello: Omit<Connect, "kind" | "keepAlive">
        maxPacketBytes: number
        owner: ClientOwner
    }) {
        this.stream = o.stream
        this.clock = o.clock
        this.owner = o.owner
        this.hello = o.hello
        this.frames = new Frames(o.maxPacketBytes)
        const { version, properties } = o.hello
        this.timer = o.clock.setTimeout(() => this.fail("the broker is silent"), greetingMs)
        this.send({
            ...{ kind: "connect", keepAlive: keepAliveS, ...o.hello },
            ...(version === 5 && { properties: { maximumPacketSize: o.maxPacketBytes, ...properties } }),
        })
        o.stream.listen({ data: bytes => this.data(bytes), closed: () => this.closed() })
    }

    get backlog(): number {
        return this.stream.backlog
    }

    /** The next packet identifier, from 1 to 65,535 and then again from 1. */
    nextId(): number {
        this.lastId = (this.lastId % 0xffff) + 1
        return this.lastId
    }

    send(packet: Packet): void {
        if (this.isOver) return
        this.stream.write(encode(packet, this.hello.version))
        if (this.stream.backlog > maxBacklogBytes) this.fail("the broker does not read")
    }

    /** Sends DISCONNECT, and closes once the broker has what was sent. */
    end(): void {
        this.send({ kind: "disconnect", code: Reason.success })
        this.stream.end()
        this.clock.clearTimeout(this.timer)
        this.timer = this.clock.setTimeout(() => this.stream.destroy(), lingerMs)
    }

    /** Closes at once. */
    fail(reason: string): void {
        if (this.isOver) return
        this.isOver = true
        this.reason = reason
        this.stream.destroy()
    }

    private data(bytes: Uint8Array): void {
        if (this.isOver) return
        try {
            this.frames.push(bytes, (first, body) => {
                this.received(decode(first, body, this.hello.version))
                return !this.isOver
            })
        } catch (error) {
            if (!(error instanceof MqttError)) throw error
            this.fail(error.message)
        }
    }

    private received(packet: Packet): void {
        this.hasHeard = true
        switch (packet.kind) {
            case "connack":
                return this.greeted(packet)
            case "publish":
            case "puback":
            case "suback":
                if (this.isConnected) this.owner.received(packet)
                else this.fail("the broker has not accepted the login")
                return
            case "disconnect": {
                const { code, properties } = packet
                return this.fail(properties?.reasonString ?? `the broker disconnects: 0x${code.toString(16)}`)
            }
        }
    }

    private greeted(connack: Connack): void {
        const { code, properties } = connack
        if (code === Reason.success && !this.isConnected) {
            this.isConnected = true
            this.owner.connected(connack)
            return this.ping()
        }
        this.isOtherVersion = code === Reason.unsupportedVersion || code === 1
        this.fail(`the broker refuses the login: ${properties?.reasonString ?? `0x${code.toString(16)}`}`)
    }

    private ping(): void {
        this.clock.clearTimeout(this.timer)
        if (this.isOver) return
        this.hasHeard = false
        this.send({ kind: "pingreq" })
        this.timer = this.clock.setTimeout(
            () => (this.hasHeard ? this.ping() : this.fail("the broker is silent")),
            pingMs,
        )
    }

    private closed(): void {
        this.isOver = true
        this.clock.clearTimeout(this.timer)
        this.owner.closed(this.reason, this.isOtherVersion)
    }
}
