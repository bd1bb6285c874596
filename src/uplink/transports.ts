import { closeCoap, isCoapOpen, openCoap, pingCoap, postCoap, releaseCoap, startCoap } from "../coap/connection"
import { serve } from "../coap/resources"
import { closeMqtt, isMqttOpen, openMqtt, pingMqtt, postMqtt, releaseMqtt, startMqtt } from "../mqtt/connection"
import { Protocol } from "../link/endpoint"
import { Identity } from "../link/identity"
import { Take, Transport } from "../link/transport"

/** Starts the transport for a protocol, which takes over the socket. */
export function transportFor(protocol: Protocol, identity: Identity, take: Take): Transport {
    if (protocol === Protocol.mqtt) {
        startMqtt(identity, take)
        return {
            isOpen: isMqttOpen,
            open: openMqtt,
            post: postMqtt,
            ping: pingMqtt,
            release: releaseMqtt,
            close: closeMqtt,
        }
    }
    startCoap(async request => await serve(request, take))
    return {
        isOpen: isCoapOpen,
        open: openCoap,
        post: postCoap,
        ping: pingCoap,
        release: releaseCoap,
        close: closeCoap,
    }
}
