import { createServer, type AddressInfo } from "node:net"
import { silentLog } from "../../host/log.ts"
import { socketStream } from "../../host/stream.ts"
import { listen, serveHttp, serveUdp } from "../../router/index.ts"
import type { Ward } from "./ward.ts"

/** Only this machine can connect, so there is no password. */
const host = "127.0.0.1"

export interface HostPorts {
    /** CoAP over TCP and UDP, if its port was free. */
    coapPort?: number
    httpPort?: number
    close(): Promise<void>
}

/**
 * Opens real sockets at the border: clients on this machine reach the simulated motes as `/m/<eui>/…` through the
 * ward's router and the mesh. Their requests are not part of the course that the seed determines. Port 0 takes a free
 * one; undefined: not served.
 * @throws UserError if a port cannot be used
 */
export async function openHostPorts(
    { router, network }: Ward,
    o: { coapPort?: number; httpPort?: number },
): Promise<HostPorts> {
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
            const http = await serveHttp(
                router,
                { port: o.httpPort, host, coapPort: ports.coapPort, network },
                silentLog,
            )
            if (http) parts.push(http)
            ports.httpPort = http?.port
        }
        return ports
    } catch (error) {
        await close()
        throw error
    }
}
