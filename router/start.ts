import { randomBytes } from "node:crypto"
import { createServer, type AddressInfo, type Server } from "node:net"
import { realClock } from "../host/clock.ts"
import { reasonOf, UserError } from "../host/errors.ts"
import type { Log } from "../host/log.ts"
import { socketStream, type ByteStream } from "../host/stream.ts"
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
 * there is no MQTT. `retryRefused` offers what the clinic refused to it once more. Takes over `clinic`, and closes it.
 * Throws UserError where the store or a port cannot be used.
 */
export async function startRouter(o: {
    data: string
    host?: string
    coapPort: number
    mqttPort?: number
    clinic: ClinicLink
    maxOutboxBytes?: number
    retryRefused?: boolean
    log: Log
}): Promise<RunningRouter> {
    const { clinic, maxOutboxBytes, host = "127.0.0.1", log } = o
    const parts: { close(): unknown }[] = []
    const close = async () => {
        for (let part = parts.pop(); part; part = parts.pop()) await part.close()
    }
    const serve = (accept: (stream: ByteStream) => void, port: number) => {
        const server = createServer(socket => accept(socketStream(socket)))
        parts.push({ close: () => void server.close() })
        return listen(server, port, host, log)
    }
    try {
        parts.push({ close: () => clinic.close?.() })
        const store = RouterStore.open(o.data)
        parts.push(store)
        if (o.retryRefused) store.retryRefused()
        const router = new Router({
            ...{ clock: realClock, random: randomBytes, store, clinic, log },
            ...(maxOutboxBytes !== undefined && { maxOutboxBytes }),
        })
        parts.push(router)
        const coapPort = await serve(stream => router.accept(stream), o.coapPort)
        let mqttPort: number | undefined
        if (o.mqttPort !== undefined) {
            const { ingest, keyring } = router
            const broker = await MqttBroker.start({ ingest, keyring, log })
            parts.push(broker)
            mqttPort = await serve(stream => broker.accept(stream), o.mqttPort)
        }
        log.info({ coapPort, mqttPort }, "router listens")
        return { coapPort, mqttPort, router, close }
    } catch (error) {
        await close()
        throw error
    }
}

/** Resolves to the port. What goes wrong later, such as too many open files, is logged: the server goes on. */
export function listen(server: Server, port: number, host: string, log: Log): Promise<number> {
    return new Promise((resolve, reject) => {
        const failed = (error: Error) =>
            reject(new UserError(`cannot listen on ${host} port ${port}: ${reasonOf(error)}`))
        server.once("error", failed)
        server.listen(port, host, () => {
            server.off("error", failed)
            server.on("error", error =>
                log.error({ port, reason: reasonOf(error) }, "a connection was not accepted"),
            )
            resolve((server.address() as AddressInfo).port)
        })
    })
}
