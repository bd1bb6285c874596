import { createHash, randomUUID, timingSafeEqual } from "node:crypto"
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from "aedes"
import type { Log } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import type { Attachment, AttachmentParts } from "../attachment.ts"
import type { Keyring } from "../keyring.ts"
import { moteTopic, MqttMotes } from "./motes.ts"
import { MqttStream } from "./stream.ts"

/** MQTT connections at a time. */
const maxConnections = 1024
/** A mote has to promise a sign of life that often. */
const maxKeepAliveS = 600
/** CONNACK return code, MQTT 3.1.1 §3.2.2.3. */
const badUserNameOrPassword = 4

/**
 * The router's MQTT side (wire.md, "MQTT"): a broker where a mote, known by its `eui` and the password derived from its
 * secret, publishes envelopes and its status, hears what is for it, and nothing else. A QoS 1 publish is acknowledged once
 * its envelope is durable. One that is refused is never acknowledged: MQTT 3.1.1 has no way to say no, so the connection
 * is closed (§3.3.5).
 */
export class MqttBroker implements Attachment {
    readonly protocol = "mqtt"
    private readonly keyring: Keyring
    private readonly motes: MqttMotes
    private readonly log: Log
    private readonly broker: Aedes
    private readonly euis = new WeakMap<Client, string>()
    private readonly clients = new Set<Client>()
    private readonly streams = new Set<MqttStream>()
    private readonly listening: Promise<void>

    constructor(o: AttachmentParts) {
        this.keyring = o.keyring
        this.log = o.log
        this.broker = new Aedes({
            keepaliveLimit: maxKeepAliveS,
            preConnect: (_client, connect, done) => {
                // No session outlives its connection, and nobody takes over another mote's by using its client id.
                connect.clean = true
                connect.clientId = `${connect.username}:${connect.clientId || randomUUID()}`
                done(null, true)
            },
            authenticate: (client, username, password, done) => {
                if (this.isMote(username, password)) {
                    this.euis.set(client, username!)
                    done(null, true)
                } else done(refusal("wrong user name or password"), false)
            },
            authorizePublish: (client, packet, done) => {
                this.published(this.euis.get(client!), packet).then(() => done(), done)
            },
            authorizeSubscribe: (client, subscription, done) => {
                const isOwn = subscription.topic.startsWith(`vm/${this.euis.get(client)}/`)
                done(null, isOwn ? subscription : null)
            },
        })
        this.motes = new MqttMotes({
            ...o,
            isNew: true,
            publish: ({ payload, topic, ...rest }) =>
                this.broker.publish(
                    { cmd: "publish", topic, payload: Buffer.from(payload), dup: false, ...rest },
                    error => {
                        if (error) o.log.warn({ topic, reason: error.message }, "not published")
                    },
                ),
        })
        this.broker.on("client", client => {
            this.clients.add(client)
            // Revoked since its password was found right.
            if (!this.keyring.find(this.euis.get(client) ?? "")) client.close()
        })
        this.broker.on("clientDisconnect", client => this.clients.delete(client))
        const debug = (client: Client, error: Error) =>
            this.log.debug({ mote: this.euis.get(client), reason: error.message }, "MQTT error")
        this.broker.on("clientError", debug)
        this.broker.on("connectionError", debug)
        this.listening = this.broker.listen()
    }

    get connections(): number {
        return this.streams.size
    }

    /** The `eui` of the motes that are on line. */
    get online(): string[] {
        return this.motes.online
    }

    has(eui: string): boolean {
        return this.motes.has(eui)
    }

    relayed(): undefined {
        return undefined
    }

    changed(eui: string): void {
        this.motes.changed(eui)
    }

    dismiss(eui: string): void {
        this.motes.changed(eui)
        for (const client of this.clients) if (this.euis.get(client) === eui) client.close()
    }

    /** Serves MQTT on a connection. */
    accept(stream: ByteStream): void {
        if (this.broker.closed || this.streams.size >= maxConnections) {
            stream.destroy()
            return
        }
        const duplex = new MqttStream(stream)
        this.streams.add(duplex)
        duplex.once("close", () => this.streams.delete(duplex))
        void this.listening.then(() => this.broker.handle(duplex))
    }

    async close(): Promise<void> {
        await this.listening
        await new Promise<void>(resolve => this.broker.close(resolve))
        for (const stream of this.streams) stream.destroy()
    }

    private isMote(username: string | undefined, password: Buffer | undefined): boolean {
        if (username === undefined || !password) return false
        return this.keyring.findAll(username).some(({ mqtt }) => {
            const expected = Buffer.from(mqtt).toString("hex")
            return timingSafeEqual(sha256(password), sha256(expected))
        })
    }

    /** Resolves where the mote may publish this and, for an envelope, once it is durable. */
    private async published(mote: string | undefined, packet: PublishPacket): Promise<void> {
        const topic = moteTopic(packet.topic)
        if (mote === undefined || topic?.eui !== mote) throw new Error("publishing there is not allowed")
        if (packet.qos === 2) throw new Error("QoS 2 is not served")
        const payload = Buffer.from(packet.payload)
        if (topic.purpose === "status") {
            if (!this.motes.status(mote, payload)) throw new Error("not a status")
            return
        }
        packet.retain = false
        const result = await this.motes.take(mote, topic.purpose, payload)
        if (result.status === "refused") throw new Error(`envelope refused: ${result.reason}`)
    }
}

function refusal(reason: string): AuthenticateError {
    return Object.assign(new Error(reason), { returnCode: badUserNameOrPassword })
}

function sha256(bytes: Uint8Array | string): Buffer {
    return createHash("sha256").update(bytes).digest()
}
