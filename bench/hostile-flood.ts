/*
 * An attacker in its own process, for bench/hostile.ts: `hostile-flood.ts KIND COAP_PORT MQTT_PORT`. It runs until it
 * is killed and reports its count once a second.
 */
import { createSocket } from "node:dgram"
import { connect, type Socket } from "node:net"
import mqttPacket, { type Packet } from "mqtt-packet"
import { encodeFrame } from "../router/coap/frame.ts"
import { Code, message } from "../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../router/coap/options.ts"
import { sealEnvelope } from "../wire/envelope.ts"
import { deriveKeys, eui } from "../wire/keys.ts"
import { benchKid, benchSecret } from "./router/motes.ts"

const [kind, coapPort, mqttPort] = process.argv.slice(2)
const keys = deriveKeys(benchSecret, benchKid(3))
/** Linux accepts all of 127/8, so the attacker's address differs from that of the motes. */
const localAddress = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1"
let done = 0
setInterval(() => process.send?.(done), 1000)

let seq = 0
function post(payload: Uint8Array): Uint8Array {
    const options = [...pathOptions("/vitals"), uintOption(OptionNumber.ContentFormat, 17)]
    return encodeFrame(message(Code.POST, { options, payload, token: Uint8Array.of(1) }))
}
const boot = Math.floor(Date.now() / 1000)
const salt = Uint8Array.of(1, 2, 3, 4, 5)
function envelope(bytes: number): Uint8Array {
    const start = { ...keys, purpose: "vitals" as const, boot, salt }
    return sealEnvelope({ ...start, seq: seq++, plaintext: new Uint8Array(bytes) })
}

/** Keeps `count` connections open, and replaces each that is closed. */
function keep(count: number, port: string, opened: (socket: Socket) => void): void {
    const open = () => {
        const socket = connect({ port: Number(port), host: "127.0.0.1", localAddress })
        socket.on("connect", () => {
            done++
            opened(socket)
        })
        socket.on("error", () => socket.destroy())
        socket.on("close", () => setTimeout(open, 5))
        socket.resume()
    }
    for (let i = 0; i < count; i++) open()
}

/** Writes as fast as the other end reads. */
function blast(socket: Socket, next: () => Uint8Array): void {
    const write = () => {
        while (!socket.destroyed && socket.write(next())) done++
        if (!socket.destroyed) socket.once("drain", () => setImmediate(write))
    }
    write()
}

const csm = encodeFrame(message(Code.CSM))
const afterCsm = (next: () => Uint8Array) => (socket: Socket) => {
    socket.write(csm)
    blast(socket, next)
}

const floods: Record<string, () => void> = {
    connections: () => keep(1030, coapPort!, () => {}),
    "mqtt-connections": () => keep(1030, mqttPort!, () => {}),
    garbage: () =>
        keep(
            8,
            coapPort!,
            afterCsm(() => frames.garbage),
        ),
    options: () =>
        keep(
            8,
            coapPort!,
            afterCsm(() => frames.options),
        ),
    replays: () =>
        keep(
            8,
            coapPort!,
            afterCsm(() => frames.replay),
        ),
    places: () => keep(1024, coapPort!, socket => void socket.write(Buffer.concat([csm, post(envelope(80))]))),
    envelopes: () =>
        keep(
            1,
            coapPort!,
            afterCsm(() => post(envelope(3900))),
        ),
    subscriptions: () =>
        keep(4, mqttPort!, socket => {
            const password = Buffer.from(Buffer.from(keys.mqtt).toString("hex"))
            const login = { clientId: "", clean: true, keepalive: 60, username: eui(keys.kid), password }
            const hello = { cmd: "connect", protocolId: "MQTT", protocolVersion: 4, ...login } as Packet
            socket.write(mqttPacket.generate(hello))
            blast(socket, () => {
                const topic = (i: number) => ({ topic: `vm/${eui(keys.kid)}/${seq++}/${i}`, qos: 1 as const })
                const subscriptions = Array.from({ length: 100 }, (_, i) => topic(i))
                return mqttPacket.generate({ cmd: "subscribe", messageId: 1, subscriptions })
            })
        }),
    datagrams: () => {
        const socket = createSocket("udp4")
        const question = Buffer.from("4001000100", "hex").subarray(0, 4)
        const path = Buffer.concat([
            question,
            Buffer.from([0xbb]),
            Buffer.from(".well-known"),
            Buffer.from([0x04]),
            Buffer.from("core"),
        ])
        socket.bind(0, localAddress, () => {
            const send = () => {
                for (let i = 0; i < 64; i++) {
                    path.writeUInt16BE(done++ & 0xffff, 2)
                    socket.send(path, Number(coapPort), "127.0.0.1")
                }
                setImmediate(send)
            }
            send()
        })
    },
}
const empty = { number: OptionNumber.UriQuery, value: new Uint8Array(0) }
const frames = {
    garbage: post(Buffer.from("garbage")),
    options: encodeFrame(message(Code.GET, { options: Array.from({ length: 8000 }, () => empty) })),
    replay: post(envelope(80)),
}
floods[kind!]!()
