import { randomBytes } from "node:crypto"
import { createServer, type AddressInfo, type Server } from "node:net"
import { realClock } from "../host/clock.ts"
import { reasonOf, UserError } from "../host/errors.ts"
import type { Log } from "../host/log.ts"
import { socketStream } from "../host/stream.ts"
import type { ClinicLink } from "./clinic-link.ts"
import { MqttBroker } from "./mqtt.ts"
import { Router } from "./router.ts"
import { RouterStore } from "./store.ts"

/** A router on real sockets. */
export interface RunningRouter {
    coapPort: number
    mqttPort: number | undefined
    router: Router
    /** Takes no more connections, closes the others, then the store. */
    close(): Promise<void>
}

/**
 * Runs a router on this machine's clock and sockets, its store in the folder `data`. Port 0 means any; without `mqttPort`
 * there is no MQTT. Throws UserError where the store or a port cannot be used.
 */
export async function startRouter(o: {
    data: string
    host?: string
    coapPort: number
    mqttPort?: number
    clinic: ClinicLink
    log: Log
}): Promise<RunningRouter> {
    const { clinic, log } = o
    const store = RouterStore.open(o.data)
    const router = new Router({ clock: realClock, random: randomBytes, store, clinic, log })
    const { ingest, keyring } = router
    const broker = await MqttBroker.start({ ingest, keyring, log })
    const coap = createServer(socket => router.accept(socketStream(socket)))
    const mqtt = createServer(socket => broker.accept(socketStream(socket)))
    const close = async () => {
        coap.close()
        mqtt.close()
        await Promise.all([router.close(), broker.close()])
        store.close()
    }
    try {
        const coapPort = await listen(coap, o.coapPort, o.host)
        const mqttPort =
            o.mqttPort === undefined ? undefined : await listen(mqtt, o.mqttPort, o.host)
        log.info({ coapPort, mqttPort }, "router listens")
        return { coapPort, mqttPort, router, close }
    } catch (error) {
        await close()
        throw error
    }
}

/** Resolves to the port. */
function listen(server: Server, port: number, host = "127.0.0.1"): Promise<number> {
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) =>
            reject(new UserError(`cannot listen on ${host} port ${port}: ${reasonOf(error)}`)),
        )
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
    })
}
