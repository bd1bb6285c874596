import { connect as connectTcp, isIP, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { reasonOf } from "../errors.ts"
import { socketStream, type ByteStream } from "../stream.ts"

const connectMs = 10_000
const ports: Record<string, number> = { "mqtt:": 1883, "mqtts:": 8883 }

/** The address of a broker and the credentials for it. */
export interface MqttBrokerAccess {
    /** The URL for messages, without user and password. */
    url: string
    connect(): Promise<ByteStream>
    user?: string
    password?: string
}

/**
 * Parses a broker's URL, `mqtt://user:password@host:port` or `mqtts:` for TLS, and connects with this machine's
 * sockets. Throws TypeError, whose message never quotes the URL, because it may contain a password.
 * @param ca the certificate authority of the broker, PEM; by default those of this machine
 */
export function brokerAccess(text: string, ca?: string): MqttBrokerAccess {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const defaultPort = ports[url?.protocol ?? ""]
    const hasMore = url && (!/^\/?$/.test(url.pathname) || url.search || url.hash)
    if (!url?.hostname || defaultPort === undefined || hasMore)
        throw new TypeError("expected mqtt://host:port or mqtts://host:port")
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
    const port = url.port === "" ? defaultPort : Number(url.port)
    const open = (connected: () => void): Socket =>
        url.protocol === "mqtts:"
            ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...(ca && { ca }) }, connected)
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
