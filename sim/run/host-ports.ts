import { createServer, type AddressInfo } from "node:net"
import { silentLog } from "../../host/log.ts"
import { socketStream } from "../../host/stream.ts"
import { listen, serveHttp, serveUdp } from "../../router/index.ts"
import type { Ward } from "./ward.ts"

/** The way is for this machine alone: nobody is asked for a password. */
const host = "127.0.0.1"

export interface HostPorts {
    /** CoAP over TCP and UDP, as far as its port was free. */
    coapPort?: number
    httpPort?: number
    close(): Promise<void>
}

/**
 * Real sockets at the border: clients on this machine reach the simulated motes through the ward's router, over the mesh, as
 * `/m/<eui>/…`. What they ask is no part of the seed's course. Port 0 means any; undefined: not served.
 * @throws UserError when a port cannot be used
 */
export async function openHostPorts({ router }: Ward, o: { coapPort?: number; httpPort?: number }): Promise<HostPorts> {
    const parts: { close(): unknown }[] = []
    const close = async () => {
        for (const part of parts) await part.close()
    }
    const ports: HostPorts = { close }
    try {
        if (o.coapPort !== undefined) {
            const server = createServer(socket => router.accept(socketStream(socket)))
            parts.push({ close: () => void server.close() })
            ports.coapPort = await listen(server, o.coapPort, host, silentLog)
            const udp = await serveUdp(router, server.address() as AddressInfo, silentLog)
            if (udp) parts.push(udp)
        }
        if (o.httpPort !== undefined) {
            const http = await serveHttp(router, { port: o.httpPort, host }, silentLog)
            if (http) parts.push(http)
            ports.httpPort = http?.port
        }
        return ports
    } catch (error) {
        await close()
        throw error
    }
}
