/*
 * A server for bench/router.ts and bench/hostile.ts, in a process of its own: a router with its store in the given folder; with
 * `echo` or `aedes` instead of a folder a plain TCP echo, or an MQTT broker in memory. It sends its ports, and on request
 * the CPU time and memory used so far.
 */
import { createServer, type AddressInfo, type Socket } from "node:net"
import { Aedes } from "aedes"
import { silentLog } from "../host/log.ts"
import { startRouter } from "../router/index.ts"
import { deriveKeys } from "../wire/keys.ts"
import { benchKid, benchMotes, benchSecret } from "./router.ts"

const [what, isBounded] = process.argv.slice(2)

async function serve(accept: (socket: Socket) => void): Promise<number> {
    const server = createServer(socket => {
        socket.setNoDelay(true)
        socket.on("error", () => socket.destroy())
        accept(socket)
    })
    await new Promise<void>(resolve => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve))
    return (server.address() as AddressInfo).port
}

async function router(data: string) {
    const keys = Array.from({ length: benchMotes }, (_, n) => ({ ...deriveKeys(benchSecret, benchKid(n)), config: 1 }))
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
    return { coapPort, mqttPort }
}

async function ports() {
    if (what === "echo") return { port: await serve(socket => socket.on("data", bytes => socket.write(bytes))) }
    if (what !== "aedes") return await router(what!)
    const broker = await Aedes.createBroker()
    return { port: await serve(socket => void broker.handle(socket)) }
}

process.on("message", () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpuUs: user + system, rss: process.memoryUsage().rss })
})
process.on("disconnect", () => process.exit())
process.send!(await ports())
