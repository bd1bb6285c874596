import { millis, sleep } from "@devicescript/core"
import { Endpoint } from "../link/endpoint"
import { Identity } from "../link/identity"
import { TcpSocket } from "../link/socket"
import { Answer, Purpose, Take, Transport } from "../link/transport"
import { Signal } from "../signal"
import {
    encodeConnect,
    encodePingreq,
    encodePuback,
    encodePublish,
    encodeSubscribe,
    Packet,
    PacketReader,
    PacketType,
    PublishFlag,
} from "./packet"

const connectMs = 10000
/** For CONNACK, and then for SUBACK and the first PUBACK. */
const sessionMs = 10000
/** The server takes us for gone after one and a half of it without a packet of ours (§3.1.2.10): `ping` comes earlier. */
const keepAliveS = 120
/** Messages that wait to be handled; with one more the connection is given up. */
const maxInbox = 4

/** What is awaited, as bits. */
const connackBit = 1
const subackBit = 2
const pubackBit = 4
const receiptBit = 8
const pingrespBit = 16
/** RFC 7252: 2.04, what a CoAP router says with a receipt. */
const changed = 0x44

/** What a handler says where it has to be asked again. */
const busy = "busy"
const busyRetryMs = 100

/**
 * MQTT 3.1.1 over the mote's one socket: envelopes go out with QoS 1, one at a time; receipts, configurations and commands
 * come in. Sessions are clean: what an envelope's way needs is kept by those who keep the envelope. One fiber opens and
 * posts, one handles what the clinic says; MQTT has no way to answer: what is wrong with that goes up in an envelope.
 */
export class MqttConnection implements Transport {
    private identity: Identity
    private take: Take
    private socket: TcpSocket
    private reader: PacketReader
    /** The socket opened or closed, or something came that was awaited. */
    private changed = new Signal()
    private awaited = 0
    private isReady = false
    private accept: (receipt: Buffer) => boolean
    private lastId = 0
    /** Of the PUBLISH or SUBSCRIBE whose acknowledgement is awaited. */
    private awaitedId = 0
    /** By purpose: the envelope that has no PUBACK yet, and its packet identifier. */
    private unacknowledged: Buffer[] = [undefined, undefined]
    private ids = [0, 0]
    /** Of the connection that is there: messages to be handled, oldest first; the first is under way. */
    private inbox: Packet[] = []

    constructor(identity: Identity, take: Take) {
        this.identity = identity
        this.take = take
        const connection = this
        this.reader = new PacketReader(packet => connection.received(packet))
        this.socket = new TcpSocket(this.changed, bytes => {
            if (connection.reader.push(bytes)) connection.close()
        })
    }

    isOpen(): boolean {
        return this.isReady && this.socket.isOpen()
    }

    /** Connects, subscribes, says that the mote is on line; says whether all of that worked. */
    async open({ host, port, tls }: Endpoint): Promise<boolean> {
        this.close()
        this.isReady = false
        this.reader.reset()
        this.inbox = []
        if (!(await this.socket.open(host, port, connectMs, tls))) return false
        this.awaited = connackBit
        const { eui, keys } = this.identity
        const status = this.topic("status")
        const password = keys.derive("mqtt").toString("hex")
        await this.socket.write(encodeConnect(eui, keepAliveS, status, eui, password))
        if (await this.wait(millis() + sessionMs)) await this.begin(status)
        if (!this.isReady) this.close()
        return this.isReady
    }

    /** Done with a receipt that `accept` takes and a PUBACK; the receipt alone counts, whatever becomes of the PUBACK. */
    async post(
        purpose: Purpose,
        envelope: Buffer,
        timeoutMs: number,
        accept: (receipt: Buffer) => boolean,
    ): Promise<Answer> {
        const deadline = millis() + timeoutMs
        const isAgain = this.unacknowledged[purpose] === envelope
        if (!isAgain) this.ids[purpose] = this.nextId()
        this.unacknowledged[purpose] = envelope
        this.awaitedId = this.ids[purpose]
        this.awaited = receiptBit | pubackBit
        this.accept = accept
        const topic = this.topic(purpose === Purpose.alarm ? "alarms" : "vitals")
        const flags = isAgain ? PublishFlag.dup : 0
        await this.socket.write(encodePublish(topic, this.awaitedId, envelope, flags))
        await this.wait(deadline)
        this.accept = undefined
        const isReceipted = (this.awaited & receiptBit) === 0
        const isAcknowledged = (this.awaited & pubackBit) === 0
        if (isReceipted || isAcknowledged) this.unacknowledged[purpose] = undefined
        if (!isAcknowledged) this.close()
        return { code: isReceipted ? changed : 0 }
    }

