import { CoapConnection } from "../coap/connection"
import { serve } from "../coap/resources"
import { MqttConnection } from "../mqtt/connection"
import { Protocol } from "./endpoint"
import { Identity } from "./identity"
import { Take, Transport } from "./transport"

/** What speaks this protocol; it becomes the owner of the socket. */
export function transportFor(protocol: Protocol, identity: Identity, take: Take): Transport {
    if (protocol === Protocol.mqtt) return new MqttConnection(identity, take)
    return new CoapConnection(async (request, from) => await serve(request, from, take))
}
