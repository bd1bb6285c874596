import type { Publish } from "../../host/mqtt/packet.ts"
import { MqttError, Reason } from "../../host/mqtt/reason.ts"

/** The maximum number of aliases in either direction. A mote publishes to three topics. */
const maxAliases = 8

/** The aliases that the peer uses on one connection (MQTT 5 §3.3.2.3.4). */
export class InboundAliases {
    readonly max = maxAliases
    private readonly topics = new Map<number, string>()

    /** Returns the topic of a message. Throws MqttError for an alias that is not known or too large. */
    resolve({ topic, properties }: Publish): string {
        const alias = properties?.topicAlias
        if (alias === undefined) return topic
        if (alias > maxAliases) throw new MqttError(Reason.topicAliasInvalid, "topic alias too large")
        if (topic !== "") this.topics.set(alias, topic)
        const known = this.topics.get(alias)
        if (known === undefined) throw new MqttError(Reason.protocolError, "unknown topic alias")
        return known
    }
}

/** The aliases that the server uses on one connection: the first topics get one each. */
export class OutboundAliases {
    private readonly max: number
    private readonly aliases = new Map<string, number>()

    /** @param peerMax the Topic Alias Maximum of the peer */
    constructor(peerMax: number) {
        this.max = Math.min(peerMax, maxAliases)
    }

    /** Returns topic and properties of a message to that topic. */
    name(topic: string): Pick<Publish, "topic" | "properties"> {
        const known = this.aliases.get(topic)
        if (known !== undefined) return { topic: "", properties: { topicAlias: known } }
        if (this.aliases.size >= this.max) return { topic }
        const topicAlias = this.aliases.size + 1
        this.aliases.set(topic, topicAlias)
        return { topic, properties: { topicAlias } }
    }

    /** A message did not reach the peer, so it may not know the alias. */
    forget(topic: string): void {
        if (this.aliases.get(topic) === this.aliases.size) this.aliases.delete(topic)
    }
}
