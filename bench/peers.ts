import { readFileSync } from "node:fs"
import { Agent, createServer as createHttps, request } from "node:https"
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { Aedes } from "aedes"
import mqttPacket, { type Packet } from "mqtt-packet"
import { serverCertificate } from "../host/server-certificate.ts"

/** Sends messages with confirmed delivery, and counts the bytes needed. */
export interface Peer {
    send(body: string): Promise<void>
    /** TCP payload so far, in both directions. */
    bytes(): number
    close(): Promise<void>
}

/** JSON over MQTT 3.1.1 with QoS 1, on one connection, to a broker in this process. */
export async function jsonOverMqtt(eui: string, password: string): Promise<Peer> {
    const broker = await Aedes.createBroker()
    const server = await listening(createServer(socket => void broker.handle(socket)))
    const tap = await countingProxy(portOf(server))
    const socket = await connected(tap.port)
    const parser = mqttPacket.parser({ protocolVersion: 4 })
    let answered: ((packet: Packet) => void) | undefined
    parser.on("packet", packet => answered?.(packet))
    socket.on("data", bytes => parser.parse(bytes))
    let lastId = 0
    const ask = async (packet: Packet, answer: Packet["cmd"]) => {
        const answers = new Promise<Packet>(resolve => (answered = resolve))
        socket.write(mqttPacket.generate(packet))
        const { cmd } = await answers
        if (cmd !== answer) throw new Error(`the broker responded with ${cmd}`)
    }
    await ask(
        {
            ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId: eui },
            ...{ clean: true, keepalive: 60, username: eui, password: Buffer.from(password) },
        },
        "connack",
    )
    return {
        send: body => {
            const publish = { topic: `vm/${eui}/vitals`, payload: body, messageId: ++lastId }
            return ask({ cmd: "publish", qos: 1, dup: false, retain: false, ...publish }, "puback")
        },
        bytes: tap.bytes,
        close: async () => {
            socket.destroy()
            tap.close()
            await new Promise<void>(resolve => broker.close(resolve))
            server.close()
        },
    }
}

/**
 * JSON over HTTP/1.1 and TLS 1.3, one POST per message, with Node's minimum of headers.
 * @param isKept whether one connection is reused; otherwise each message has its own, with a full handshake
 */
export async function jsonOverHttps(folder: string, token: string, isKept: boolean): Promise<Peer> {
    const server = createHttps(await serverCertificate(folder, "localhost", Date.now()))
    server.on("request", (incoming, response) => {
        incoming.resume().on("end", () => response.writeHead(204).end())
    })
    await listening(server)
    const tap = await countingProxy(portOf(server))
    const agent = new Agent({
        ...{ keepAlive: isKept, maxSockets: 1, maxCachedSessions: 0 },
        ca: readFileSync(join(folder, "ca.pem")),
    })
    const send = (body: string) =>
        new Promise<void>((resolve, reject) => {
            const { port } = tap
            const headers = {
                authorization: `Bearer ${token}`,
                ...{
                    "content-type": "application/json",
                    "content-length": Buffer.byteLength(body),
                },
            }
            const post = request(
                { agent, host: "localhost", port, path: "/vitals", method: "POST", headers },
                response => void response.resume().on("end", () => isKept && resolve()),
            )
            // Node closes it after the response if it is not reused.
            if (!isKept) post.once("socket", socket => void socket.once("close", () => resolve()))
            post.once("error", reject)
            post.end(body)
        })
    return {
        send,
        bytes: tap.bytes,
        close: async () => {
            agent.destroy()
            tap.close()
            server.closeAllConnections()
            server.close()
        },
    }
}

/** Forwards connections to `target` and counts their bytes. */
async function countingProxy(target: number) {
    let bytes = 0
    const sockets = new Set<Socket>()
    const server = await listening(
        createServer(near => {
            const far = connect(target, "localhost")
            for (const [from, to] of [
                [near, far],
                [far, near],
            ] as const) {
                sockets.add(from)
                from.on("data", chunk => {
                    bytes += chunk.length
                    to.write(chunk)
                })
                from.on("end", () => to.end())
                from.on("error", () => to.destroy())
                from.on("close", () => sockets.delete(from))
            }
        }),
    )
    return {
        port: portOf(server),
        bytes: () => bytes,
        close: () => {
            for (const socket of sockets) socket.destroy()
            server.close()
        },
    }
}

function listening<S extends Server>(server: S): Promise<S> {
    return new Promise(resolve => server.listen(0, "localhost", () => resolve(server)))
}

function portOf(server: Server): number {
    return (server.address() as AddressInfo).port
}

function connected(port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
        const socket = connect(port, "localhost", () => resolve(socket)).once("error", reject)
    })
}
