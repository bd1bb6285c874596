import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { reasonOf } from "../../host/errors.ts"
import { socketStream } from "../../host/stream.ts"
import type { MqttBrokerAccess } from "./client.ts"

const connectMs = 10_000
const ports: Record<string, number> = { "mqtt:": 1883, "mqtts:": 8883 }

/**
 * Parses a broker's URL, `mqtt://user:password@host:port` or `mqtts:` for TLS, and connects with this machine's
 * sockets. Throws TypeError, whose message never quotes the URL, because it may contain a password.
 */
export function brokerAccess(text: string): MqttBrokerAccess {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const defaultPort = ports[url?.protocol ?? ""]
    const hasMore = url && (!/^\/?$/.test(url.pathname) || url.search || url.hash)
    if (!url?.hostname || defaultPort === undefined || hasMore)
        throw new TypeError("expected mqtt://host:port or mqtts://host:port")
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
    const port = url.port === "" ? defaultPort : Number(url.port)
    const open = (connected: () => void): Socket =>
        url.protocol === "mqtts:"
            ? connectTls({ host, port, servername: host }, connected)
            : connectTcp({ host, port }, connected)
    return {
        url: `${url.protocol}//${url.host}`,
        connect: () =>
            new Promise((resolve, reject) => {
                const socket = open(() => {
                    socket.off("error", failed)
                    socket.setTimeout(0)
                    resolve(socketStream(socket))
                })
                const failed = (error: Error) => reject(new Error(reasonOf(error)))
                socket.once("error", failed)
                socket.setTimeout(connectMs, () => socket.destroy(new Error("timeout")))
            }),
        ...(url.username && { user: decodeURIComponent(url.username) }),
        ...(url.password && { password: decodeURIComponent(url.password) }),
    }
}
