import { connect as connectTcp } from "node:net"
import { connect as connectTls } from "node:tls"
import { socketStream } from "../../host/stream.ts"
import type { Connect } from "../vm/socket.ts"

/** The host's own network: a mote in real time reaches everything that this machine reaches. */
export const hostNetwork: Connect = (host, port, tls) =>
    new Promise((resolve, reject) => {
        const socket = tls
            ? connectTls({ host, port, servername: host }, connected)
            : connectTcp({ host, port }, connected)
        socket.once("error", reject)
        function connected() {
            socket.off("error", reject)
            resolve(socketStream(socket))
        }
    })