    async ping(timeoutMs: number): Promise<boolean> {
        this.awaited = pingrespBit
        await this.socket.write(encodePingreq())
        return await this.wait(millis() + timeoutMs)
    }

    /** Nothing is owed; the broker says `offline`: the last will. */
    async release(): Promise<void> {
        this.close()
    }

    close(): void {
        this.socket.close()
    }

    private topic(name: string): string {
        return `vm/${this.identity.eui}/${name}`
    }

    private nextId(): number {
        this.lastId = (this.lastId % 0xffff) + 1
        return this.lastId
    }

    private async begin(status: string): Promise<void> {
        this.awaited = subackBit
        this.awaitedId = this.nextId()
        const others = [this.topic("config"), this.topic("command/+")]
        await this.socket.write(encodeSubscribe(this.awaitedId, this.topic("receipt"), others))
        if (!(await this.wait(millis() + sessionMs))) return
        this.awaited = pubackBit
        this.awaitedId = this.nextId()
        const online = Buffer.from("online")
        await this.socket.write(encodePublish(status, this.awaitedId, online, PublishFlag.retain))
        this.isReady = await this.wait(millis() + sessionMs)
    }

    /** Whether all that is awaited came before the deadline. */
    private async wait(deadline: number): Promise<boolean> {
        while (this.awaited !== 0 && this.socket.isOpen() && millis() < deadline)
            await this.changed.wait(deadline - millis())
        return this.awaited === 0
    }

    /** Takes packets as they arrive; must not wait. */
    private received(packet: Packet): void {
        if (!this.socket.isOpen()) return
        const { type } = packet
        const isFirst = this.awaited === connackBit
        if (isFirst !== (type === PacketType.connack)) this.close()
        else if (type === PacketType.publish) this.published(packet)
        else if (type === PacketType.puback) this.came(pubackBit, packet.id)
        else if (type === PacketType.pingresp) this.came(pingrespBit, this.awaitedId)
        else if (isFirst) {
            if (packet.payload[0] === 0) this.came(connackBit, this.awaitedId)
            else {
                console.log(`the broker refuses: ${packet.payload[0]}`)
                this.close()
            }
        } else if (packet.payload[0] === 0) this.came(subackBit, packet.id)
        else this.close()
    }

    /** What comes late, or was not asked for, is passed over. */
    private came(bit: number, id: number): void {
        if (id !== this.awaitedId) return
        this.awaited = this.awaited & ~bit
        this.changed.raise()
    }

    private published(packet: Packet): void {
        if (packet.topic === this.topic("receipt")) {
            if (this.accept && this.awaited & receiptBit && this.accept(packet.payload))
                this.came(receiptBit, this.awaitedId)
            return
        }
        const { inbox } = this
        if (this.downwardName(packet.topic) === undefined || inbox.length === maxInbox) this.close()
        else if (inbox.push(packet) === 1) {
            const connection = this
            const handle = async () => await connection.handle(inbox)
            handle.start()
        }
    }

    /** `config`, or the name of the command; undefined where it is another topic. */
    private downwardName(topic: string): string | undefined {
        const commands = this.topic("command/")
        if (topic.slice(0, commands.length) === commands) return topic.slice(commands.length)
        return topic === this.topic("config") ? "config" : undefined
    }

    /** Handles messages one after the other. What a connection that is gone brought is handled, but not acknowledged. */
    private async handle(inbox: Packet[]): Promise<void> {
        while (inbox.length > 0) {
            const { topic, payload, id } = inbox[0]
            try {
                // With an empty message a retained one is taken back (§3.3.1.3).
                const name = this.downwardName(topic)
                while (payload.length > 0 && (await this.take(name, payload)) === busy)
                    await sleep(busyRetryMs)
            } catch (e) {
                console.log("downlink: " + (e as Error).message)
            }
            if (id > 0 && inbox === this.inbox) this.socket.writeNow(encodePuback(id))
            inbox.shift()
        }
    }
}
