/*
 * A server for the benchmarks of the router, in a process of its own: a router with its store in the given folder; with `echo`,
 * `aedes` or `node-coap` instead of a folder a plain TCP echo, an MQTT broker in memory, or a CoAP server over UDP. It sends
 * its ports, and on request the CPU time and memory used so far, or a profile.
 */
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { createServer, type AddressInfo, type Socket } from "node:net"
import { Aedes } from "aedes"
import { createServer as createCoapServer } from "coap"
import { silentLog } from "../../host/log.ts"
import { startRouter } from "../../router/index.ts"
import { profiled } from "../profile.ts"
import { benchKeysOf, benchMotes } from "./motes.ts"
import type { Ports } from "./peers.ts"

const [what, isBounded, motes = `${benchMotes}`] = process.argv.slice(2)

async function serve(accept: (socket: Socket) => void): Promise<number> {
    const server = createServer(socket => {
        socket.setNoDelay(true)
        socket.on("error", () => socket.destroy())
        accept(socket)
    })
    await new Promise<void>(resolve => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve))
    return (server.address() as AddressInfo).port
}

async function router(data: string): Promise<Ports> {
    const keys = Array.from({ length: Number(motes) }, (_, n) => ({ ...benchKeysOf(n), config: 1 }))
    const { coapPort, mqttPort } = await startRouter({
        ...{ data, coapPort: 0, mqttPort: 0 },
        clinic: {
            keysOf: () => Promise.resolve([]),
            deliver: batch => Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" }))),
            keys: () => Promise.resolve(keys),
        },
        // One mote sends as much as a whole ward.
        ...(isBounded ? {} : { moteBytesPerMinute: Infinity }),
        log: silentLog,
    })
    return { coapPort, ...(mqttPort !== undefined && { mqttPort }) }
}

async function nodeCoap(): Promise<number> {
    const socket = createSocket("udp4")
    socket.bind(0, "127.0.0.1")
    await once(socket, "listening")
    const server = createCoapServer((_, response) => {
        response.code = "2.04"
        response.end()
    })
    server.listen(socket)
    return socket.address().port
}

async function ports(): Promise<Ports> {
    switch (what) {
        case "echo":
            return { port: await serve(socket => socket.on("data", bytes => socket.write(bytes))) }
        case "aedes": {
            const broker = await Aedes.createBroker()
            return { port: await serve(socket => void broker.handle(socket)) }
        }
        case "node-coap":
            return { port: await nodeCoap() }
        default:
            return await router(what!)
    }
}

let stopProfile = () => {}

process.on("message", message => {
    if (message === "usage") {
        globalThis.gc?.()
        const { user, system } = process.cpuUsage()
        process.send!({ cpuUs: user + system, ...process.memoryUsage() })
    } else if (message === "profile") {
        const ended = new Promise<void>(resolve => (stopProfile = resolve))
        void profiled(() => ended).then(profile => process.send!(profile))
    } else if (message === "profile end") stopProfile()
})
process.on("disconnect", () => process.exit())
process.send!(await ports())
