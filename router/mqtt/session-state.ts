import type { Subscription } from "../../host/mqtt/packet.ts"
import type { MqttMessage } from "./motes.ts"

/** What a session may keep for its peer. */
export interface SessionLimits {
    /** Messages without a PUBACK. The peer may ask for fewer by its Receive Maximum. */
    inFlight: number
    /** Messages that wait behind those, and their bytes. */
    queued: number
    queuedBytes: number
    /** What happens if there is no room: the session ends, or readings that wait are dropped, the oldest first. */
    overflow: "end" | "dropReadings"
    subscriptions: number
}

/** A mote holds four messages at once. */
export const moteLimits: SessionLimits = {
    ...{ inFlight: 4, queued: 8, queuedBytes: 8 * 8192 },
    ...{ overflow: "end", subscriptions: 8 },
}

/** A message with QoS 1 on its way to the peer. */
interface Outgoing {
    message: MqttMessage
    /** The RETAIN flag, which for a subscriber usually differs from the message's. */
    retain: boolean
}

/**
 * The state of a session (MQTT 5 §4.1): the subscriptions, and the messages with QoS 1 that have no PUBACK yet. It may
 * outlive its connection.
 */
export class SessionState {
    readonly subscriptions = new Map<string, Subscription>()
    readonly limits: SessionLimits
    private readonly inFlight = new Map<number, Outgoing>()
    private queued: Outgoing[] = []
    private queuedBytes = 0
    private maxInFlight = 0
    private lastId = 0

    constructor(limits: SessionLimits) {
        this.limits = limits
    }

    /** Returns the subscription that matches the topic, that with the highest QoS if there are several. */
    match(topic: string): Subscription | undefined {
        let best: Subscription | undefined
        for (const subscription of this.subscriptions.values())
            if (isMatch(subscription.filter, topic) && (!best || subscription.qos > best.qos)) best = subscription
        return best
    }

    /**
     * Starts a connection with the peer's Receive Maximum. Returns what it must get again (§4.4) with the packet
     * identifiers of before, the oldest first.
     */
    resume(receiveMaximum: number): [id: number, Outgoing][] {
        this.maxInFlight = Math.min(this.limits.inFlight, receiveMaximum)
        const again = [...this.inFlight]
        const kept = again.splice(this.maxInFlight)
        for (const [id] of kept) this.inFlight.delete(id)
        for (const [, outgoing] of kept.reverse()) this.enqueue(outgoing, "first")
        return again
    }

    /** No connection is there: what comes waits. */
    suspend(): void {
        this.maxInFlight = 0
    }

    /** Adds a message. Returns its packet identifier, or undefined if it waits, or "full". */
    add(message: MqttMessage, retain: boolean): number | "full" | undefined {
        const outgoing = { message, retain }
        if (this.inFlight.size < this.maxInFlight && this.queued.length === 0) return this.start(outgoing)
        // A newer retained message replaces an older one that still waits.
        if (message.retain) this.remove(waiting => waiting.message.topic === message.topic, Infinity)
        const { queued, queuedBytes, overflow } = this.limits
        const isFull = () => this.queued.length >= queued || this.queuedBytes + message.payload.length > queuedBytes
        while (isFull()) {
            if (overflow === "end") return "full"
            if (this.remove(waiting => !isAlarm(waiting), 1)) continue
            if (!isAlarm(outgoing)) return undefined
            return "full"
        }
        this.enqueue(outgoing, "last")
        return undefined
    }

    /** Handles a PUBACK. Returns false if no message waited for it. */
    acknowledge(id: number): boolean {
        return this.inFlight.delete(id)
    }

    /** Returns the next message that waited, if there is room for it. */
    next(): [id: number, Outgoing] | undefined {
        if (this.inFlight.size >= this.maxInFlight) return undefined
        const [outgoing] = this.queued
        if (!outgoing) return undefined
        this.remove(waiting => waiting === outgoing, 1)
        return [this.start(outgoing), outgoing]
    }

    private start(outgoing: Outgoing): number {
        do this.lastId = (this.lastId % 0xffff) + 1
        while (this.inFlight.has(this.lastId))
        this.inFlight.set(this.lastId, outgoing)
        return this.lastId
    }

    private enqueue(outgoing: Outgoing, where: "first" | "last"): void {
        this.queuedBytes += outgoing.message.payload.length
        if (where === "last") this.queued.push(outgoing)
        else this.queued.unshift(outgoing)
    }

    /** Removes the first `count` waiting messages for which `isOne` holds. Returns how many there were. */
    private remove(isOne: (waiting: Outgoing) => boolean, count: number): number {
        let removed = 0
        this.queued = this.queued.filter(waiting => {
            if (removed === count || !isOne(waiting)) return true
            removed++
            this.queuedBytes -= waiting.message.payload.length
            return false
        })
        return removed
    }
}

function isAlarm({ message }: Outgoing): boolean {
    return message.topic.endsWith("/alarms")
}

/** Tells whether a filter matches a topic (§4.7.1). No topic here begins with `$`. */
export function isMatch(filter: string, topic: string): boolean {
    if (filter === "#") return true
    if (filter.endsWith("/#")) {
        const before = filter.slice(0, -2).split("/")
        return isMatch(before.join("/"), topic.split("/").slice(0, before.length).join("/"))
    }
    if (!filter.includes("+")) return filter === topic
    const [levels, wanted] = [topic.split("/"), filter.split("/")]
    return levels.length === wanted.length && wanted.every((level, i) => level === "+" || level === levels[i])
}
