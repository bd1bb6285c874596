import { WireError } from "../../wire/cbor.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import type { MeshNode } from "../mesh/node.ts"
import type { Radio } from "../radio/air.ts"
import { postEnvelope } from "./coap.ts"
import { RouterLink } from "./router-link.ts"
import { Sniffer } from "./sniffer.ts"

const attackEveryMs = 2000
const maxBacklog = 2048

/** Listens on the air and, as a node of the network, POSTs envelopes of its own to the router. */
export abstract class Intruder extends Sniffer {
    private node: MeshNode | undefined
    private link: RouterLink | undefined

    protected override begin(): void {
        super.begin()
        this.attack()
    }

    protected override end(): void {
        this.node?.stop()
        this.node = this.link = undefined
        super.end()
    }

    protected override newRadio(): Radio {
        this.node = this.join()
        this.link = new RouterLink(this.node, this.o.router)
        return this.node.radio
    }

    /** The next envelope to POST, or undefined. */
    protected abstract envelope(): Uint8Array | undefined

    private attack(): void {
        if (!this.link) return
        const stream = this.link.open()
        // Data that the connection does not accept now would only wait in memory.
        const envelope = stream && stream.backlog < maxBacklog ? this.envelope() : undefined
        if (envelope) {
            stream!.write(postEnvelope("vitals", envelope))
            this.got.sent++
        }
        this.later(this.everyMs(attackEveryMs), () => this.attack())
    }
}

/** Whether bytes have the shape of an envelope, as far as that can be checked without a key. */
export function isEnvelope(bytes: Uint8Array): boolean {
    try {
        parseEnvelope(bytes)
        return true
    } catch (error) {
        if (error instanceof WireError) return false
        throw error
    }
}
