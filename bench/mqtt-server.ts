// A broker in a process of its own, for `vitalmote bench mqtt`: `mqtt-server.ts own|aedes`. Sends its port, then its CPU
// time in µs whenever it is asked.
import { randomBytes } from "node:crypto"
import { createServer, type AddressInfo, type Socket } from "node:net"
import { Aedes } from "aedes"
import { realClock } from "../host/clock.ts"
import { silentLog } from "../host/log.ts"
import { socketStream } from "../host/stream.ts"
import type { Ingest } from "../router/ingest.ts"
import type { MoteKeyring } from "../router/keyring.ts"
import { MqttBroker } from "../router/mqtt/broker.ts"
import { benchKeys, benchEui } from "./mqtt.ts"

const server = createServer(process.argv[2] === "own" ? own() : await aedes())

/** The router's broker, with everything behind it left out: each envelope is stored at once. */
function own(): (socket: Socket) => void {
    const result = { status: "stored", eui: benchEui, generation: 0, receipt: new Uint8Array(28) } as const
    const ingest = { submit: () => Promise.resolve(result) } as unknown as Ingest
    const keyring = { find: () => benchKeys, findAll: () => [benchKeys] } as unknown as MoteKeyring
    const broker = new MqttBroker({ clock: realClock, random: randomBytes, ingest, keyring, log: silentLog })
    return socket => broker.accept(socketStream(socket))
}

async function aedes(): Promise<(socket: Socket) => void> {
    const broker = await Aedes.createBroker()
    return socket => void broker.handle(socket)
}

server.listen(0, "127.0.0.1", () => process.send!((server.address() as AddressInfo).port))
process.on("message", () => {
    const { user, system } = process.cpuUsage()
    process.send!(user + system)
})
process.on("disconnect", () => process.exit())
