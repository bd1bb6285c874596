import { millis } from "@devicescript/core"
import { Endpoint } from "../link/endpoint"
import { Identity } from "../link/identity"
import { closeSocket, isSocketOpen, openSocket, useSocket, writeSocket, writeSocketNow } from "../link/socket"
import { codeOf, RefusalCode } from "../link/refusal"
import { Answer, Purpose, Take } from "../link/transport"
import { Signal } from "../platform/signal"
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
import { sleep } from "../platform/sleep"

/*
 * MQTT 3.1.1 over the mote's only socket. Envelopes are published with QoS 1, one at a time; receipts, configurations
 * and commands are received. Sessions are clean, because envelopes are stored until their receipt anyway. One fiber
 * opens the connection and publishes, another handles messages from the clinic. MQTT has no responses: refusals are
 * reported in an envelope.
 *
 * Started by `uplink/transports.ts`; opened, used and closed by the uplink. Received packets write the rest of the
 * state.
 */

const connectMs = 10000
/** For CONNACK, and then for SUBACK and the first PUBACK. */
const sessionMs = 10000
/** The server disconnects us after one and a half times this without a packet (§3.1.2.10); `ping` comes earlier. */
const keepAliveS = 120
/** Maximum number of messages that wait to be handled; one more closes the connection. */
const maxInbox = 4

/** Awaited packets, as bits. */
const connackBit = 1
const subackBit = 2
const pubackBit = 4
const receiptBit = 8
const pingrespBit = 16
/** CoAP code 2.04 (RFC 7252), with which a CoAP router sends a receipt. */
const changedCode = 0x44

/** Delay before a busy handler is called again. */
const busyRetryMs = 100

let identity: Identity
let take: Take
let reader: PacketReader
/** Raised when the socket opens or closes, and on an awaited packet. */
const changed = new Signal()
let awaited = 0
let isReady = false
let accept: (receipt: Buffer) => boolean
let lastId = 0
/** Packet identifier of the PUBLISH or SUBSCRIBE whose acknowledgement is awaited. */
let awaitedId = 0
/** By purpose: the envelope without a PUBACK, and its packet identifier. */
const unacknowledged: Buffer[] = [undefined, undefined]
const ids = [0, 0]
/** Messages of the current connection to be handled, oldest first; the first is in progress. */
let inbox: Packet[] = []

/**
 * Takes over the socket.
 * @param handler executes what the clinic sends; it is called again while it is busy
 */
export function startMqtt(mote: Identity, handler: Take): void {
    identity = mote
    take = handler
    reader = new PacketReader(received)
    useSocket(changed, bytes => {
        if (reader.push(bytes)) closeMqtt()
    })
}

export function isMqttOpen(): boolean {
    return isReady && isSocketOpen()
}

/** Connects, subscribes and announces that the mote is online. @returns whether all of that succeeded */
export async function openMqtt({ host, port, tls }: Endpoint): Promise<boolean> {
    closeMqtt()
    isReady = false
    reader.reset()
    inbox = []
    if (!(await openSocket(host, port, connectMs, tls))) return false
    awaited = connackBit
    const { eui, keys } = identity
    const status = topicOf("status")
    const password = keys.derive("vitalmote mqtt").toString("hex")
    await writeSocket(encodeConnect(eui, keepAliveS, status, eui, password))
    if (await wait(millis() + sessionMs)) await begin(status)
    if (!isReady) closeMqtt()
    return isReady
}

/** Complete with a receipt that `isReceipt` takes and a PUBACK. After a receipt a missing PUBACK does not matter. */
export async function postMqtt(
    purpose: Purpose,
    envelope: Buffer,
    timeoutMs: number,
    isReceipt: (bytes: Buffer) => boolean,
): Promise<Answer> {
    const deadline = millis() + timeoutMs
    const isAgain = unacknowledged[purpose] === envelope
    if (!isAgain) ids[purpose] = nextId()
    unacknowledged[purpose] = envelope
    awaitedId = ids[purpose]
    accept = isReceipt
    awaited = receiptBit | pubackBit
    const topic = topicOf(purpose === Purpose.alarm ? "alarms" : "vitals")
    const flags = isAgain ? PublishFlag.dup : 0
    await writeSocket(encodePublish(topic, awaitedId, envelope, flags))
    await wait(deadline)
    accept = undefined
    const isReceipted = (awaited & receiptBit) === 0
    const isAcknowledged = (awaited & pubackBit) === 0
    if (isReceipted || isAcknowledged) unacknowledged[purpose] = undefined
    if (!isAcknowledged) closeMqtt()
    return { code: isReceipted ? changedCode : 0 }
}

