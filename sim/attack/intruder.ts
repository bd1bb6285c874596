import type { ByteStream } from "../../host/stream.ts"
import { WireError } from "../../wire/cbor.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import type { MeshNode } from "../mesh/node.ts"
import type { Radio } from "../radio/air.ts"
import { csm, postVitals } from "./coap.ts"
import { Sniffer } from "./sniffer.ts"

const attackEveryMs = 2000

/** Listens as a node of the network, which has a connection to the router and POSTs envelopes of its own. */
export abstract class Intruder extends Sniffer {
    private node: MeshNode | undefined
    private stream: ByteStream | undefined

    protected override begin(): void {
        super.begin()
        this.attack()
    }

    protected override end(): void {
        this.node?.stop()
        this.node = undefined
        super.end()
    }

    protected override newRadio(): Radio {
        this.node = this.join()
        return this.node.radio
    }

    /** The next envelope that it wants to put in. */
    protected abstract envelope(): Uint8Array | undefined

    private attack(): void {
        const { node } = this
        if (!node) return
        const own = node.ipv6.addresses[0]
        const { address, port } = this.o.router
        if (own && !this.stream)
            node.tcp.connect(own, address, port).then(
                stream => {
                    this.stream = stream
                    stream.listen({ data: () => {}, closed: () => (this.stream = undefined) })
                    stream.write(csm)
                },
                () => {},
            )
        const envelope = this.stream && this.envelope()
        if (envelope) {
            this.stream!.write(postVitals(envelope))
            this.got.sent++
        }
        this.later(attackEveryMs, () => this.attack())
    }
}

/** Whether bytes are an envelope as far as one can tell without a key. */
export function isEnvelope(bytes: Uint8Array): boolean {
    try {
        parseEnvelope(bytes)
        return true
    } catch (error) {
        if (error instanceof WireError) return false
        throw error
    }
}
