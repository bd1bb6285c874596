import mqttPacket, { type IPublishPacket, type Packet } from "mqtt-packet"
import type { ByteStream } from "../../host/stream.ts"
import { Code, message } from "../../router/coap/message.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { Post, ScriptedRouter, type ScriptedConnection } from "./scripted-router.ts"

const { generate, parser } = mqttPacket

/** An envelope received by MQTT. Accepting it publishes the receipt, then acknowledges. */
export class MqttPost extends Post {
    readonly packet: IPublishPacket
    private readonly broker: BrokerConnection

    constructor(connection: BrokerConnection, packet: IPublishPacket) {
        const payload = Buffer.from(packet.payload)
        const purpose = packet.topic.endsWith("/alarms") ? "alarm" : "vitals"
        const request = message(Code.POST, { payload })
        super(connection as unknown as ScriptedConnection, purpose, request)
        this.broker = connection
        this.packet = packet
    }

    acknowledge(): void {
        this.broker.send({ cmd: "puback", messageId: this.packet.messageId! })
    }

    publishReceipt(payload: Uint8Array = this.receipt()): void {
        this.broker.publish("receipt", payload)
    }

    override accept(): void {
        this.router.accepted(this)
        this.publishReceipt()
        this.acknowledge()
    }
}

/** The server's end of a mote's MQTT connection, with an independent codec. */
export class BrokerConnection {
    readonly router: ScriptedBroker
    readonly stream: ByteStream
    /** Everything that the mote sent, except envelopes. */
    readonly packets: Packet[] = []
    isClosed = false
    private readonly parser = parser({ protocolVersion: 4 })

    constructor(router: ScriptedBroker, stream: ByteStream) {
        this.router = router
        this.stream = stream
        this.parser.on("packet", packet => this.received(packet))
        this.parser.on("error", error => {
            throw error // the mote's fault
        })
        stream.listen({
            data: bytes => void (this.isClosed || this.parser.parse(Buffer.from(bytes))),
            closed: () => (this.isClosed = true),
        })
    }

    /** The packets of this type. */
    of<Kind extends Packet["cmd"]>(cmd: Kind): Extract<Packet, { cmd: Kind }>[] {
        return this.packets.filter(p => p.cmd === cmd) as Extract<Packet, { cmd: Kind }>[]
    }

    send(packet: Packet): void {
        this.stream.write(generate(packet))
    }

    /** Publishes to this mote, under `vm/<eui>/NAME`. */
    publish(name: string, payload: Uint8Array, o: Partial<IPublishPacket> = {}): void {
        const topic = `vm/${this.router.settings.kid}/${name}`
        const rest = { topic, payload: Buffer.from(payload), qos: 0, dup: false, retain: false }
        this.send({ cmd: "publish", ...rest, ...o } as IPublishPacket)
    }

    private received(packet: Packet): void {
        const isEnvelope = packet.cmd === "publish" && /\/(vitals|alarms)$/.test(packet.topic)
        if (isEnvelope) this.router.posted(new MqttPost(this, packet))
        else {
            this.packets.push(packet)
            this.router.onPacket(packet, this)
        }
    }
}

/** A broker with the router behind it, in virtual time, controlled by a test. */
export class ScriptedBroker extends ScriptedRouter {
    readonly brokerConnections: BrokerConnection[] = []
    onPacket: (packet: Packet, connection: BrokerConnection) => void = serve

    override get settings() {
        return { ...super.settings, router: "mqtt://router.invalid" }
    }

    override readonly connect = (): Promise<ByteStream> => {
        if (!this.isReachable) return Promise.reject(new Error("unreachable"))
        const [near, far] = pipe(this.clock, this.delayMs)
        this.brokerConnections.push(new BrokerConnection(this, far))
        return Promise.resolve(near)
    }
}

/** Possible reactions of a broker. */
export function serve(packet: Packet, connection: BrokerConnection): void {
    switch (packet.cmd) {
        case "connect":
            return connection.send({ cmd: "connack", returnCode: 0, sessionPresent: false })
        case "subscribe":
            return connection.send({
                ...{ cmd: "suback", messageId: packet.messageId! },
                granted: packet.subscriptions.map(({ qos }) => qos),
            })
        case "publish":
            if (packet.qos === 1) connection.send({ cmd: "puback", messageId: packet.messageId! })
            return
        case "pingreq":
            return connection.send({ cmd: "pingresp" })
    }
}