export async function pingMqtt(timeoutMs: number): Promise<boolean> {
    awaited = pingrespBit
    await writeSocket(encodePingreq())
    return await wait(millis() + timeoutMs)
}

/** Closes the connection. The broker then publishes the last will, `offline`. */
export async function releaseMqtt(): Promise<void> {
    closeMqtt()
}

export function closeMqtt(): void {
    closeSocket()
}

function topicOf(name: string): string {
    return `vm/${identity.eui}/${name}`
}

function nextId(): number {
    lastId = (lastId % 0xffff) + 1
    return lastId
}

async function begin(status: string): Promise<void> {
    awaited = subackBit
    awaitedId = nextId()
    const others = [topicOf("config"), topicOf("command/+")]
    await writeSocket(encodeSubscribe(awaitedId, topicOf("receipt"), others))
    if (!(await wait(millis() + sessionMs))) return
    awaited = pubackBit
    awaitedId = nextId()
    const online = Buffer.from("online")
    await writeSocket(encodePublish(status, awaitedId, online, PublishFlag.retain))
    isReady = await wait(millis() + sessionMs)
}

/** Whether everything awaited arrived before the deadline. */
async function wait(deadline: number): Promise<boolean> {
    while (awaited !== 0 && isSocketOpen() && millis() < deadline) await changed.wait(deadline - millis())
    return awaited === 0
}

/** Handles received packets; must not wait. */
function received(packet: Packet): void {
    if (!isSocketOpen()) return
    const { type } = packet
    const isFirst = awaited === connackBit
    if (isFirst !== (type === PacketType.connack)) closeMqtt()
    else if (type === PacketType.publish) published(packet)
    else if (type === PacketType.puback) settle(pubackBit, packet.id)
    else if (type === PacketType.pingresp) settle(pingrespBit, awaitedId)
    else if (isFirst) {
        if (packet.payload[0] === 0) settle(connackBit, awaitedId)
        else {
            console.log(`the broker refuses: ${packet.payload[0]}`)
            closeMqtt()
        }
    } else if (packet.payload[0] === 0) settle(subackBit, packet.id)
    else closeMqtt()
}

/** Ignores late and unexpected acknowledgements. */
function settle(bit: number, id: number): void {
    if (id !== awaitedId) return
    awaited = awaited & ~bit
    changed.raise()
}

function published(packet: Packet): void {
    if (packet.topic === topicOf("receipt")) {
        if (accept && awaited & receiptBit && accept(packet.payload)) settle(receiptBit, awaitedId)
        return
    }
    if (downwardName(packet.topic) === undefined || inbox.length === maxInbox) closeMqtt()
    else if (inbox.push(packet) === 1) {
        const run = async () => await handle(inbox)
        run.start()
    }
}

/** `config`, or the name of the command. Undefined for any other topic. */
function downwardName(topic: string): string | undefined {
    const commands = topicOf("command/")
    if (topic.slice(0, commands.length) === commands) return topic.slice(commands.length)
    return topic === topicOf("config") ? "config" : undefined
}

function isBusy(refusal: Buffer | undefined): boolean {
    return refusal !== undefined && codeOf(refusal) === RefusalCode.busy
}

/** Handles messages in order. Those of a closed connection are handled, but not acknowledged. */
async function handle(messages: Packet[]): Promise<void> {
    while (messages.length > 0) {
        const { topic, payload, id } = messages[0]
        try {
            // An empty message deletes a retained one (§3.3.1.3).
            const name = downwardName(topic)
            while (payload.length > 0 && isBusy(await take(name, payload))) await sleep(busyRetryMs)
        } catch (e) {
            console.log("downlink: " + (e as Error).message)
        }
        if (id > 0 && messages === inbox) writeSocketNow(encodePuback(id))
        messages.shift()
    }
}
