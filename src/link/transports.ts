import { Endpoint, Protocol } from "./endpoint"
import { CoapConnection } from "../coap/connection"
import { serve } from "../coap/resources"
import { Transport } from "./transport"

/** What speaks the protocol of this endpoint; it becomes the owner of the socket. */
export function transportFor({ protocol }: Endpoint): Transport {
    if (protocol === Protocol.mqtt) throw new Error("no MQTT in this image")
    return new CoapConnection(serve)
}
