import mqttPacket from "mqtt-packet"
import { encodeFrame, FrameReader } from "../../router/coap/frame.ts"
import { Code, codeClass, dotted, message } from "../../router/coap/message.ts"
import { encodeOptionsAndPayload, OptionNumber, pathOptions, uintOption } from "../../router/coap/options.ts"
import { sealEnvelope } from "../../wire/envelope.ts"
import { eui } from "../../wire/keys.ts"
import { benchKeysOf } from "./motes.ts"

/** For envelopes of about 130 bytes. */
const plaintextBytes = 80
const payloadBytes = 130
const pubackBytes = 4
const datagramHeaderBytes = 4

/** How a client of some server talks. Connection `c` is that of mote `c`, and counts its messages `n` from 0. */
export interface Protocol {
    /** What it says first, and waits for an answer to. */
    hello?(c: number): Uint8Array
    message(c: number, n: number): Uint8Array
    /** Makes a function that counts the confirmations in what arrives. It throws for a refusal. */
    counter(): (bytes: Uint8Array) => number
    /** Over UDP a message has an identifier, and may have to be sent again. */
    isDatagrams?: true
}

let start = 0
const boots = new Map<number, number>()

/** An envelope of mote `c`. Each measurement is another start of the motes. */
function envelope(c: number, n: number): Uint8Array {
    if (n === 0) boots.set(c, ++start)
    const nonce = { purpose: "vitals" as const, boot: boots.get(c)!, salt: Uint8Array.of(1, 2, 3, 4, 5), seq: n }
    return sealEnvelope({ ...benchKeysOf(c), ...nonce, plaintext: new Uint8Array(plaintextBytes) })
}

/** Posts envelopes over TCP. */
export function coap(): Protocol {
    const options = [...pathOptions("/vitals"), uintOption(OptionNumber.ContentFormat, 17)]
    return overTcp((c, n) => ({ code: Code.POST, options, payload: envelope(c, n) }))
}

/** Puts as many bytes to a server that confirms any, over TCP. */
export function coapBytes(): Protocol {
    return overTcp(() => put)
}

const put = { code: Code.PUT, options: pathOptions("/example_data"), payload: new Uint8Array(payloadBytes) }

function overTcp(request: (c: number, n: number) => Omit<Parameters<typeof encodeFrame>[0], "token">): Protocol {
    return {
        hello: () => encodeFrame(message(Code.CSM)),
        message: (c, n) => encodeFrame({ ...request(c, n), token: Uint8Array.of(n & 255) }),
        counter: () => {
            const reader = new FrameReader(8192)
            return bytes => {
                let confirmed = 0
                for (const { code } of reader.push(bytes)) {
                    if (codeClass(code) === 7) continue
                    if (codeClass(code) !== 2) throw new Error(`refused with ${dotted(code)}`)
                    confirmed++
                }
                return confirmed
            }
        },
    }
}

/** The same over UDP, in confirmable messages (RFC 7252 §4.2). */
export function coapDatagrams(): Protocol {
    const body = encodeOptionsAndPayload(put.options, put.payload)
    return {
        isDatagrams: true,
        message: (_, n) => {
            const id = n & 0xffff
            return Buffer.concat([Uint8Array.of(0x41, put.code, id >> 8, id & 255, n & 255), body])
        },
        counter: () => bytes => {
            const [head = 0, code = 0] = bytes
            const isAcknowledgement = ((head >> 4) & 3) === 2
            if (bytes.length < datagramHeaderBytes || !isAcknowledgement) return 0
            if (codeClass(code) !== 2) throw new Error(`refused with ${dotted(code)}`)
            return 1
        },
    }
}

/** Publishes envelopes with QoS 1, after the login of a mote. */
export function mqttOfMotes(): Protocol {
    return {
        hello: c => {
            const { kid, mqtt } = benchKeysOf(c)
            return connect({
                clientId: "",
                username: eui(kid),
                password: Buffer.from(Buffer.from(mqtt).toString("hex")),
            })
        },
        message: (c, n) => publish(`vm/${eui(benchKeysOf(c).kid)}/vitals`, Buffer.from(envelope(c, n)), n),
        counter: () => counting(pubackBytes),
    }
}

/** Publishes as many bytes with QoS 1 to any broker. */
export function mqtt(): Protocol {
    const payload = Buffer.alloc(payloadBytes)
    return {
        hello: () => connect({ clientId: "" }),
        message: (c, n) => publish(`vm/${c}/vitals`, payload, n),
        counter: () => counting(pubackBytes),
    }
}

function connect(o: { clientId: string; username?: string; password?: Buffer }): Uint8Array {
    return mqttPacket.generate({
        ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 600 },
        ...o,
    })
}

function publish(topic: string, payload: Buffer, n: number): Uint8Array {
    const fixed = { cmd: "publish", qos: 1, dup: false, retain: false } as const
    return mqttPacket.generate({ ...fixed, topic, payload, messageId: 1 + (n % 60_000) })
}

/** Sends bytes that come back. */
export function echo(): Protocol {
    const payload = Buffer.alloc(payloadBytes + 20)
    return { message: () => payload, counter: () => counting(payload.length) }
}

function counting(size: number): (bytes: Uint8Array) => number {
    let rest = 0
    return ({ length }) => {
        const whole = Math.floor((rest + length) / size)
        rest = (rest + length) % size
        return whole
    }
}
