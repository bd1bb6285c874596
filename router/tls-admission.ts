import type { Socket } from "node:net"
import type { Server } from "node:tls"
import { peerOf } from "../host/stream.ts"
import type { Place } from "./admission.ts"

/**
 * Admits the connections of a TLS server before their handshake, which limits handshakes as well. A place is free when its
 * connection closes.
 * @param admit as `Admission.admit`
 * @returns the place of a connection, from its socket of either layer
 */
export function admitBeforeHandshake(
    server: Pick<Server, "on">,
    admit: (peer: string, drop: () => void) => Place | undefined,
): (socket: Socket) => Place | undefined {
    const places = new Map<string, Place>()
    server.on("connection", (raw: Socket) => {
        const peer = peerOf(raw)
        const place = admit(peer, () => raw.destroy())
        if (!place) return raw.destroy()
        places.set(peer, place)
        raw.once("close", () => {
            places.delete(peer)
            place.leave()
        })
        return undefined
    })
    // Node only reports a handshake that took too long; it does not close the socket.
    server.on("tlsClientError", (_error, socket) => socket.destroy())
    return socket => places.get(peerOf(socket))
}
