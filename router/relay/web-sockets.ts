import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"
import { WebSocketServer } from "ws"
import { peerOf } from "../../host/stream.ts"
import { maxMessageBytes } from "../coap/session.ts"
import { webSocketStream } from "../coap/web-socket.ts"
import type { Router } from "../router.ts"

/** RFC 8323 §8.3 and §8.4. */
const path = "/.well-known/coap"
const subprotocol = "coap"

/**
 * Serves CoAP over WebSockets (`coap+ws`, RFC 8323 §4) beside HTTP.
 * @param refusal the HTTP status for somebody who may not connect; undefined for who may
 * @returns ends all connections
 */
export function coapOverWebSockets(
    server: Server,
    router: Pick<Router, "accept" | "admit">,
    refusal: (request: IncomingMessage) => number | undefined,
): () => void {
    const sockets = new WebSocketServer({
        ...{ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false },
        handleProtocols: offered => offered.has(subprotocol) && subprotocol,
    })
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
        const refuse = (status: number) => void socket.end(`HTTP/1.1 ${status} \r\nconnection: close\r\n\r\n`)
        socket.on("error", () => socket.destroy())
        if (request.url !== path) return refuse(404)
        const offered = request.headers["sec-websocket-protocol"]?.split(",").map(one => one.trim()) ?? []
        const status = refusal(request) ?? (offered.includes(subprotocol) ? undefined : 400)
        if (status !== undefined) return refuse(status)
        const peer = peerOf(socket)
        const place = router.admit(peer, () => socket.destroy())
        if (!place) return refuse(503)
        let isTaken = false
        socket.once("close", () => {
            if (!isTaken) place.leave()
        })
        sockets.handleUpgrade(request, socket, head, webSocket => {
            isTaken = true
            router.accept(webSocketStream(webSocket, peer), place)
        })
        return undefined
    })
    return () => {
        for (const socket of sockets.clients) socket.terminate()
    }
}
