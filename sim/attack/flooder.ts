import type { MeshNode } from "../mesh/node.ts"
import { getCore } from "./coap.ts"
import { Participant } from "./participant.ts"
import type { RouterLink } from "./router-link.ts"

/** So much may wait in its connection; the rest of the flood is as fast as the mesh carries it. */
const maxBacklog = 2048

/** Requests something of the router, as fast as the network takes it. */
export class Flooder extends Participant {
    protected readonly usualMs = 50

    protected act(_node: MeshNode, link: RouterLink): void {
        const stream = link.open()
        if (!stream || stream.backlog > maxBacklog) return
        stream.write(getCore)
        this.got.sent++
    }
}
