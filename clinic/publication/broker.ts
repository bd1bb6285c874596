import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { MqttBrokerAccess } from "../../host/mqtt/access.ts"
import { MqttConnection, type ClientOwner } from "../../host/mqtt/client.ts"
import type { Connack, Puback, Publish, Suback, Version } from "../../host/mqtt/packet.ts"
import { Reconnection } from "../../host/mqtt/reconnection.ts"
import type { ByteStream } from "../../host/stream.ts"
import type { PublishedMessage } from "./messages.ts"

/** Messages without a PUBACK, unless the broker takes fewer. */
const maxInFlight = 32
/** A broker has nothing large to say. */
const maxPacketBytes = 64 * 1024
/** The time within which a message must be acknowledged. */
const pubackMs = 30_000

interface Waiting {
    resolve(): void
    reject(error: Error): void
}

export interface BrokerOptions {
    clock: Clock
    random: (bytes: number) => Uint8Array
    log: Log
    access: MqttBrokerAccess
    /** Says `online` there as long as the connection lasts, and `offline` after that; retained. */
    statusTopic: string
    /** Messages can be published, from the beginning of a new connection. */
    connected(): void
    /** They cannot any more. */
    lost(reason: string): void
}

/** The connection to the hospital's broker. */
export class Broker {
    private readonly o: BrokerOptions
    private readonly clientId: string
    private readonly reconnection: Reconnection
    private session: Session | undefined

    constructor(o: BrokerOptions) {
        this.o = o
        this.clientId = `vitalmote-clinic-${Buffer.from(o.random(6)).toString("hex")}`
        this.reconnection = new Reconnection({
            ...o,
            opened: (stream, version) => (this.session = new Session(o, this.clientId, stream, version, this)),
        })
    }

    /**
     * Publishes messages with QoS 1, in their order. Resolves when the broker has acknowledged all of them. Rejects if
     * there is no connection, it ends before that, or the broker refuses one.
     */
    async publish(messages: readonly PublishedMessage[]): Promise<void> {
        const { session } = this
        if (!session?.isConnected) throw new Error("no connection")
        await session.publish(messages)
    }

    close(): void {
        this.reconnection.close()
        this.session?.end()
    }

    ready(): void {
        this.reconnection.ready()
        this.o.log.info({ broker: this.o.access.url }, "publishing to the broker")
        this.o.connected()
    }

    closed(reason: string, isOtherVersion: boolean): void {
        this.session = undefined
        this.o.lost(reason)
        this.reconnection.lost(reason, isOtherVersion)
    }
}

class Session implements ClientOwner {
    isConnected = false
    private readonly o: BrokerOptions
    private readonly broker: Broker
    private readonly version: Version
    private readonly connection: MqttConnection
    private readonly inFlight = new Map<number, Waiting>()
    private max = maxInFlight

    constructor(o: BrokerOptions, clientId: string, stream: ByteStream, version: Version, broker: Broker) {
        this.o = o
        this.broker = broker
        this.version = version
        const { user, password } = o.access
        this.connection = new MqttConnection({
            ...{ clock: o.clock, stream, maxPacketBytes, owner: this },
            hello: {
                ...{ version, clientId, clean: true },
                will: { topic: o.statusTopic, payload: Buffer.from("offline"), qos: 1, retain: true },
                ...(user !== undefined && { user }),
                ...(password !== undefined && { password: Buffer.from(password) }),
            },
        })
    }

    connected({ properties }: Connack): void {
        this.max = Math.min(maxInFlight, properties?.receiveMaximum ?? maxInFlight)
        this.isConnected = true
        this.broker.ready()
    }

    async publish(messages: readonly PublishedMessage[]): Promise<void> {
        const pending = new Set<Promise<void>>()
        for (const message of messages) {
            while (this.inFlight.size >= this.max) await Promise.race(pending)
            const sent = this.send(message).finally(() => pending.delete(sent))
            // Whoever waits hears of a failure; that of another message at the same time is the same one.
            sent.catch(() => {})
            pending.add(sent)
        }
        await Promise.all(pending)
    }

    received(packet: Publish | Puback | Suback): void {
        if (packet.kind !== "puback") return
        const { id, code, properties } = packet
        const waiting = this.inFlight.get(id)
        this.inFlight.delete(id)
        if (code < 0x80) waiting?.resolve()
        else waiting?.reject(new Error(`the broker refuses: ${properties?.reasonString ?? `0x${code.toString(16)}`}`))
    }

    end(): void {
        if (!this.isConnected) return this.connection.fail("the clinic stops")
        const status = { topic: this.o.statusTopic, payload: Buffer.from("offline"), qos: 0, retain: true } as const
        this.connection.send({ kind: "publish", ...status, dup: false, id: 0 })
        this.connection.end()
    }

    closed(reason: string, isOtherVersion: boolean): void {
        this.isConnected = false
        for (const { reject } of this.inFlight.values()) reject(new Error(reason))
        this.inFlight.clear()
        this.broker.closed(reason, isOtherVersion)
    }

    private async send({ topic, payload, retain, id: messageId }: PublishedMessage): Promise<void> {
        if (!this.isConnected) throw new Error("no connection")
        const id = this.connection.nextId()
        const properties =
            this.version === 5 && messageId !== undefined
                ? {
                      payloadFormat: 1,
                      contentType: "application/json",
                      userProperties: [["id", messageId]] as [string, string][],
                  }
                : undefined
        const acknowledged = new Promise<void>((resolve, reject) => this.inFlight.set(id, { resolve, reject }))
        this.connection.send({
            ...{ kind: "publish", topic, payload: Buffer.from(payload), qos: 1, retain, dup: false, id },
            ...(properties && { properties }),
        })
        const timer = this.o.clock.setTimeout(() => this.connection.fail("the broker acknowledges nothing"), pubackMs)
        try {
            await acknowledged
        } finally {
            this.o.clock.clearTimeout(timer)
        }
    }
}
